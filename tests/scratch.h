// SPDX-License-Identifier: MIT
//
// Room that the tests share: whichever runs has all of it, with what the one
// before left there. So the kernel with its tests stays below 2 MiB, and its
// own leaves in the direct map are not more than without them.
#pragma once

#include "lib/types.h"

#define SCRATCH_SIZE KIB(80)

extern char test_scratch[SCRATCH_SIZE];

// An array in it, `offset` bytes from its start.
#define SCRATCH_ARRAY(type, name, count, offset)                               \
    _Static_assert((offset) + (count) * sizeof(type) <= SCRATCH_SIZE,          \
                   "scratch.h");                                               \
    static type *const name = (type *)(test_scratch + (offset))
