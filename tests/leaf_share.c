// SPDX-License-Identifier: MIT
//
// Random allocations and frees over 20 domains, and the leaves afterwards.
#include "tests/leaf_share.h"

#include "keyhole.h"
#include "mm/frames.h"
#include "mm/memory.h"
#include "tests/bench.h"

#define BLOCKS_MAX 16384
#define LOOKS 10 // at the leaves, in a whole run

static struct {
    uint64_t random;
    struct domain *domains[LEAF_DOMAINS];
    uint64_t *blocks; // frame number and, in the lowest four bits, order
    unsigned count;
    uint64_t bytes;
} held;

static uint64_t random_next(void)
{
    // xorshift64* (Vigna 2016)
    held.random ^= held.random >> 12;
    held.random ^= held.random << 25;
    held.random ^= held.random >> 27;
    return held.random * 0x2545f4914f6cdd1dull >> 16;
}

static void take(void)
{
    struct domain *domain = held.domains[random_next() % LEAF_DOMAINS];
    unsigned order = __builtin_ctzll(random_next() | BIT(FRAME_ORDERS - 1));
    struct page *page = alloc_pages(domain, order);
    if (page != NULL) {
        held.blocks[held.count++] = page_frame(page) << 4 | order;
        held.bytes += PAGE_SIZE << order;
    }
}

static void give(unsigned i)
{
    uint64_t block = held.blocks[i];
    held.blocks[i] = held.blocks[--held.count];
    held.bytes -= PAGE_SIZE << (block & 15);
    free_pages(frame_page(block >> 4), block & 15);
}

static unsigned large_permille(void)
{
    uint64_t bytes[PT_LEVELS + 1];
    memory_leaf_bytes(bytes);
    uint64_t large = bytes[2] + bytes[3], all = large + bytes[1];
    return all != 0 ? (unsigned)(large * 1000 / all) : 1000; // none is small
}

static void steps_do(unsigned steps, uint64_t limit, struct leaf_share *share)
{
    share->worst = 1000;
    share->most_bytes = 0;
    for (unsigned i = 1; i <= steps; i++) {
        bool room = held.count < BLOCKS_MAX && held.bytes < limit;
        if (held.count == 0 || (room && random_next() % 5 < 3)) {
            take();
        } else {
            give(random_next() % held.count);
        }
        share->most_bytes = MAX(share->most_bytes, held.bytes);
        if (i % (steps / LOOKS) == 0) {
            share->last = large_permille();
            share->worst = MIN(share->worst, share->last);
        }
    }
}

bool leaf_share_measure(uint64_t seed, unsigned steps, uint64_t limit,
                        struct leaf_share *share)
{
    bool right = true;
    held.random = seed | 1;
    held.count = 0;
    held.bytes = 0;
    held.blocks = kmalloc(BLOCKS_MAX * sizeof(*held.blocks));
    for (unsigned i = 0; i < LEAF_DOMAINS; i++) {
        held.domains[i] = domain_create("leaves");
        right = right && held.domains[i] != NULL;
    }
    right = right && held.blocks != NULL;
    if (right) {
        steps_do(steps, limit, share);
    }
    while (held.count > 0) {
        give(held.count - 1);
    }
    for (unsigned i = 0; i < LEAF_DOMAINS; i++) {
        right = domain_destroy(held.domains[i]) == 0 && right;
    }
    kfree(held.blocks);
    return right;
}

// ------------------------------------------------------------------------ Uses

TEST(frames, random_blocks_keep_leaves_large)
{
    struct leaf_share share;
    if (frames_free_bytes() < frames_total_bytes() / 2 ||
        frames_total_bytes() < MIB(256)) {
        SKIP("little memory is free: blocks below 2 MiB are in use");
    }
    unsigned before = large_permille();
    CHECK(leaf_share_measure(test_seed(), 3000, MIB(32), &share));
    CHECK(share.most_bytes > MIB(4));
    CHECK_EQ(share.worst, before);
    CHECK_EQ(large_permille(), before);
}

BENCH(frames, large_leaf_share)
{
    struct leaf_share share;
    uint64_t seed = test_seed();
    if (leaf_share_measure(seed, 100000, frames_total_bytes() / 2, &share)) {
        bench_value("permille", share.last, share.worst, share.last);
    }
}
