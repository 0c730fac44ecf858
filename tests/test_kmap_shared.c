// SPDX-License-Identifier: MIT
//
// kmap(): one address for everybody, counted.
#include "kernel/misuse.h"
#include "keyhole.h"

TEST(kmap_shared, counted)
{
    struct page *page = alloc_page(domain_ram);
    CHECK(page != NULL);
    volatile int *p = kmap(page);
    CHECK(p != NULL);
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
    CHECK_MISUSE(kunmap(page));
    CHECK(kmap(page) != NULL);
    CHECK_MISUSE(free_page(page));
    CHECK_EQ(
        strcmp(misuse_last()->what, "frame freed while kmap() has it open"), 0);
    kunmap(page);
    CHECK_MISUSE(kunmap(page));
    CHECK_EQ(strcmp(misuse_last()->site[1].what, "unmapped before"), 0);
    CHECK_MISUSE(kmap_range(page, 0));
    CHECK_MISUSE(kmap_range(page, (size_t)1 << 40));
    free_page(page);
    CHECK_MISUSE(kmap(page));
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
