// SPDX-License-Identifier: MIT
//
// What the workloads share: benchmarks named workload.*, each a small program
// over the public calls alone that checks its own results. The same numbers are
// drawn in every run.
#pragma once

#include "keyhole.h"
#include "lib/types.h"

// The next random number, from 0 to below - 1. `state` may begin as any number.
// (A linear congruential generator, Knuth's MMIX; its upper bits are good.)
static inline uint64_t workload_random(uint64_t *state, uint64_t below)
{
    *state = *state * 6364136223846793005ull + 1442695040888963407ull;
    return (*state >> 32) % below;
}

// Fletcher's sum of `count` words, which reads each. `sums` starts as zeroes
// and goes on where it was: a block may come in pieces.
struct workload_sum {
    uint64_t low, high;
};

static inline void workload_sum_add(struct workload_sum *sums,
                                    const uint64_t *words, size_t count)
{
    uint64_t low = sums->low, high = sums->high;
    for (size_t i = 0; i < count; i++) {
        low += words[i];
        high += low;
    }
    *sums = (struct workload_sum){low, high};
}

// Allocate `count` frames one by one, in an order in which neighbours are not
// neighbours in memory. False: out of memory, nothing is kept.
bool workload_frames_alloc(struct domain *domain, struct page **pages,
                           unsigned count);
void workload_frames_free(struct page **pages, unsigned count);

// Write `tag` to the first word of a frame; what is there.
void workload_tag_write(struct page *page, uint64_t tag);
uint64_t workload_tag_read(struct page *page);
