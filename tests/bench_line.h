// SPDX-License-Identifier: MIT
//
// How a benchmark's result is printed (docs/reference/serial-protocol.md).
#pragma once

#include "keyhole.h"
#include "lib/types.h"

// What is counted.
struct bench_events {
    struct map_stats stats;
    uint64_t cr0_writes;
};

// What one benchmark counts beside that.
struct bench_count {
    const char *name;
    uint64_t count;
};

#define BENCH_COUNTS 8

struct bench_line {
    const char *name, *unit;
    uint64_t value, min, max;      // for one iteration
    uint64_t quarter[2];           // the lower and the upper quartile
    uint64_t n;                    // iterations measured
    bool has_quarters, has_events; // or not
    struct bench_events events;    // of all n
    unsigned count_of_counts;
    struct bench_count counts[BENCH_COUNTS]; // of all n, too
};

// Add to `sum` what happened from `before` on until `after`; with the two
// exchanged, take it off.
void bench_events_add(struct bench_events *sum,
                      const struct bench_events *before,
                      const struct bench_events *after);

// How often each has happened up to now.
void bench_events_read(struct bench_events *now);

// One line of JSON, whatever was measured.
void bench_line_print(const struct bench_line *line);
