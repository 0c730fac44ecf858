// SPDX-License-Identifier: MIT
//
// The profile as two tables, 80 columns wide.
#include "kernel/profile_print.h"

#include "kernel/backtrace.h"
#include "kernel/timer.h"
#include "keyhole.h"
#include "mm/misuse.h"
#include "mm/profile.h"
#include "mm/trace.h"

// Units of slots as microseconds; without a clock, as ticks.
static uint64_t time_of(uint64_t units)
{
    uint64_t per_ms = clock_ticks(1000), ticks = units * BRACKET_TIME_UNIT;
    return per_ms != 0 ? ticks * 1000 / per_ms : ticks;
}

// Two lines: the call, and what is known of its brackets.
static void site_print(const struct profile_site *at)
{
    printf("  ");
    if (at->site < 0) {
        printf("all other calls\n");
    } else {
        print_code_place(site_unpack(at->site) - 1);
        printf("\n");
    }
    printf("%12llu %10llu %10llu %8u %6u\n",
           (unsigned long long)time_of(at->longest),
           (unsigned long long)time_of(at->total / at->count),
           (unsigned long long)at->count, at->waited, at->slow);
}

static void sites_print(unsigned count)
{
    struct profile_site *sites = kmalloc(PROFILE_SITES * sizeof(*sites));
    if (sites == NULL) {
        printf("no memory to add the profile up\n");
        return;
    }
    size_t used = profile_collect(sites, PROFILE_SITES);
    printf("%12s %10s %10s %8s %6s  by the call that opened\n",
           clock_ticks(1000) != 0 ? "longest us" : "ticks", "mean", "brackets",
           "waited", "slow");
    for (size_t i = 0; i < used && i < count; i++) {
        site_print(&sites[i]);
    }
    kfree(sites);
}

static void operations_print(void)
{
    const struct map_operation *operation = map_operations;
    if (operation != NULL) {
        printf("%12s %10s %10s  %s\n", "calls", "brackets", "most",
               "operation");
    }
    for (; operation != NULL; operation = operation->next) {
        uint64_t calls = operation->calls != 0 ? operation->calls : 1;
        printf("%12llu %8llu.%llu %10llu  %s\n",
               (unsigned long long)operation->calls,
               (unsigned long long)(operation->brackets / calls),
               (unsigned long long)(operation->brackets * 10 / calls % 10),
               (unsigned long long)operation->most, operation->name);
    }
}

bool profile_print(unsigned count)
{
    if (trace_is_on) {
        sites_print(count);
    }
    operations_print();
    return trace_is_on;
}
