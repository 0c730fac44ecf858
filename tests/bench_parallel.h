// SPDX-License-Identifier: MIT
//
// Benchmarks on every CPU at once.
#pragma once

#include "tests/bench.h"

// Call fn(args[cpu]) in a thread of each CPU, all from the same moment on, and
// make what they do together the value: each does `operations` and returns 0.
// False: there is no memory, or one of them returned something else. With
// -icount the time-stamp counter counts the instructions of all CPUs, so the
// value is what one of them executes for an operation.
bool bench_on_every_cpu(int (*fn)(void *arg), void *const args[],
                        unsigned operations);
