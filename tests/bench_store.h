// SPDX-License-Identifier: MIT
//
// A store to measure, in persistent memory that tests may write to. It is
// filled once in a boot and kept between benchmarks; between them its first
// block is empty on the medium, so that nobody takes it for a store of his.
#pragma once

#include "apps/store/store.h"
#include "tests/bench.h"
#include "tests/pmem.h"

#define BENCH_STORE_VALUE 100    // bytes
#define BENCH_STORE_A_KEY 512ull // bytes of persistent memory that it takes

struct bench_store {
    struct store *store;
    unsigned flags;                   // that it is mounted with
    uint64_t filled;                  // keys of the numbers below are there
    uint8_t block0[STORE_BLOCK_SIZE]; // while it is put away
    struct store_stats stats;         // when what is measured began
    struct map_stats map;
};

// The key with a number: those of different numbers differ, and lie anywhere.
struct store_key bench_store_key(uint64_t number);

// A number below `limit`, from a fixed sequence.
uint64_t bench_store_random(uint64_t limit);

// The store, mounted with these flags and with at least so many keys, each
// block verified; NULL: it could not be made.
struct bench_store *bench_store_open(const struct pmem_region *region,
                                     uint64_t keys, unsigned flags);
void bench_store_close(const struct pmem_region *region);

// bench_region_begin() and its end, with what the store and the map calls
// count.
void bench_store_begin(struct bench_store *bench);
void bench_store_end(struct bench_store *bench, uint64_t operations);

#define BENCH_STORE(bench, keys, flags)                                        \
    NEEDS_PMEM(region);                                                        \
    if (region->length < (keys)*BENCH_STORE_A_KEY) {                           \
        SKIP("needs 512 bytes of persistent memory a key: PMEM=FILE,SIZE");    \
    }                                                                          \
    struct bench_store *bench = bench_store_open(region, keys, flags);         \
    CHECK(bench != NULL)
