// SPDX-License-Identifier: MIT
//
// What the kernel's own benchmarks may do beside BENCH_LOOP.
#pragma once

#include "lib/types.h"

// After a first BENCH_LOOP, and before a second in the same benchmark: what the
// first measured is taken off what the second does.
void bench_less(void);

// In place of BENCH_LOOP, for what is counted otherwise: the value, the
// smallest and the largest, to be printed as they are.
void bench_value(const char *unit, uint64_t value, uint64_t min, uint64_t max);
