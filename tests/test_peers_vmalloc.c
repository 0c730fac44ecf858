// SPDX-License-Identifier: MIT
//
// What Linux's test_vmalloc does, with vmap() and frames of our own, and with
// the contents looked at: each page of an area says which area it belongs to,
// in the area and in its frame. docs/reference/peers.md has the list.
#include "keyhole.h"
#include "lib/types.h"
#include "tests/framework.h"
#include "tests/scratch.h"

#define FRAMES 128
#define AREAS 4000

static struct page *frames[FRAMES];
SCRATCH_ARRAY(uint64_t *, areas, AREAS, 0);
SCRATCH_ARRAY(uint64_t *, holes, AREAS, AREAS * sizeof(uint64_t *));

static bool frames_take(void)
{
    for (unsigned i = 0; i < FRAMES; i++) {
        frames[i] = alloc_page(domain_ram);
        if (frames[i] == NULL) {
            return false;
        }
        uint64_t tag = i;
        memcpy_to_page(frames[i], 0, &tag, sizeof(tag));
    }
    return true;
}

static void frames_give(void)
{
    for (unsigned i = 0; i < FRAMES; i++) {
        free_page(frames[i]);
    }
}

static uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static bool reaches(const void *address)
{
    return probe_read(address, &(char){0}, 1, NULL);
}

static uint64_t *page_of(uint64_t *area, size_t i)
{
    return area + i * PAGE_SIZE / sizeof(*area);
}

// An area of `count` frames from frames[first] on; NULL: none was to be had.
static uint64_t *area_make(unsigned first, size_t count)
{
    return vmap(frames + first, count, MAP_READ | MAP_WRITE);
}

// The area shows its frames and nothing at either end; it is written, the
// frames have what was written, and get back what they had.
static bool area_is_whole(uint64_t *area, unsigned first, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t seen, tag = first + i;
        if (*page_of(area, i) != tag) {
            return false;
        }
        *page_of(area, i) = ~tag;
        memcpy_from_page(&seen, frames[first + i], 0, sizeof(seen));
        *page_of(area, i) = tag;
        if (seen != ~tag) {
            return false;
        }
    }
    return !reaches((char *)area - 1) && !reaches(page_of(area, count));
}

// Take it back; it is out of reach from its first to its last byte.
static bool area_goes(uint64_t *area, size_t count)
{
    vunmap(area);
    return !reaches(area) && !reaches((char *)page_of(area, count) - 1);
}

// Many areas of one page, each with the same content while it lives.
static bool areas_fill(uint64_t **to, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        to[i] = area_make(i % FRAMES, 1);
        if (to[i] == NULL) {
            return false;
        }
    }
    return true;
}

static bool areas_are_whole(uint64_t **list, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (*list[i] != i % FRAMES) {
            return false;
        }
    }
    return true;
}

static void areas_empty(uint64_t **list, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        vunmap(list[i]);
    }
}

// fix_size_alloc: one size after the other, again and again.
TEST(peers_vmalloc, fixed_sizes)
{
    static const size_t sizes[] = {1, 2, 5, 16, 100};
    CHECK(frames_take());
    for (unsigned s = 0; s < ARRAY_SIZE(sizes); s++) {
        for (unsigned i = 0; i < 20; i++) {
            unsigned first = (7 * i) % (FRAMES - sizes[s]);
            uint64_t *area = area_make(first, sizes[s]);
            CHECK(area != NULL);
            CHECK(area_is_whole(area, first, sizes[s]));
            CHECK(area_goes(area, sizes[s]));
        }
    }
    frames_give();
}

// full_fit_alloc: every second area of a full region goes, and its hole fits
// an area of the same size.
TEST(peers_vmalloc, holes_of_the_same_size)
{
    CHECK(frames_take());
    for (unsigned i = 0; i < AREAS / 2; i++) {
        CHECK(areas_fill(areas + i, 1) && areas_fill(holes + i, 1));
        *areas[i] = *holes[i] = 0; // both are frame 0
    }
    areas_empty(holes, AREAS / 2);
    for (unsigned i = 0; i < AREAS / 2; i++) {
        if (!test_takes(i)) {
            continue;
        }
        uint64_t *area = area_make(1 + i % (FRAMES - 1), 1);
        CHECK(area != NULL);
        CHECK(area_is_whole(area, 1 + i % (FRAMES - 1), 1));
        CHECK_EQ(*areas[i], 0); // the neighbour is what it was
        CHECK(area_goes(area, 1));
    }
    areas_empty(areas, AREAS / 2);
    frames_give();
}

static uint64_t pte_writes(void)
{
    struct map_stats stats;
    map_stats_read(&stats);
    return stats.pte_writes;
}

// A large area and a small one, beside whatever else is mapped.
static bool pair_of_areas(unsigned turn)
{
    unsigned first = turn % (FRAMES - 100);
    uint64_t *large = area_make(first, 100);
    uint64_t *small = area_make(first + 99, 1);
    return large != NULL && small != NULL && *page_of(large, 0) == first &&
           *page_of(large, 99) == first + 99 && *small == first + 99 &&
           !reaches(page_of(large, 100)) && !reaches((char *)small - 1) &&
           area_goes(large, 100) && area_goes(small, 1);
}

