// SPDX-License-Identifier: MIT
//
// Local brackets on contiguous frames. The yardstick is a Btrfs metadata
// block: 16 KiB, read and written across page borders.
#include "kernel/misuse.h"
#include "keyhole.h"

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
    CHECK_EQ((uintptr_t)q, (uintptr_t)p + PAGE_SIZE - 4);
    for (size_t i = 0; i < 8; i++) {
        CHECK_EQ(q[i], (unsigned char)((PAGE_SIZE - 4 + i) * 7));
    }
    CHECK_REFUSED(ACCESS_WRITE, *(volatile char *)q = 1);
    kunmap_local(q);
    free_pages(block, BLOCK_ORDER);
}

TEST(range, one_write_however_long)
{
    struct page *block = alloc_pages(domain_ram, 10);
    CHECK(block != NULL);
    struct map_stats before, after;
    map_stats_read(&before);
    kunmap_local(kmap_local_range(block, 5, (PAGE_SIZE << 10) - 5));
    map_stats_read(&after);
    CHECK_EQ(after.pkrs_writes - before.pkrs_writes, 2);
    CHECK_EQ(after.brackets - before.brackets, 1);
    CHECK_EQ(after.pte_writes, before.pte_writes);
    CHECK_EQ(after.invlpg, before.invlpg);
    free_pages(block, 10);
}

TEST(range, offset_passes_a_frame)
{
    struct page *block = alloc_pages(domain_ram, BLOCK_ORDER);
    CHECK(block != NULL);
    char *direct = page_direct_map_address(block);
    char *p = kmap_local_range(block, 2 * PAGE_SIZE + 17, 3);
    CHECK_EQ(p, direct + 2 * PAGE_SIZE + 17);
    *p = 1;
    kunmap_local(p);
    free_pages(block, BLOCK_ORDER);
}

// Two blocks side by side in one domain are one range.
TEST(range, crosses_blocks)
{
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

// What a free frame's struct page says must not make a range look whole.
TEST(range, stale_order)
{
    struct page *block = alloc_pages(domain_ram, BLOCK_ORDER);
    CHECK(block != NULL);
    free_pages(block, BLOCK_ORDER);
    struct page *page[4];
    for (unsigned i = 0; i < 4; i++) {
        page[i] = alloc_page(domain_ram);
        CHECK(page[i] != NULL);
    }
    for (unsigned i = 0; i < 4; i++) {
        if (page[i] == block + 1) {
            // Frame 1 is allocated alone; 0 and 2 are given back.
            for (unsigned k = 0; k < 4; k++) {
                if (k != i) {
                    free_page(page[k]);
                }
            }
            CHECK_MISUSE(kmap_local_range(block, PAGE_SIZE, 2 * PAGE_SIZE));
            CHECK_MISUSE(kmap_local_range(block, PAGE_SIZE - 1, 2));
            kunmap_local(kmap_local_range(block, PAGE_SIZE, PAGE_SIZE));
            free_page(page[i]);
            return;
        }
    }
    for (unsigned i = 0; i < 4; i++) {
        free_page(page[i]);
    }
    SKIP("the allocator gave other frames");
}

TEST(range, freed_while_open)
{
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
