// SPDX-License-Identifier: MIT
//
// Tables of call sites, and adding them up.
#include "mm/profile.h"

#include "arch/percpu.h"
#include "lib/log.h"
#include "mm/context.h"
#include "mm/heap.h"

#define REST (-1)
#define LOOKS 8 // at how many places a site may be

_Static_assert((PROFILE_SITES & (PROFILE_SITES - 1)) == 0, "a mask");

uint32_t profile_limit;

__init void profile_init(void)
{
    for (unsigned cpu = 0; cpu < cpus_count; cpu++) {
        // One more for the rest.
        cpu_data_of(cpu)->profile =
            kzalloc((PROFILE_SITES + 1) * sizeof(struct profile_site));
        if (cpu_data_of(cpu)->profile == NULL) {
            log_line(LOG_WARN, "no memory for the profile of CPU %u", cpu);
        }
    }
}

// The site's place in a table, or that of the rest. An NMI may take the place
// that was found free.
static struct profile_site *place_of(struct profile_site *table, int32_t site)
{
    uint32_t hash = (uint32_t)site * 0x9e3779b1u >> 16;
    for (unsigned i = 0; i < LOOKS; i++) {
        struct profile_site *at = &table[(hash + i) % PROFILE_SITES];
        int32_t nobody = 0;
        if (at->site == site ||
            (at->site == 0 &&
             (__atomic_compare_exchange_n(&at->site, &nobody, site, false,
                                          __ATOMIC_RELAXED, __ATOMIC_RELAXED) ||
              nobody == site))) {
            return at;
        }
    }
    table[PROFILE_SITES].site = REST;
    return &table[PROFILE_SITES];
}

static void add(struct profile_site *to, uint64_t count, uint64_t total,
                uint64_t longest, int32_t end)
{
    to->count += count;
    to->total += total;
    if (longest >= to->longest) {
        to->longest = longest;
        to->longest_end = end;
    }
}

void profile_note(const struct bracket *bracket, uint32_t now, int32_t site)
{
    struct profile_site *table = percpu.profile;
    if (table == NULL) {
        return;
    }
    uint32_t time = now - bracket->map_time;
    struct profile_site *at = place_of(table, bracket->map_site);
    add(at, 1, time, time, site);
    if (percpu.trap_level == 0) {
        // It was given up after the bracket began.
        uint32_t ago = now - mm_context_here()->gave_up;
        at->waited += mm_context_here()->gave_up != 0 && ago <= time;
    }
    at->slow += profile_limit != 0 && time > profile_limit;
}

// ------------------------------------------------------------------- Adding up

static void merge(struct profile_site sites[], size_t *used, size_t count,
                  const struct profile_site *one)
{
    size_t i = 0;
    while (i < *used && sites[i].site != one->site) {
        i++;
    }
    if (i == count) {
        return;
    }
    if (i == *used) {
        sites[i] = (struct profile_site){.site = one->site};
        ++*used;
    }
    add(&sites[i], one->count, one->total, one->longest, one->longest_end);
    sites[i].waited += one->waited;
    sites[i].slow += one->slow;
}

static void sort(struct profile_site sites[], size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct profile_site one = sites[i];
        size_t j = i;
        for (; j > 0 && sites[j - 1].longest < one.longest; j--) {
            sites[j] = sites[j - 1];
        }
        sites[j] = one;
    }
}

size_t profile_collect(struct profile_site sites[], size_t count)
{
    size_t used = 0;
    for (unsigned cpu = 0; cpu < cpus_count; cpu++) {
        const struct profile_site *table = cpu_data_of(cpu)->profile;
        for (unsigned i = 0; table != NULL && i <= PROFILE_SITES; i++) {
            if (table[i].count != 0) {
                merge(sites, &used, count, &table[i]);
            }
        }
    }
    sort(sites, used);
    return used;
}

void profile_clear(void)
{
    for (unsigned cpu = 0; cpu < cpus_count; cpu++) {
        struct profile_site *table = cpu_data_of(cpu)->profile;
        for (unsigned i = 0; table != NULL && i <= PROFILE_SITES; i++) {
            table[i] = (struct profile_site){0};
        }
    }
}