// long_busy_list_alloc: what is mapped already makes nothing dearer.
TEST(peers_vmalloc, beside_a_long_list)
{
    uint64_t before[2], cost[2];
    CHECK(frames_take());
    CHECK(pair_of_areas(0)); // the tables are there now
    for (unsigned busy = 0; busy < 2; busy++) {
        CHECK(!busy || areas_fill(areas, AREAS));
        CHECK(pair_of_areas(0));
        before[busy] = pte_writes();
        for (unsigned i = 0; i < 20; i++) {
            CHECK(pair_of_areas(i));
        }
        cost[busy] = pte_writes() - before[busy];
    }
    CHECK(cost[0] >= 20 * 2 * 101);
    CHECK(cost[1] <= cost[0] + cost[0] / 4); // unmaps may be done in batches
    CHECK(areas_are_whole(areas, AREAS));
    areas_empty(areas, AREAS);
    frames_give();
}

BENCH(peers_vmalloc, pair_beside_a_long_list)
{
    if (frames_take() && areas_fill(areas, AREAS)) {
        BENCH_LOOP (n) {
            vunmap(area_make(0, 1));
        }
        areas_empty(areas, AREAS);
        frames_give();
    }
}

// random_size_alloc: 1 to 100 pages, several alive at a time.
TEST(peers_vmalloc, random_sizes)
{
    uint64_t state = test_seed() | 1;
    struct {
        uint64_t *at;
        unsigned first;
        size_t count;
    } live[8] = {0};
    CHECK(frames_take());
    for (unsigned i = 0; i < 100; i++) {
        unsigned k = random_next(&state) % ARRAY_SIZE(live);
        if (live[k].at != NULL) {
            CHECK(area_is_whole(live[k].at, live[k].first, live[k].count));
            CHECK(area_goes(live[k].at, live[k].count));
        }
        live[k].count = 1 + random_next(&state) % 100;
        live[k].first = random_next(&state) % (FRAMES - live[k].count + 1);
        live[k].at = area_make(live[k].first, live[k].count);
        CHECK(live[k].at != NULL);
    }
    for (unsigned k = 0; k < ARRAY_SIZE(live); k++) {
        if (live[k].at != NULL) {
            CHECK(area_is_whole(live[k].at, live[k].first, live[k].count));
            CHECK(area_goes(live[k].at, live[k].count));
        }
    }
    frames_give();
}

// random_size_align_alloc and fix_align_alloc: vmap() takes no alignment, so
// this is what it gives without being asked. Areas begin at a page; a range of
// 2 MiB lies as its frames do, so that large leaves fit.
TEST(peers_vmalloc, alignment)
{
    struct page *block = alloc_pages(domain_ram, 10);
    if (block == NULL) {
        SKIP("no 4 MiB of contiguous memory");
    }
    uint64_t state = test_seed() | 1;
    for (unsigned i = 0; i < 200; i++) {
        size_t pages = 1 + random_next(&state) % 1024;
        size_t first = random_next(&state) % (1024 - pages + 1);
        phys_addr_t base = page_to_phys(block + first);
        char *p = vmap_range(base, pages * PAGE_SIZE, MAP_READ | MAP_WRITE);
        CHECK(p != NULL);
        CHECK_EQ((uintptr_t)p % PAGE_SIZE, 0);
        CHECK(pages < 512 || ((uintptr_t)p - base) % MIB(2) == 0);
        uint64_t tag = i, seen = 0;
        *(uint64_t *)(p + (pages - 1) * PAGE_SIZE) = tag;
        memcpy_from_page(&seen, block + first + pages - 1, 0, sizeof(seen));
        vunmap(p);
        CHECK_EQ(seen, tag);
        CHECK(!reaches(p));
    }
    free_pages(block, 10);
}

// align_shift_alloc: every power of two; those that cannot be are refused and
// change nothing.
TEST(peers_vmalloc, every_order)
{
    for (unsigned order = 0; order < 64; order++) {
        struct page *block = alloc_pages(domain_ram, order);
        if (order > 10) {
            CHECK(block == NULL);
            continue;
        }
        CHECK(block != NULL || order > 8); // with 32 MiB of memory
        if (block != NULL) {
            CHECK_EQ(page_to_phys(block) % (PAGE_SIZE << order), 0);
            char *p = vmap_range(page_to_phys(block), PAGE_SIZE << order,
                                 MAP_READ | MAP_WRITE);
            CHECK(p != NULL);
            CHECK_EQ(p[(PAGE_SIZE << order) - 1], 0);
            vunmap(p);
            free_pages(block, order);
        }
    }
}

// vm_map_ram: the same frames again and again, at addresses that come and go;
// what one mapping wrote, the next one finds.
TEST(peers_vmalloc, the_same_frames_again)
{
    static const size_t sizes[] = {1, 4, 16, FRAMES};
    CHECK(frames_take());
    for (unsigned s = 0; s < ARRAY_SIZE(sizes); s++) {
        for (unsigned i = 0; i < 50; i++) {
            uint64_t *p = area_make(0, sizes[s]);
            CHECK(p != NULL);
            uint64_t *last = page_of(p, sizes[s] - 1) + 1;
            CHECK_EQ(*last, i);
            ++*last;
            CHECK(area_goes(p, sizes[s]));
        }
        memzero_page(frames[sizes[s] - 1], sizeof(uint64_t), sizeof(uint64_t));
    }
    frames_give();
}
