// SPDX-License-Identifier: MIT
//
// How a benchmark's result is printed (docs/reference/serial-protocol.md).
#pragma once

#include "keyhole.h"
#include "lib/types.h"

struct bench_line {
    const char *name, *unit;
    uint64_t value, min, max;      // for one iteration
    uint64_t quarter[2];           // the lower and the upper quartile
    uint64_t n;                    // iterations measured
    bool has_quarters, has_events; // or not
    struct map_stats events;       // of all n
};

// Add to `sum` what happened from `before` on until `after`; with the two
// exchanged, take it off.
void bench_events_add(struct map_stats *sum, const struct map_stats *before,
                      const struct map_stats *after);

// One line of JSON, whatever was measured.
void bench_line_print(const struct bench_line *line);
