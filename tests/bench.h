// SPDX-License-Identifier: MIT
//
// What the kernel's own benchmarks may do beside BENCH_LOOP.
#pragma once

#include "keyhole.h"
#include "lib/types.h"

// Before the first BENCH_LOOP of a benchmark with long iterations: measure
// batches of so many iterations each. `length` is 1 to 512, and 512 where
// nobody calls this.
void bench_batch(unsigned length);

// After a first BENCH_LOOP, and before a second in the same benchmark: what the
// first measured is taken off what the second does.
void bench_less(void);

// In place of BENCH_LOOP, for what happens on several CPUs: all between the
// two, once, shared out among `operations`.
void bench_region_begin(void);
void bench_region_end(uint64_t operations);

// After bench_region_end(): print how often something else happened in all the
// operations, as a fraction of one, beside the events. `name` stays; at most
// BENCH_COUNTS.
void bench_count(const char *name, uint64_t count);

// In place of BENCH_LOOP, for what is counted otherwise: the value, the
// smallest and the largest, to be printed as they are.
void bench_value(const char *unit, uint64_t value, uint64_t min, uint64_t max);
