// SPDX-License-Identifier: MIT
//
// Thousands of areas of vmap() at a time: contents, guards, dead addresses,
// what they cost, and when a range comes back.
#include "keyhole.h"
#include "lib/types.h"
#include "mm/frames.h"
#include "mm/long_maps.h"
#include "mm/trace.h"
#include "tests/engines.h"
#include "tests/framework.h"
#include "tests/scratch.h"
#include "tests/vmap_frames.h"

#define AREAS 3000

struct area {
    void *address;
    uint32_t first; // of its frames
    uint32_t pages;
};
SCRATCH_ARRAY(struct area, areas, AREAS, 0);

static bool area_open(struct area *area, uint32_t first, uint32_t pages,
                      unsigned prot)
{
    area->address = vmap(&vmap_frames[first], pages, prot);
    area->first = first;
    area->pages = pages;
    return area->address != NULL;
}

static bool area_is_right(const struct area *area)
{
    return vmap_frame_at(area->address, 0) == area->first &&
           vmap_frame_at(area->address, area->pages - 1) ==
               area->first + area->pages - 1;
}

// Sizes from 1 to 512 pages, the small ones more often.
static uint32_t size_random(uint64_t *state)
{
    uint32_t most = 1u << vmap_random(state) % 10;
    return 1 + vmap_random(state) % most;
}

// --------------------------------------------------------------- Fragmentation

#define FRAGMENTS 3000
#define FRAGMENT_FRAMES 1024

TEST(vmap_areas, fragmentation)
{
    uint64_t state = test_seed() | 1;
    CHECK(vmap_frames_take(FRAGMENT_FRAMES));
    unsigned live = 0;
    while (live < test_rounds(FRAGMENTS)) {
        uint32_t pages = size_random(&state);
        uint32_t first = vmap_random(&state) % (FRAGMENT_FRAMES - pages);
        if (!area_open(&areas[live], first, pages, MAP_READ)) {
            CHECK(frames_free_bytes() < MIB(4)); // a small machine
            break;
        }
        live++;
    }
    CHECK(live > test_rounds(500));
    for (unsigned i = 0; i < live; i++) {
        CHECK(area_is_right(&areas[i]));
        if (i % 16 == 0) {
            CHECK(vmap_area_is_guarded(areas[i].address, areas[i].pages));
        }
    }
    // In any order; in the middle of it some come anew, where others were.
    while (live > 0) {
        unsigned at = vmap_random(&state) % live;
        CHECK(area_is_right(&areas[at]));
        vunmap(areas[at].address);
        uint64_t page = vmap_random(&state) % areas[at].pages;
        if (live % 4 == 0) {
            CHECK(vmap_nothing_at((char *)areas[at].address + page * PAGE_SIZE +
                                  page % PAGE_SIZE));
        }
        areas[at] = areas[--live];
        if (live % 3 == 0 && live > 0) {
            uint32_t pages = size_random(&state);
            struct area *area = &areas[vmap_random(&state) % live];
            vunmap(area->address);
            CHECK(area_open(area, vmap_random(&state) % 512, pages, MAP_READ));
        }
    }
    vmap_frames_give(FRAGMENT_FRAMES);
}

// ------------------------------------------------------------------------ Cost

struct cost {
    uint64_t pte_writes, pkrs_writes, invlpg, full_flushes;
};

static struct cost pair_cost(uint32_t first, uint32_t pages)
{
    struct map_stats before, after;
    map_stats_read(&before);
    vunmap(vmap(&vmap_frames[first], pages, MAP_READ));
    map_stats_read(&after);
    return (struct cost){
        after.pte_writes - before.pte_writes,
        after.pkrs_writes - before.pkrs_writes,
        after.invlpg - before.invlpg,
        after.full_flushes - before.full_flushes,
    };
}

static unsigned areas_open(unsigned count)
{
    unsigned live = 0;
    while (live < count && area_open(&areas[live], live % 512, 1, MAP_READ)) {
        live++;
    }
    return live;
}

