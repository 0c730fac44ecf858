// SPDX-License-Identifier: MIT
//
// vmap(), vunmap() and vmap_range(): exactly their frames, for everybody, until
// the end and not a moment longer.
#include "arch/pte.h"
#include "kernel/misuse.h"
#include "keyhole.h"
#include "lib/types.h"
#include "mm/long_maps.h"
#include "mm/pagetable.h"
#include "mm/trace.h"
#include "tests/engines.h"
#include "tests/framework.h"
#include "tests/scratch.h"

#define FRAMES 256

// Room for tests one at a time: they run one after the other.
static struct page *pages[FRAMES];
#define AREAS 4096
SCRATCH_ARRAY(void *, areas, AREAS, 0);

static bool pages_take(struct domain *domain, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        pages[i] = alloc_page(domain);
        if (pages[i] == NULL) {
            while (i-- > 0) {
                free_page(pages[i]);
            }
            return false;
        }
    }
    return true;
}

static void pages_give(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free_page(pages[i]);
    }
}

static uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

TEST(vmap, maps_exactly_its_frames)
{
    CHECK(pages_take(domain_ram, 4));
    struct page *twice[] = {pages[2], pages[0], pages[3], pages[0]};
    volatile char *p = vmap(twice, 4, MAP_READ | MAP_WRITE);
    CHECK(p != NULL);
    for (unsigned i = 0; i < 4; i++) {
        p[i * PAGE_SIZE + 9] = (char)(40 + i);
    }
    CHECK_EQ(p[PAGE_SIZE + 9], 43); // the same frame, written last
    char seen;
    memcpy_from_page(&seen, pages[2], 9, 1);
    CHECK_EQ(seen, 40);
    // A guard page at each end.
    CHECK_FAULT(FAULT_NOT_PRESENT, ACCESS_READ, (void)p[-1]);
    CHECK_FAULT(FAULT_NOT_PRESENT, ACCESS_WRITE, p[4 * PAGE_SIZE] = 1);
    // It opens nothing else.
    volatile char *direct = page_direct_map_address(pages[0]);
    CHECK_REFUSED(ACCESS_READ, (void)*direct);
    CHECK_FAULT(FAULT_NO_EXECUTE, ACCESS_EXECUTE,
                ((void (*)(void))(uintptr_t)p)());
    vunmap((void *)p);
    CHECK_FAULT(FAULT_NOT_PRESENT, ACCESS_READ, (void)p[0]);
    CHECK_FAULT(FAULT_NOT_PRESENT, ACCESS_WRITE, p[3 * PAGE_SIZE] = 1);
    pages_give(4);
}

TEST(vmap, read_only_whatever_is_open)
{
    CHECK(pages_take(domain_ram, 2));
    volatile char *p = vmap(pages, 2, MAP_READ);
    CHECK(p != NULL);
    volatile char *q = kmap_local_page(pages[1]);
    q[5] = 77;
    CHECK_EQ(p[PAGE_SIZE + 5], 77);
    CHECK_FAULT(FAULT_WRITE_PROTECT, ACCESS_WRITE, p[PAGE_SIZE] = 1);
    kunmap_local((const void *)q);
    vunmap((void *)p);
    pages_give(2);
}

TEST(vmap, frames_of_several_domains)
{
    struct domain *other = domain_create("other");
    CHECK(other != NULL);
    struct page *pair[] = {alloc_page(domain_ram), alloc_page(other)};
    CHECK(pair[0] != NULL && pair[1] != NULL);
    char *p = vmap(pair, 2, MAP_READ | MAP_WRITE);
    CHECK(p != NULL);
    memset(p, 0x33, 2 * PAGE_SIZE);
    unsigned char last;
    memcpy_from_page(&last, pair[1], PAGE_SIZE - 1, 1);
    CHECK_EQ(last, 0x33);
    vunmap(p);
    free_page(pair[0]);
    free_page(pair[1]);
    CHECK_EQ(domain_destroy(other), 0);
}

#define COUNT 1500
SCRATCH_ARRAY(struct page *, many, COUNT, AREAS * sizeof(void *));

