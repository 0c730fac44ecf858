// SPDX-License-Identifier: MIT
//
// Whose a frame is, and who watches it.
#include "kernel/frame_print.h"

#include "arch/cpu.h"
#include "kernel/backtrace.h"
#include "kernel/thread.h"
#include "kernel/timer.h"
#include "kernel/trace_print.h"
#include "mm/domain.h"
#include "mm/frames.h"
#include "mm/misuse.h"

const char *frame_owner(const struct page *page)
{
    const struct domain *domain = page_domain(page);
    return domain != NULL                       ? domain->name
           : page->private_state & FRAME_TABLE  ? "a page table"
           : page->private_state & FRAME_KERNEL ? "the kernel's own"
                                                : "free";
}

uintptr_t frame_site(const struct page *page)
{
    bool own = page->private_state & (FRAME_TABLE | FRAME_KERNEL);
    return own ? 0 : site_unpack(page->private_site);
}

void frame_print(const struct page *page, int pkey)
{
    if (page == NULL) {
        printf("  frame    none\n");
        return;
    }
    bool owned = page_domain(page) != NULL;
    printf("  frame    0x%llx, %s%s", (unsigned long long)page_to_phys(page),
           owned ? "domain " : "", frame_owner(page));
    if (pkey >= 0) {
        printf(", key %d", pkey);
    }
    if (frame_site(page) != 0) {
        printf("\n  %s",
               owned ? "owner    allocated at " : "owner    freed at ");
        print_call_site(frame_site(page));
        if (page_age(page) >= 0 && clock_ticks(1000) != 0) {
            printf(", %llu ms ago",
                   (unsigned long long)page_age(page) / clock_ticks(1000));
        }
    }
    printf("\n");
}

void watch_print(const struct watch *watch)
{
    printf("  watched  %s, by thread %s, ",
           watch->access == ACCESS_READ ? "every access" : "writes",
           thread_name_at(watch->thread, watch->time, NULL));
    print_ago(cpu_read_tsc() - watch->time);
    printf("; %u refused so far\n", watch->hits);
}
