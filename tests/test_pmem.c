// SPDX-License-Identifier: MIT
//
// Persistent memory: found, closed, mapped by large leaves, opened by brackets,
// written back. That it persists is for tools/crash-rounds to see.
#include "arch/pks.h"
#include "arch/pte.h"
#include "keyhole.h"
#include "lib/types.h"
#include "mm/audit.h"
#include "mm/keys.h"
#include "mm/layout.h"
#include "mm/pagetable.h"
#include "mm/pmem.h"
#include "tests/engines.h"
#include "tests/pmem.h"
#include "tests/threads.h"

#define BLOCK KIB(16)

const struct pmem_region *test_pmem(void)
{
    const struct pmem_region *region = pmem_region(0);
    if (region == NULL) {
        return NULL;
    }
    const uint64_t *word = kmap_local_page_ro(region->first);
    bool empty = true;
    for (size_t i = 0; i < PAGE_SIZE / sizeof(*word); i++) {
        empty = empty && word[i] == 0;
    }
    kunmap_local(word);
    return empty ? region : NULL;
}

static struct page *last_frame(const struct pmem_region *region)
{
    return region->first + region->length / PAGE_SIZE - 1;
}

TEST(pmem, region)
{
    NEEDS_PMEM(region);
    CHECK(region->length != 0);
    CHECK_EQ(region->alignment, MIB(2));
    CHECK_EQ(region->base % region->alignment, 0);
    CHECK_EQ(region->length % region->alignment, 0);
    CHECK(region->reported_base <= region->base);
    CHECK(region->base + region->length <=
          region->reported_base + region->reported_length);
    CHECK_EQ(page_to_phys(region->first), region->base);
    CHECK(phys_to_page(region->base + region->length - 1) ==
          last_frame(region));
    CHECK_EQ(strcmp(domain_name(region->domain), "pmem0"), 0);
    for (uint64_t at = 0; at < region->length; at += PAGE_SIZE) {
        CHECK(page_domain(region->first + at / PAGE_SIZE) == region->domain);
    }
    CHECK(pmem_region(pmem_regions()) == NULL);
}

static void check_refused(struct page *page)
{
    volatile char *direct = page_direct_map_address(page);
    CHECK_REFUSED(ACCESS_READ, (void)*direct);
    CHECK_REFUSED(ACCESS_WRITE, *direct = 1);
    if (!engine_refuses()) {
        memzero_page(page, 0, 1);
    }
}

TEST(pmem, closed_until_a_bracket_opens_it)
{
    NEEDS_PMEM(region);
    check_refused(region->first);
    check_refused(last_frame(region));
    char *last = kmap_local_page(last_frame(region));
    last[PAGE_SIZE - 1] = 7;
    kunmap_local(last);
    check_refused(last_frame(region));
    CHECK_REFUSED(ACCESS_READ, (void)*(volatile char *)last);
    const char *read = kmap_local_page_ro(last_frame(region));
    CHECK_EQ(read[PAGE_SIZE - 1], 7);
    CHECK_REFUSED(ACCESS_WRITE, *(volatile char *)read = 1);
    kunmap_local(read);
    memzero_page(last_frame(region), 0, PAGE_SIZE);
}

static int others_are_refused(void *arg)
{
    const struct pmem_region *region = arg;
    struct fault fault;
    char byte = 1;
    return probe_write(page_direct_map_address(last_frame(region)), &byte, 1,
                       &fault)
               ? -1
               : (int)fault.kind;
}

TEST(pmem, open_for_one_thread_alone)
{
    NEEDS_PMEM(region);
    if (!test_engine()->others_stay_out) {
        SKIP("brackets of this engine open for all");
    }
    char *mine = kmap_local_page(last_frame(region));
    struct thread *other =
        thread_create("stray", others_are_refused, (void *)region);
    CHECK(other != NULL);
    int kind = thread_join(other);
    CHECK_EQ(*mine, 0);
    *mine = 2;
    *mine = 0;
    kunmap_local(mine);
    CHECK(kind == FAULT_PKEY || kind == FAULT_NOT_PRESENT);
}

// Blocks of the frame table are of 4 MiB at most: a range goes over their end,
// but not over that of the region.
TEST(pmem, ranges)
{
    NEEDS_PMEM(region);
    NEEDS_ACCOUNT();
    uint64_t border =
        ALIGN_UP(region->base + 1, MIB(4)) - region->base; // in the region
    if (border + BLOCK > region->length) {
        SKIP("needs a region of 8 MiB");
    }
    uint64_t *p = kmap_local_range(region->first, border - BLOCK / 2, BLOCK);
    for (size_t i = 0; i < BLOCK / sizeof(*p); i++) {
        p[i] = i;
    }
    kunmap_local(p);
    const uint64_t *q =
        kmap_local_range_ro(region->first + border / PAGE_SIZE, 8, 8);
    CHECK_EQ(*q, BLOCK / 2 / sizeof(*q) + 1);
    kunmap_local(q);
    p = kmap_local_range(region->first, border - BLOCK / 2, BLOCK);
    memset(p, 0, BLOCK);
    kunmap_local(p);
    CHECK_MISUSE(kmap_local_range(last_frame(region), 0, PAGE_SIZE + 1));
    CHECK_MISUSE(kmap_local_range(region->first, region->length - 8, 16));
}

TEST(pmem, frames_stay)
{
    NEEDS_PMEM(region);
    CHECK(alloc_page(region->domain) == NULL);
    CHECK(alloc_pages(region->domain, 3) == NULL);
    CHECK_MISUSE(free_page(region->first));
    CHECK_MISUSE(free_pages(region->first, region->first->private_order));
    CHECK_EQ(domain_destroy(region->domain), -EBUSY);
    CHECK(page_domain(region->first) == region->domain);
}