TEST(vmap, sizes_up_to_many_tables)
{
    for (unsigned i = 0; i < COUNT; i++) {
        many[i] = alloc_page(domain_ram);
        CHECK(many[i] != NULL);
        memset_page(many[i], 0, (int)(i % 251), 1);
    }
    static const unsigned sizes[] = {1, 2, 3, 31, 32, 33, 255, 511, 512, 1500};
    for (unsigned s = 0; s < ARRAY_SIZE(sizes); s++) {
        const unsigned char *p = vmap(many, sizes[s], MAP_READ);
        CHECK(p != NULL);
        for (unsigned i = 0; i < sizes[s]; i++) {
            CHECK_EQ(p[i * PAGE_SIZE], i % 251);
        }
        vunmap(p);
        CHECK_FAULT(FAULT_NOT_PRESENT, ACCESS_READ,
                    (void)*(volatile char *)(p + (sizes[s] - 1) * PAGE_SIZE));
    }
    for (unsigned i = 0; i < COUNT; i++) {
        free_page(many[i]);
    }
}

// Thousands of live ranges of all sizes, replaced at random; each is checked
// before it goes, and its address is dead afterwards.
TEST(vmap, churn)
{
    uint64_t state = test_seed() | 1;
    CHECK(pages_take(domain_ram, FRAMES));
    for (unsigned i = 0; i < FRAMES; i++) {
        memset_page(pages[i], 0, (int)i, 1);
    }
    memset(areas, 0, AREAS * sizeof(*areas));
    for (unsigned step = 0; step < test_rounds(3 * AREAS); step++) {
        unsigned at = random_next(&state) % AREAS;
        if (areas[at] != NULL) {
            CHECK_EQ(*(unsigned char *)areas[at], at % FRAMES);
            vunmap(areas[at]);
            CHECK(!probe_read(areas[at], &(char){0}, 1, NULL));
        }
        size_t room = FRAMES - at % FRAMES;
        size_t count = 1 + random_next(&state) % MIN(room, 20);
        areas[at] = vmap(&pages[at % FRAMES], count, MAP_READ);
        CHECK(areas[at] != NULL);
    }
    for (unsigned i = 0; i < AREAS; i++) {
        if (areas[i] != NULL) {
            CHECK_EQ(*(unsigned char *)areas[i], i % FRAMES);
            vunmap(areas[i]);
            areas[i] = NULL;
        }
    }
    pages_give(FRAMES);
}

TEST(vmap, one_flush_for_a_large_range)
{
    CHECK(pages_take(domain_ram, FRAMES));
    struct map_stats before, after;
    vunmap(vmap(pages, FRAMES, MAP_READ)); // tables are there now
    map_stats_read(&before);
    vunmap(vmap(pages, FRAMES, MAP_READ));
    map_stats_read(&after);
    CHECK_EQ(after.full_flushes - before.full_flushes, 1);
    CHECK_EQ(after.invlpg - before.invlpg, 0);
    CHECK_EQ(after.pte_writes - before.pte_writes, 2 * FRAMES);
    // With a history they go where that is written.
    CHECK_EQ(after.pkrs_writes - before.pkrs_writes,
             test_engine()->keys ? 4 + 4 * trace_is_on : 0);
    pages_give(FRAMES);
}

TEST(vmap, range_of_frames_with_large_leaves)
{
    struct page *block = alloc_pages(domain_ram, 10);
    if (block == NULL) {
        SKIP("no 4 MiB of contiguous memory");
    }
    struct pt_walk walk;
    phys_addr_t base = page_to_phys(block);
    volatile char *p = vmap_range(base, 4 << 20, MAP_READ | MAP_WRITE);
    CHECK(p != NULL);
    pt_walk((uintptr_t)p, &walk);
    CHECK_EQ(walk.level, 2);
    p[(4 << 20) - 1] = 5;
    char seen;
    memcpy_from_page(&seen, block + 1023, PAGE_SIZE - 1, 1);
    CHECK_EQ(seen, 5);
    CHECK_FAULT(FAULT_NOT_PRESENT, ACCESS_READ, (void)p[-1]);
    CHECK_FAULT(FAULT_NOT_PRESENT, ACCESS_READ, (void)p[4 << 20]);
    CHECK_MISUSE(free_pages(block, 10));
    vunmap((void *)p);
    CHECK_FAULT(FAULT_NOT_PRESENT, ACCESS_READ, (void)p[0]);

    // A part that is not aligned takes small leaves, and only what it names.
    p = vmap_range(base + 3 * PAGE_SIZE, 2 * PAGE_SIZE + 1, MAP_READ);
    CHECK(p != NULL);
    (void)p[3 * PAGE_SIZE - 1];
    CHECK_FAULT(FAULT_NOT_PRESENT, ACCESS_READ, (void)p[3 * PAGE_SIZE]);
    CHECK_FAULT(FAULT_WRITE_PROTECT, ACCESS_WRITE, p[0] = 1);
    vunmap((void *)p);
    free_pages(block, 10);
}

