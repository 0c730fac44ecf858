// SPDX-License-Identifier: MIT
//
// Local brackets on contiguous frames. The yardstick is a Btrfs metadata
// block: 16 KiB, read and written across page borders.
#include "kernel/misuse.h"
#include "keyhole.h"
#include "tests/engines.h"

#define BLOCK_ORDER 2
#define BLOCK_SIZE (PAGE_SIZE << BLOCK_ORDER)

TEST(range, metadata_block)
{
    struct page *block = alloc_pages(domain_ram, BLOCK_ORDER);
    CHECK(block != NULL);
    unsigned char *p = kmap_local_range(block, 0, BLOCK_SIZE);
    for (size_t i = 0; i < BLOCK_SIZE; i++) {
        CHECK_EQ(p[i], 0);
        p[i] = (unsigned char)(i * 7);
    }
    kunmap_local(p);
    CHECK_REFUSED(ACCESS_READ, (void)*(volatile char *)p);
    CHECK_REFUSED(ACCESS_WRITE, *(volatile char *)(p + BLOCK_SIZE - 1) = 1);

    // Eight bytes across a border, read-only.
    const unsigned char *q = kmap_local_range_ro(block, PAGE_SIZE - 4, 8);
    CHECK_EQ((uintptr_t)q % PAGE_SIZE, PAGE_SIZE - 4);
    CHECK(q == p + PAGE_SIZE - 4 || !test_engine()->brackets_are_direct);
    for (size_t i = 0; i < 8; i++) {
        CHECK_EQ(q[i], (unsigned char)((PAGE_SIZE - 4 + i) * 7));
    }
    CHECK_REFUSED(ACCESS_WRITE, *(volatile char *)q = 1);
    CHECK_REFUSED(ACCESS_WRITE, *(volatile char *)(q + 7) = 1);
    if (test_engine()->grain == GRAIN_FRAME) {
        // Nor more than these two frames.
        CHECK_FAULT(FAULT_NOT_PRESENT, ACCESS_READ,
                    (void)*(volatile char *)(q + 4 + PAGE_SIZE));
    }
    kunmap_local(q);
    free_pages(block, BLOCK_ORDER);
}

TEST(range, one_write_however_long)
{
    NEEDS_ACCOUNT();
    struct page *block = alloc_pages(domain_ram, 10);
    CHECK(block != NULL);
    struct map_stats before, after;
    map_stats_read(&before);
    kunmap_local(kmap_local_range(block, 5, (PAGE_SIZE << 10) - 5));
    map_stats_read(&after);
    const struct pair_cost *pair = &test_engine()->pair,
                           *more = &test_engine()->frame_more;
    unsigned others = BIT(10) - 1;
    CHECK_EQ(after.pkrs_writes - before.pkrs_writes, pair->pkrs_writes);
    CHECK_EQ(after.brackets - before.brackets, 1);
    CHECK_EQ(after.pte_writes - before.pte_writes,
             pair->pte_writes + others * more->pte_writes);
    CHECK(after.invlpg - before.invlpg <= pair->invlpg + others * more->invlpg);
    free_pages(block, 10);
}

TEST(range, offset_passes_a_frame)
{
    struct page *block = alloc_pages(domain_ram, BLOCK_ORDER);
    CHECK(block != NULL);
    char *direct = page_direct_map_address(block);
    char *p = kmap_local_range(block, 2 * PAGE_SIZE + 17, 3);
    CHECK_EQ((uintptr_t)p % PAGE_SIZE, 17);
    CHECK_EQ(p == direct + 2 * PAGE_SIZE + 17,
             test_engine()->brackets_are_direct);
    *p = 1;
    kunmap_local(p);
    char seen;
    memcpy_from_page(&seen, block + 2, 17, 1);
    CHECK_EQ(seen, 1);
    free_pages(block, BLOCK_ORDER);
}

