// SPDX-License-Identifier: MIT
#include "block.h"

TEST(block, crc32c_of_known_text)
{
    CHECK_EQ(~crc32c(~0u, "123456789", 9), 0xe3069283);
}

static void across_a_border(bool contiguous)
{
    struct block block;
    const uint64_t generation = 0x1122334455667788;
    uint64_t low, high;
    CHECK_EQ(block_alloc(&block, domain_ram, contiguous), 0);

    block_update(&block, PAGE_SIZE - 3, &generation, sizeof(generation));
    CHECK(block_is_good(&block));
    // Three of its bytes are in one frame, five in the next.
    memcpy_from_page(&low, block.pages[0], PAGE_SIZE - 8, 8);
    memcpy_from_page(&high, block.pages[1], 0, 8);
    CHECK_EQ(low >> 40, generation & 0xffffff);
    CHECK_EQ(high, generation >> 24);

    // One damaged byte at the very end.
    memset_page(block.pages[3], PAGE_SIZE - 1, 1, 1);
    CHECK(!block_is_good(&block));
    block_free(&block);
}

TEST(block, contiguous)
{
    across_a_border(true);
}

TEST(block, scattered)
{
    across_a_border(false);
}

// Frames of one domain, one of them twice: in any order.
TEST(block, in_any_order)
{
    struct block block;
    CHECK_EQ(block_alloc(&block, domain_ram, true), 0);
    struct block backwards = {.contiguous = false};
    for (size_t i = 0; i < BLOCK_PAGES; i++) {
        backwards.pages[i] = block.pages[BLOCK_PAGES - 1 - i];
    }
    block_update(&backwards, 100, "metadata", 8);
    CHECK(block_is_good(&backwards));
    CHECK(!block_is_good(&block));
    block_free(&block);
}

// Nothing outside the calls can touch the block.
TEST(block, is_closed_between_calls)
{
    struct block block;
    CHECK_EQ(block_alloc(&block, domain_ram, true), 0);
    volatile char *stray = page_direct_map_address(block.pages[2]);
    CHECK_REFUSED(ACCESS_WRITE, *stray = 1);
    CHECK_REFUSED(ACCESS_READ, (void)*stray);
    block_free(&block);
}

// What the Linux code does that is reported here.
TEST(block, mistakes_when_porting)
{
    struct block block;
    CHECK_EQ(block_alloc(&block, domain_ram, true), 0);

    char *a = kmap_local_page(block.pages[0]);
    char *b = kmap_local_page(block.pages[1]);
    CHECK_MISUSE(kunmap_local(a));     // not in reverse order
    CHECK_MISUSE(kunmap_local(b + 8)); // not what the map call returned
    kunmap_local(b);
    kunmap_local(a);
    CHECK_REFUSED(ACCESS_WRITE, *(volatile char *)a = 1); // kept too long
    block_free(&block);
}

// One bracket for the block, and one for each of its frames.
static void bench_block(bool contiguous)
{
    struct block block;
    CHECK_EQ(block_alloc(&block, domain_ram, contiguous), 0);
    BENCH_LOOP (n) {
        kunmap_local(contiguous
                         ? kmap_local_range(block.pages[0], 0, BLOCK_SIZE)
                         : kmap_local_pages(block.pages, BLOCK_PAGES));
    }
    block_free(&block);
}

BENCH(block, contiguous)
{
    bench_block(true);
}

BENCH(block, scattered)
{
    bench_block(false);
}

BENCH(block, page_by_page)
{
    struct block block;
    CHECK_EQ(block_alloc(&block, domain_ram, false), 0);
    BENCH_LOOP (n) {
        for (size_t i = 0; i < BLOCK_PAGES; i++) {
            kunmap_local(kmap_local_page(block.pages[i]));
        }
    }
    block_free(&block);
}
