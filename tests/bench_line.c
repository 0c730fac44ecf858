// SPDX-License-Identifier: MIT
//
// Prints a benchmark's result. Counts of events are fractions of an iteration,
// in thousandths: the kernel has no floating point.
#include "tests/bench_line.h"

#include "kernel/config.h"
#include "mm/stats.h"

static const struct {
    const char *name;
    size_t at;
} events[] = {
    {"pkrs_writes", offsetof(struct bench_events, stats.pkrs_writes)},
    {"pte_writes", offsetof(struct bench_events, stats.pte_writes)},
    {"invlpg", offsetof(struct bench_events, stats.invlpg)},
    {"full_flushes", offsetof(struct bench_events, stats.full_flushes)},
    {"shootdown_ipis", offsetof(struct bench_events, stats.shootdown_ipis)},
    {"cr0_writes", offsetof(struct bench_events, cr0_writes)},
};

static uint64_t *event(const struct bench_events *stats, unsigned i)
{
    return (uint64_t *)((uintptr_t)stats + events[i].at);
}

void bench_events_read(struct bench_events *now)
{
    map_stats_read(&now->stats);
    now->cr0_writes = cr0_writes_read();
}

void bench_events_add(struct bench_events *sum,
                      const struct bench_events *before,
                      const struct bench_events *after)
{
    for (unsigned i = 0; i < ARRAY_SIZE(events); i++) {
        *event(sum, i) += *event(after, i) - *event(before, i);
    }
}

// Rounded to the nearest; less than nothing, which a difference of two loops
// can be, is nothing.
static void event_print(const char *name, uint64_t count, uint64_t n)
{
    uint64_t clipped = (int64_t)count < 0 ? 0 : count;
    unsigned long long thousandths = (clipped * 1000 + n / 2) / n;
    printf(",\"%s\":%llu.%03llu", name, thousandths / 1000, thousandths % 1000);
}

void bench_line_print(const struct bench_line *line)
{
    printf("bench {\"name\":\"%s\",\"unit\":\"%s\",\"value\":%llu,"
           "\"min\":%llu,\"max\":%llu,\"n\":%llu,\"engine\":\"%s\","
           "\"cpus\":%u",
           line->name, line->unit, (unsigned long long)line->value,
           (unsigned long long)line->min, (unsigned long long)line->max,
           (unsigned long long)line->n, protect_engine_name(protect_engine()),
           cpus_online());
    if (line->has_quarters) {
        printf(",\"q1\":%llu,\"q3\":%llu", (unsigned long long)line->quarter[0],
               (unsigned long long)line->quarter[1]);
    }
    for (unsigned i = 0; line->has_events && i < ARRAY_SIZE(events); i++) {
        event_print(events[i].name, *event(&line->events, i), line->n);
    }
    for (unsigned i = 0; i < line->count_of_counts; i++) {
        event_print(line->counts[i].name, line->counts[i].count, line->n);
    }
    printf("}\n");
}