// Two blocks side by side in one domain are one range.
TEST(range, crosses_blocks)
{
    NEEDS_ACCOUNT();
    struct page *pair = alloc_pages(domain_ram, 1);
    CHECK(pair != NULL);
    free_pages(pair, 1);
    struct page *a = alloc_page(domain_ram), *b = alloc_page(domain_ram);
    CHECK(a != NULL && b != NULL);
    struct page *first = a < b ? a : b, *second = a < b ? b : a;
    if (second != first + 1) {
        free_page(a);
        free_page(b);
        SKIP("the allocator gave no neighbours");
    }
    volatile uint64_t *p = kmap_local_range(first, PAGE_SIZE - 4, 8);
    *p = 0x1122334455667788;
    CHECK_EQ(*p, 0x1122334455667788);
    kunmap_local((const void *)p);
    free_page(second);
    CHECK_MISUSE(kmap_local_range(first, PAGE_SIZE - 4, 8));
    free_page(first);
}

TEST(range, misuse)
{
    NEEDS_ACCOUNT();
    struct page *block = alloc_pages(domain_ram, BLOCK_ORDER);
    CHECK(block != NULL);
    CHECK_MISUSE(kmap_local_range(block, 0, 0));
    CHECK_EQ(strcmp(misuse_last()->what, "map of a range of length 0"), 0);
    CHECK_MISUSE(kmap_local_range(block, 0, 1ul << 43));
    CHECK_MISUSE(kmap_local_range_ro(block, (size_t)-4096, 8192));
    CHECK_MISUSE(kmap_local_range(block, 4, (size_t)-1));
    free_pages(block, BLOCK_ORDER);
    CHECK_MISUSE(kmap_local_range(block, 0, 1));
}

// What the struct page of a free frame still says must not make a range look
// whole. A domain of its own makes the allocator's choices known: frame 3 of
// the first block is free, but says that it is in a block of 16.
TEST(range, stale_order)
{
    NEEDS_ACCOUNT();
    struct domain *domain = domain_create("stale");
    struct page *block = alloc_pages(domain, 4);
    CHECK(block != NULL);
    free_pages(block, 4);
    struct page *two = alloc_pages(domain, 1);
    struct page *eight = alloc_pages(domain, 3);
    struct page *four = alloc_pages(domain, 2);
    CHECK_EQ(two, block);
    CHECK_EQ(eight, block + 8);
    CHECK_EQ(four, block + 4);
    free_pages(eight, 3);
    eight = alloc_pages(domain, 2);
    CHECK_EQ(eight, block + 8);

    // Frames 8 to 13, of which 12 and 13 are free.
    CHECK_MISUSE(kmap_local_range(block + 3, 5 * PAGE_SIZE, 6 * PAGE_SIZE));
    kunmap_local(kmap_local_range(block + 3, 5 * PAGE_SIZE, 4 * PAGE_SIZE));
    free_pages(two, 1);
    free_pages(four, 2);
    free_pages(eight, 2);
    CHECK_EQ(domain_destroy(domain), 0);
}

TEST(range, freed_while_open)
{
    NEEDS_ACCOUNT();
    struct page *block = alloc_pages(domain_ram, BLOCK_ORDER);
    struct page *next = alloc_page(domain_ram);
    CHECK(block != NULL && next != NULL);
    const void *p = kmap_local_range_ro(block, 3 * PAGE_SIZE, 1);
    CHECK_MISUSE(free_pages(block, BLOCK_ORDER));
    free_page(next); // not in the bracket
    kunmap_local(p);
    free_pages(block, BLOCK_ORDER);
}

BENCH(range, metadata_block_pair)
{
    struct page *block = alloc_pages(domain_ram, BLOCK_ORDER);
    BENCH_LOOP (n) {
        kunmap_local(kmap_local_range(block, 0, BLOCK_SIZE));
    }
    free_pages(block, BLOCK_ORDER);
}

// The same where the compiler does not know the size: a call.
BENCH(range, metadata_block_pair_of_any_size)
{
    struct page *block = alloc_pages(domain_ram, BLOCK_ORDER);
    size_t size = BLOCK_SIZE;
    __asm__("" : "+r"(size));
    BENCH_LOOP (n) {
        kunmap_local(kmap_local_range(block, 0, size));
    }
    free_pages(block, BLOCK_ORDER);
}