// The smallest leaf that maps the region, in bytes; 0: one is missing. Not
// counted are the last 2 MiB, which other tests freeze.
static uint64_t leaf_least(const struct pmem_region *region)
{
    uint64_t least = ~0ull;
    for (uint64_t at = 0; at < region->length - MIB(2);) {
        struct pt_walk walk;
        pt_walk(DIRECT_MAP_BASE + region->base + at, &walk);
        if (!walk.present) {
            return 0;
        }
        least = MIN(least, PT_LEVEL_SIZE(walk.level));
        at += PT_LEVEL_SIZE(walk.level);
    }
    return least;
}

TEST(pmem, large_leaves_lent_and_taken)
{
    NEEDS_PMEM(region);
    if (!test_engine()->keys) {
        SKIP("needs pks");
    }
    uint64_t *first = kmap_local_page(last_frame(region));
    *first = 0x600d;
    kunmap_local(first);
    uint64_t leaf = leaf_least(region);
    CHECK(leaf >= MIB(2));
    // Its key goes to others, who need it at once.
    static struct domain *domain[PKS_KEYS];
    struct page *page[PKS_KEYS];
    char *mapped[PKS_KEYS];
    for (unsigned i = 0; i < PKS_KEYS - KEY_DOMAINS; i++) {
        domain[i] = domain_create("wants a key");
        page[i] = alloc_page(domain[i]);
        CHECK(page[i] != NULL);
    }
    for (unsigned i = 0; i < PKS_KEYS - KEY_DOMAINS; i++) {
        mapped[i] = kmap_local_page(page[i]);
    }
    check_refused(region->first);
    check_refused(last_frame(region));
    CHECK_EQ(leaf_least(region), leaf);
    for (unsigned i = PKS_KEYS - KEY_DOMAINS; i-- > 0;) {
        kunmap_local(mapped[i]);
        free_page(page[i]);
        CHECK_EQ(domain_destroy(domain[i]), 0);
    }
    first = kmap_local_page(last_frame(region));
    CHECK_EQ(*first, 0x600d);
    *first = 0;
    kunmap_local(first);
    check_refused(last_frame(region));
    CHECK_EQ(leaf_least(region), leaf);
}

// Each head and tail that a copy can have, and nothing beside it.
TEST(pmem, copies_to)
{
    NEEDS_PMEM(region);
    static const char text[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    struct page *page = last_frame(region);
    for (size_t offset = 0; offset < 9; offset++) {
        for (size_t length = 1; length < sizeof(text) - 1; length++) {
            pmem_copy_to(page, 8 + offset, text, length);
            pmem_drain();
            char got[64];
            memcpy_from_page(got, page, 0, sizeof(got));
            for (size_t i = 0; i < sizeof(got); i++) {
                size_t at = i - 8 - offset;
                CHECK_EQ(got[i], at < length ? text[at] : 0);
            }
            memzero_page(page, 0, sizeof(got));
        }
    }
    if (engine_keeps_account()) {
        CHECK_MISUSE(pmem_copy_to(page, PAGE_SIZE - 3, text, 4));
    }
}

TEST(pmem, persists_inside_a_bracket)
{
    NEEDS_PMEM(region);
    struct page *page = last_frame(region);
    char *p = kmap_local_page(page);
    p[63] = 1;
    p[64] = 2;
    pmem_persist(p + 63, 2);
    CHECK_EQ(p[63], 1);
    CHECK_EQ(p[64], 2);
    p[63] = p[64] = 0;
    pmem_persist(p, PAGE_SIZE);
    kunmap_local(p);
    const char *name = pmem_flush_name();
    CHECK(strcmp(name, "CLWB") == 0 || strcmp(name, "CLFLUSHOPT") == 0 ||
          strcmp(name, "CLFLUSH") == 0);
}

TEST(pmem, frozen_and_thawed)
{
    NEEDS_PMEM(region);
    struct page *page = last_frame(region) - 3;
    // Behind the region there may be no frame table.
    CHECK_EQ(freeze_range(page, 5, FAULT_MODE_STRICT), -EINVAL);
    CHECK_EQ(freeze_range(page + 3, 2, FAULT_MODE_STRICT), -EINVAL);
    CHECK_EQ(freeze_range(page, 4, FAULT_MODE_STRICT), 0);
    char *p = kmap_local_range(page, 0, BLOCK);
    char byte = 1;
    struct fault fault;
    bool written = probe_write(p + 5000, &byte, 1, &fault);
    CHECK_EQ(p[5000], 0);
    kunmap_local(p);
    CHECK(!written);
    CHECK_EQ(fault.access, ACCESS_WRITE);
    CHECK(fault.page == page + 1);
    CHECK_EQ(thaw_range(page, 4), 1);
    p = kmap_local_range(page, 0, BLOCK);
    p[5000] = 1;
    p[5000] = 0;
    kunmap_local(p);
}

TEST(pmem, long_maps)
{
    NEEDS_PMEM(region);
    struct page *page = last_frame(region) - 1;
    char *p = kmap(page), *q;
    CHECK(p != NULL);
    *p = 5;
    q = vmap_range(page_to_phys(page), 2 * PAGE_SIZE, MAP_READ);
    CHECK(q != NULL);
    CHECK_EQ(*q, 5);
    CHECK_FAULT(FAULT_WRITE_PROTECT, ACCESS_WRITE, *(volatile char *)q = 1);
    *p = 0;
    vunmap(q);
    kunmap(page);
    check_refused(page);
}
