// SPDX-License-Identifier: MIT
//
// Room that the tests share: whichever runs has all of it, with what the one
// before left there. It has an address of its own and gets memory when tests or
// benchmarks run, so that the kernel with its tests stays below 2 MiB, and its
// own leaves in the direct map are not more than without them.
#pragma once

#include "lib/types.h"
#include "mm/layout.h"

#define SCRATCH_SIZE TEST_SCRATCH_SIZE

extern char test_scratch[SCRATCH_SIZE]; // at TEST_SCRATCH_BASE, by linker.ld

// Get the memory; a panic if there is none. Thread context.
void scratch_prepare(void);

// An array in it, `offset` bytes from its start.
#define SCRATCH_ARRAY(type, name, count, offset)                               \
    _Static_assert((offset) + (count) * sizeof(type) <= SCRATCH_SIZE,          \
                   "scratch.h");                                               \
    static type *const name = (type *)(test_scratch + (offset))