#define LOCAL_APIC 0xfee00000ull // SDM 3A 11.4.1
#define LOCAL_APIC_VERSION 0x30

TEST(vmap, device_uncached)
{
    struct pt_walk walk;
    volatile uint32_t *p =
        vmap_range(LOCAL_APIC, PAGE_SIZE, MAP_READ | MAP_UNCACHED);
    CHECK(p != NULL);
    pt_walk((uintptr_t)p, &walk);
    CHECK_EQ(walk.entry[1] & (PTE_PCD | PTE_PWT | PTE_RW | PTE_XD),
             PTE_PCD | PTE_PWT | PTE_XD);
    uint32_t version = p[LOCAL_APIC_VERSION / 4] & 0xff;
    CHECK(version >= 0x10 && version <= 0x1f);
    vunmap((const void *)p);
}

TEST(vmap, ranges_that_are_refused)
{
    CHECK(pages_take(domain_ram, 2));
    // Free memory, page tables and the kernel image are not to be had.
    CHECK(vmap_range(0x100000, PAGE_SIZE, MAP_READ) == NULL);
    CHECK(vmap_range(pt_root(), PAGE_SIZE, MAP_READ) == NULL);
    CHECK(vmap_range(~0xfffull, PAGE_SIZE, MAP_READ) == NULL);
    CHECK(vmap_range(page_to_phys(pages[0]), (size_t)1 << 60, MAP_READ) ==
          NULL);
    CHECK_MISUSE(vmap_range(page_to_phys(pages[0]), 0, MAP_READ));
    CHECK_MISUSE(vmap_range(page_to_phys(pages[0]) + 1, 1, MAP_READ));
    CHECK_MISUSE(vmap_range(page_to_phys(pages[0]), 1, 0x80));
    CHECK_MISUSE(vmap(pages, 0, MAP_READ));
    CHECK_MISUSE(vmap(pages, 1, 0));
    CHECK_MISUSE(vmap(pages, 1, MAP_WRITE));
    CHECK_MISUSE(vmap(pages, 1, MAP_READ | 0x80));
    CHECK(vmap(pages, (size_t)1 << 40, MAP_READ) == NULL);
    free_page(pages[1]);
    CHECK_MISUSE(vmap(pages, 2, MAP_READ));
    free_page(pages[0]); // the refused call left nothing mapped
}

TEST(vmap, unmap_misuse)
{
    CHECK(pages_take(domain_ram, 1));
    char *p = vmap(pages, 1, MAP_READ);
    CHECK(p != NULL);
    CHECK_MISUSE(vunmap(p + PAGE_SIZE));
    CHECK_MISUSE(vunmap(p + 1));
    CHECK_MISUSE(vunmap(NULL));
    CHECK_MISUSE(vunmap(page_direct_map_address(pages[0])));
    CHECK_MISUSE(free_page(pages[0]));
    CHECK_EQ(strcmp(misuse_last()->site[1].what, "mapped"), 0);
    CHECK(misuse_last()->site[1].ip != 0);
    vunmap(p);
    CHECK_MISUSE(vunmap(p));
    CHECK_EQ(strcmp(misuse_last()->site[1].what, "unmapped before"), 0);
    free_page(pages[0]);
}

#define VMAP_BENCH(count)                                                      \
    BENCH(vmap, pair_##count)                                                  \
    {                                                                          \
        if (pages_take(domain_ram, count)) {                                   \
            BENCH_LOOP (n) {                                                   \
                vunmap(vmap(pages, count, MAP_READ | MAP_WRITE));              \
            }                                                                  \
            pages_give(count);                                                 \
        }                                                                      \
    }

VMAP_BENCH(1)
VMAP_BENCH(4)
VMAP_BENCH(16)
VMAP_BENCH(256)

// The first vmap() of frames since they were in another slot: their tags have
// to be written.
BENCH(vmap, pair_256_with_new_tags)
{
    if (pages_take(domain_ram, FRAMES)) {
        BENCH_LOOP (n) {
            vunmap(vmap(pages, FRAMES, MAP_READ | MAP_WRITE));
            pages[0]->private_prev = LONG_NO_TAG;
        }
        pages_give(FRAMES);
    }
}
