// SPDX-License-Identifier: MIT
//
// Reports of wrong use: what, on which frame, and both call sites.
#include "kernel/misuse.h"

#include "arch/percpu.h"
#include "kernel/backtrace.h"
#include "kernel/catch.h"
#include "kernel/console.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mm/frames.h"

static struct misuse last; // for tests: of any thread

const struct misuse *misuse_last(void)
{
    return &last;
}

// Who did it, as far as it can be told: whoever made the call that is refused,
// or else what the first site says, which is not blamed for more than that.
static void print_culprit(const struct misuse *misuse)
{
    const char *what = misuse->site[0].what;
    if (what == NULL || misuse->site[0].ip == 0) {
        return;
    }
    if (strncmp(what, "this ", 5) == 0) {
        printf(", by ");
    } else {
        printf(", %s by ", what);
    }
    print_code_place(misuse->site[0].ip - 1);
}

// The first line: it alone tells the story.
static void print_headline(const struct misuse *misuse)
{
    printf("MISUSE: %s", misuse->what);
    if (misuse->page != NULL) {
        struct domain *domain = page_domain(misuse->page);
        printf(", frame 0x%llx",
               (unsigned long long)page_to_phys(misuse->page));
        if (domain != NULL) {
            printf(" of domain %s", domain_name(domain));
        }
    }
    if (misuse->address != NULL) {
        printf(", address %p", misuse->address);
    }
    print_culprit(misuse);
    printf("\n");
}

static void misuse_print(const struct misuse *misuse)
{
    uint64_t flags = console_begin();
    print_headline(misuse);
    for (unsigned i = 0; i < 2; i++) {
        if (misuse->site[i].what != NULL) {
            printf("  %s: ", misuse->site[i].what);
            print_call_site(misuse->site[i].ip);
            printf("\n");
        }
    }
    console_end(flags);
}

void misuse_report(const struct misuse *misuse)
{
    last = *misuse;
    struct catch_frame *frame = catch_find(percpu.trap_level);
    if (frame == NULL || frame->report) {
        misuse_print(misuse);
    }
    if (frame == NULL) {
        panic("misuse of the mapping API: %s", misuse->what);
    }
    frame->misuse = true;
    frame->fault = (struct fault){
        .kind = FAULT_OTHER,
        .ip = misuse->site[0].ip,
        .pkey = -1,
        .cpu = cpu_id(),
    };
    catch_throw(frame);
}