static void areas_close(unsigned live)
{
    while (live-- > 0) {
        vunmap(areas[live].address);
    }
}

// No event more with thousands of live areas than with none: tables are not
// walked, nothing is searched, nothing else is flushed.
TEST(vmap_areas, cost_does_not_depend_on_their_number)
{
    static const uint32_t sizes[] = {1, 4, 16, 200};
    CHECK(vmap_frames_take(1024));
    // Brief: one of them.
    unsigned first = test_rounds(2) == 1 ? test_seed() % ARRAY_SIZE(sizes) : 0;
    unsigned count = test_rounds(ARRAY_SIZE(sizes));
    for (unsigned i = first; i < first + count; i++) {
        pair_cost(512, sizes[i]); // tables and tags are there now
        struct cost alone = pair_cost(512, sizes[i]);
        unsigned live = areas_open(AREAS);
        CHECK(live == AREAS || frames_free_bytes() < MIB(4));
        pair_cost(512, sizes[i]);
        struct cost among = pair_cost(512, sizes[i]);
        areas_close(live);
        CHECK_EQ(alone.pte_writes, 2 * sizes[i]);
        // With a history they go where that is written.
        CHECK_EQ(alone.pkrs_writes,
                 test_engine()->keys ? 4 + 4 * trace_is_on : 0);
        CHECK_EQ(among.pte_writes, alone.pte_writes);
        CHECK_EQ(among.pkrs_writes, alone.pkrs_writes);
        CHECK_EQ(among.invlpg, alone.invlpg);
        CHECK_EQ(among.full_flushes, alone.full_flushes);
    }
    vmap_frames_give(1024);
}

BENCH(vmap, pair_1_among_3000)
{
    if (vmap_frames_take(1024)) {
        unsigned live = areas_open(AREAS);
        BENCH_LOOP (n) {
            vunmap(vmap(&vmap_frames[512], 1, MAP_READ | MAP_WRITE));
        }
        areas_close(live);
        vmap_frames_give(1024);
    }
}

// ----------------------------------------------------------------------- Reuse

// A range comes back at once, and only after it was invalidated: page by page
// up to 32 pages, by one flush above.
TEST(vmap_areas, reuse_after_invalidation)
{
    static const uint32_t sizes[] = {1,  2,   7,   8,   31, 32,
                                     33, 256, 511, 512, 600};
    CHECK(vmap_frames_take(1200));
    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
        uint32_t pages = sizes[i];
        struct area old, new;
        struct map_stats before, after;
        CHECK(area_open(&old, 0, pages, MAP_READ));
        for (uint32_t at = 0; at < pages; at++) {
            CHECK_EQ(vmap_frame_at(old.address, at), at);
        }
        map_stats_read(&before);
        vunmap(old.address);
        map_stats_read(&after);
        CHECK_EQ(after.invlpg - before.invlpg, pages <= 32 ? pages : 0);
        CHECK_EQ(after.full_flushes - before.full_flushes, pages > 32);
        CHECK(area_open(&new, 600, pages, MAP_READ));
        CHECK_EQ(new.address, old.address);
        for (uint32_t at = 0; at < pages; at++) {
            CHECK_EQ(vmap_frame_at(new.address, at), 600 + at);
        }
        vunmap(new.address);
        CHECK(vmap_nothing_at(new.address));
    }
    vmap_frames_give(1200);
}

// Mapping invalidates nothing: what was not present is in no TLB (SDM 3A
// 4.10.2.3), and what was has been invalidated.
TEST(vmap_areas, mapping_flushes_nothing)
{
    CHECK(vmap_frames_take(256));
    struct map_stats before, after;
    vunmap(vmap(vmap_frames, 256, MAP_READ));
    map_stats_read(&before);
    void *area = vmap(vmap_frames, 256, MAP_READ);
    map_stats_read(&after);
    CHECK(area != NULL);
    CHECK_EQ(after.invlpg, before.invlpg);
    CHECK_EQ(after.full_flushes, before.full_flushes);
    vunmap(area);
    vmap_frames_give(256);
}
