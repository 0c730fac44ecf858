// SPDX-License-Identifier: MIT
//
// kmap(): one address for everybody, counted.
#include "arch/asm.h"
#include "kernel/misuse.h"
#include "tests/handlers.h"

TEST(kmap_shared, counted)
{
    struct page *page = alloc_page(domain_ram);
    CHECK(page != NULL);
    volatile int *p = kmap(page);
    CHECK(p != NULL);
    CHECK(rights_are(PKRS_CLOSED));
    *p = 5;
    CHECK_EQ(kmap(page), p);
    kunmap(page);
    CHECK_EQ(*p, 5);
    // It opens the frame, not its domain.
    volatile int *direct = page_direct_map_address(page);
    CHECK_REFUSED(ACCESS_READ, (void)*direct);
    CHECK_FAULT(FAULT_NO_EXECUTE, ACCESS_EXECUTE,
                ((void (*)(void))(uintptr_t)p)());
    kunmap(page);
    CHECK_FAULT(FAULT_NOT_PRESENT, ACCESS_READ, (void)*p);
    CHECK_FAULT(FAULT_NOT_PRESENT, ACCESS_WRITE, *p = 6);
    CHECK(rights_are(PKRS_CLOSED));
    free_page(page);
}

TEST(kmap_shared, exactly_its_frame)
{
    struct page *block = alloc_pages(domain_ram, 2);
    CHECK(block != NULL);
    volatile char *p = kmap(block + 1);
    CHECK(p != NULL);
    CHECK_FAULT(FAULT_NOT_PRESENT, ACCESS_READ, (void)p[-1]);
    CHECK_FAULT(FAULT_NOT_PRESENT, ACCESS_READ, (void)p[PAGE_SIZE]);
    kunmap(block + 1);
    free_pages(block, 2);
}

TEST(kmap_shared, range)
{
    struct page *block = alloc_pages(domain_ram, 3);
    CHECK(block != NULL);
    char *one = kmap(block + 3);
    char *p = kmap_range(block, 8);
    CHECK(one != NULL && p != NULL);
    CHECK_EQ(one, p + 3 * PAGE_SIZE);
    memset(p, 0x44, 8 * PAGE_SIZE);
    kunmap_range(block, 8);
    CHECK_EQ(*one, 0x44); // its own kmap() holds
    CHECK_FAULT(FAULT_NOT_PRESENT, ACCESS_READ,
                (void)*(volatile char *)(p + 2 * PAGE_SIZE));
    kunmap(block + 3);
    CHECK_FAULT(FAULT_NOT_PRESENT, ACCESS_READ, (void)*(volatile char *)one);
    free_pages(block, 3);
}

TEST(kmap_shared, misuse)
{
    struct page *page = alloc_page(domain_ram);
    CHECK(page != NULL);
    CHECK(kmap(page) != NULL);
    CHECK_MISUSE(free_page(page));
    CHECK_EQ(
        strcmp(misuse_last()->what, "frame freed while kmap() has it open"), 0);
    kunmap(page);
    CHECK_MISUSE(kunmap(page));
    CHECK_EQ(strcmp(misuse_last()->site[1].what, "unmapped before"), 0);
    struct page *never = alloc_page(domain_ram);
    CHECK(never != NULL);
    CHECK_MISUSE(kunmap(never));
    CHECK(misuse_last()->site[1].what == NULL);
    free_page(never);
    CHECK_MISUSE(kmap_range(page, 0));
    CHECK_MISUSE(kmap_range(page, (size_t)1 << 40));
    free_page(page);
    CHECK_MISUSE(kmap(page));
}

// What a call costs in invalidations: none to open, and one batch to close, of
// the frames that nobody has open any more.
TEST(kmap_shared, flushes_once)
{
    static const struct {
        unsigned frames, invlpg, full;
    } cases[] = {{1, 1, 0}, {8, 8, 0}, {32, 32, 0}, {33, 0, 1}, {256, 0, 1}};
    struct page *block = alloc_pages(domain_ram, 8);
    CHECK(block != NULL);
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        struct map_stats before, between, after;
        CHECK(kmap_range(block, cases[i].frames) != NULL); // tables are there
        kunmap_range(block, cases[i].frames);
        map_stats_read(&before);
        CHECK(kmap_range(block, cases[i].frames) != NULL);
        CHECK(kmap_range(block, cases[i].frames) != NULL);
        kunmap_range(block, cases[i].frames);
        map_stats_read(&between);
        CHECK_EQ(between.invlpg, before.invlpg);
        CHECK_EQ(between.full_flushes, before.full_flushes);
        CHECK_EQ(between.pte_writes - before.pte_writes, cases[i].frames);
        kunmap_range(block, cases[i].frames);
        map_stats_read(&after);
        CHECK_EQ(after.invlpg - between.invlpg, cases[i].invlpg);
        CHECK_EQ(after.full_flushes - between.full_flushes, cases[i].full);
        CHECK_EQ(after.pte_writes - between.pte_writes, cases[i].frames);
    }
    free_pages(block, 8);
}

// Over the border of two page tables, where a range is two runs.
TEST(kmap_shared, range_over_two_tables)
{
    struct page *block = alloc_pages(domain_ram, 10);
    if (block == NULL) {
        SKIP("no 4 MiB of contiguous memory");
    }
    uint64_t *p = kmap_range(block + 500, 24);
    CHECK(p != NULL);
    for (uint64_t i = 0; i < 24; i++) {
        p[i * 512] = i;
    }
    for (uint64_t i = 0; i < 24; i++) {
        uint64_t seen = 0;
        memcpy_from_page(&seen, block + 500 + i, 0, sizeof(seen));
        CHECK_EQ(seen, i);
    }
    kunmap(block + 511);
    CHECK_FAULT(FAULT_NOT_PRESENT, ACCESS_READ,
                (void)*(volatile char *)(p + 11 * 512));
    CHECK_EQ(p[12 * 512], 12);
    CHECK_MISUSE(kunmap_range(block + 500, 24));
    kunmap_range(block + 500, 11);
    kunmap_range(block + 512, 12);
    CHECK_FAULT(FAULT_NOT_PRESENT, ACCESS_READ, (void)*(volatile char *)p);
    CHECK_FAULT(FAULT_NOT_PRESENT, ACCESS_READ,
                (void)*(volatile char *)(p + 23 * 512));
    free_pages(block, 10);
}

BENCH(kmap_shared, pair)
{
    struct page *page = alloc_page(domain_ram);
    BENCH_LOOP (n) {
        (void)kmap(page);
        kunmap(page);
    }
    free_page(page);
}
