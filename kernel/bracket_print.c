// SPDX-License-Identifier: MIT
//
// Who has what open.
#include "kernel/bracket_print.h"

#include "arch/cpu.h"
#include "arch/percpu.h"
#include "arch/pks.h"
#include "arch/regs.h"
#include "arch/tlb.h"
#include "kernel/backtrace.h"
#include "kernel/thread.h"
#include "kernel/timer.h"
#include "mm/bracket.h"
#include "mm/context.h"
#include "mm/engine.h"
#include "mm/frames.h"
#include "mm/keys.h"
#include "mm/local_window.h"
#include "mm/misuse.h"
#include "mm/profile.h"

void print_rights(uint32_t rights)
{
    if (!engine->counts_pkrs) {
        printf("  rights   no keys; page tables are %s\n",
               rights & CR0_WP ? "closed" : "open");
        return;
    }
    printf("  PKRS     0x%08x:", rights);
    for (unsigned key = 0; key < PKS_KEYS; key++) {
        const char *name = key_name(key);
        if (rights & PKRS_AD(key)) {
            continue;
        }
        printf(" %u(%s)=%s", key, name != NULL ? name : "unused",
               rights & PKRS_WD(key) ? "read" : "write");
    }
    printf("; all others closed\n");
}

// The first frame of a bracket; 0: not known.
static phys_addr_t bracket_physical(const struct bracket *bracket)
{
    if (bracket_is_special(bracket)) {
        const struct page *page =
            local_window_page((const uint64_t *)bracket->backing);
        return page != NULL ? page_to_phys(page) : 0;
    }
    uintptr_t direct = bracket_direct_address(bracket) - DIRECT_MAP_BASE;
    return direct < DIRECT_MAP_SIZE ? ALIGN_DOWN(direct, PAGE_SIZE) : 0;
}

// Whose brackets they are, as far as they are printed.
struct owner {
    const char *thread;
    int cpu;                 // -1: none runs it
    const struct page *only; // brackets that have this frame; NULL: all
};

// How long it has been open, and whether that is too long, where it is known.
static void print_age(const struct bracket *bracket)
{
    uint32_t now = (uint32_t)(cpu_read_tsc() / BRACKET_TIME_UNIT);
    uint32_t units = now - bracket->map_time;
    uint64_t per_ms = clock_ticks(1000);
    if (bracket->map_time != 0 && per_ms != 0) {
        printf(", for %llu us%s",
               (unsigned long long)units * BRACKET_TIME_UNIT * 1000 / per_ms,
               profile_limit != 0 && units > profile_limit ? ", slow" : "");
    }
}

static void bracket_print(const struct bracket *bracket,
                          const struct owner *owner, bool in_handler)
{
    size_t frames = bracket_frames(bracket);
    printf("    by ");
    print_code_place(site_unpack(bracket->map_site) - 1);
    printf("\n      frame 0x%llx",
           (unsigned long long)bracket_physical(bracket));
    if (frames > 1) {
        printf(" and %zu more", frames - 1);
    }
    printf(", thread %s", owner->thread);
    if (owner->cpu >= 0) {
        printf(", CPU %d", owner->cpu);
    }
    printf("%s", in_handler ? ", in a handler" : "");
    print_age(bracket);
    printf("\n");
}

// Down to where nothing is below. How many there are.
static unsigned chain_print(const struct bracket *top,
                            const struct owner *owner)
{
    unsigned count = 0;
    while (top != NULL) {
        const struct bracket *below = top;
        while (!bracket_is_sentinel(below - 1)) {
            below--;
        }
        const struct bracket *interrupted = (below - 1)->interrupted;
        for (; top > below; top--) {
            if (owner->only == NULL || bracket_holds(top - 1, owner->only, 1)) {
                bracket_print(top - 1, owner, interrupted != NULL);
                count++;
            }
        }
        top = interrupted;
    }
    return count;
}

static const char *thread_name_on(unsigned cpu)
{
    const struct thread *thread = cpu_data_of(cpu)->thread;
    return thread != NULL ? thread->name : "(none)";
}

void brackets_print_cpu(unsigned cpu, const struct bracket *top,
                        uint32_t rights)
{
    struct owner owner = {.thread = thread_name_on(cpu), .cpu = (int)cpu};
    print_rights(rights);
    printf("  brackets open here:\n");
    if (chain_print(top, &owner) == 0) {
        printf("    none\n");
    }
}

static const char *context_name(const struct mm_context *context)
{
    const struct thread *thread = thread_next(NULL);
    while (thread != NULL && thread->context != context) {
        thread = thread_next(thread);
    }
    return thread != NULL ? thread->name : "(unknown)";
}

static unsigned waiting_print(const struct page *only)
{
    unsigned count = 0;
    const struct mm_context *context = NULL;
    while ((context = mm_context_next(context)) != NULL) {
        if (!context->running &&
            context->top != context->brackets.thread.bracket) {
            struct owner owner = {context_name(context), -1, only};
            count += chain_print(context->top, &owner);
        }
    }
    return count;
}

void brackets_print_waiting(void)
{
    printf("brackets of threads that no CPU runs:\n");
    if (waiting_print(NULL) == 0) {
        printf("    none\n");
    }
}

// Other CPUs stand still meanwhile.
unsigned brackets_print(const struct page *only)
{
    unsigned count = 0;
    uint64_t flags = cpu_interrupts_off();
    tlb_park();
    for (unsigned cpu = 0; cpu < cpus_count; cpu++) {
        struct owner owner = {thread_name_on(cpu), (int)cpu, only};
        count += chain_print(cpu_data_of(cpu)->bracket_top, &owner);
    }
    count += waiting_print(only);
    tlb_release(NULL);
    cpu_interrupts_restore(flags);
    return count;
}
