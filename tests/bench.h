// SPDX-License-Identifier: MIT
//
// What the kernel's own benchmarks may do beside BENCH_LOOP.
#pragma once

// After a first BENCH_LOOP, and before a second in the same benchmark: what the
// first measured is taken off what the second does.
void bench_less(void);
