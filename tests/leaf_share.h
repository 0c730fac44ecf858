// SPDX-License-Identifier: MIT
//
// What random allocations over many domains do to the leaves of the direct map.
#pragma once

#include "lib/types.h"

#define LEAF_DOMAINS 20

struct leaf_share {
    unsigned last, worst; // bytes in leaves of 2 MiB and more, for 1000 mapped
    uint64_t most_bytes;  // held at a time
};

// Do `steps` random allocations, of order 0 to 10, each half as often as the
// one below it, and random frees, with at most `limit` bytes held at a time;
// look at the leaves now and then, and at the end, before all is freed. False:
// no memory for it, or something was lost. Thread context.
bool leaf_share_measure(uint64_t seed, unsigned steps, uint64_t limit,
                        struct leaf_share *share);
