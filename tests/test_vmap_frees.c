// SPDX-License-Identifier: MIT
//
// Frames that are, or were, in areas of vmap(), and their way back: an open one
// cannot be freed, whatever else was mapped since, and finding that out does
// not cost more the more areas there are.
#include "kernel/misuse.h"
#include "keyhole.h"
#include "lib/types.h"
#include "mm/layout.h"
#include "mm/long_maps.h"
#include "mm/vmap_slots.h"
#include "tests/engines.h"
#include "tests/scratch.h"
#include "tests/vmap_frames.h"

#define THOUSANDS 3000

SCRATCH_ARRAY(void *, areas, THOUSANDS, 0);
SCRATCH_ARRAY(struct page *, fresh_frames, THOUSANDS,
              THOUSANDS * sizeof(void *));

// Freeing the frame is refused as long as vmap() has it, and both calls are
// named. `site` is where vmap() was called.
static bool free_is_refused(struct page *page)
{
    struct fault fault;
    if (run_protected((void (*)(void *))free_page, page, &fault)) {
        return false;
    }
    const struct misuse *misuse = misuse_last();
    return strcmp(misuse->what, "frame freed while vmap() has it open") == 0 &&
           misuse->page == page &&
           strcmp(misuse->site[0].what, "this free") == 0 &&
           misuse->site[0].ip != 0 &&
           strcmp(misuse->site[1].what, "mapped") == 0 &&
           misuse->site[1].ip != 0;
}

static uint64_t pkrs_writes(void)
{
    struct map_stats stats;
    map_stats_read(&stats);
    return stats.pkrs_writes;
}

// Free frames, and tell how often that wrote IA32_PKRS. Looking into the page
// tables of a range is two writes; a whole block that goes back to the pool
// takes some as well, once in hundreds of frames.
static uint64_t free_cost(struct page *const pages[], unsigned count)
{
    uint64_t before = pkrs_writes();
    for (unsigned i = 0; i < count; i++) {
        free_page(pages[i]);
    }
    return pkrs_writes() - before;
}

// The same for frames that were never mapped.
static uint64_t free_cost_untouched(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        fresh_frames[i] = alloc_page(domain_ram);
    }
    return free_cost(fresh_frames, count);
}

TEST(vmap_frees, refused_among_thousands)
{
    uint64_t state = test_seed() | 1;
    uint64_t untouched = free_cost_untouched(THOUSANDS / 2);
    CHECK(vmap_frames_take(THOUSANDS));
    for (unsigned i = 0; i < THOUSANDS; i++) {
        areas[i] = vmap(&vmap_frames[i], 1, MAP_READ);
        CHECK(areas[i] != NULL);
    }
    for (unsigned i = 0; i < 100; i++) {
        CHECK(free_is_refused(vmap_frames[vmap_random(&state) % THOUSANDS]));
    }
    // Each can be freed once its area is gone, with as many others still there,
    // for no more than a frame that was never mapped.
    for (unsigned i = 0; i < THOUSANDS / 2; i++) {
        vunmap(areas[i]);
    }
    uint64_t cost = free_cost(vmap_frames, THOUSANDS / 2);
    CHECK(cost < untouched + THOUSANDS / 4);
    for (unsigned i = THOUSANDS / 2; i < THOUSANDS; i++) {
        vunmap(areas[i]);
        free_page(vmap_frames[i]);
    }
}

#define HALF 200

// Others are in the slot that a frame was in. If they have its very tag, which
// comes again after 128 others, one search for all such frames finds that it is
// not among them.
static bool others_in_the_slot(bool same_tag)
{
    // Twice: a block may have gone back to the pool meanwhile.
    uint64_t untouched = free_cost_untouched(HALF);
    untouched = MIN(untouched, free_cost_untouched(HALF));
    if (!vmap_frames_take(3 * HALF)) {
        return false;
    }
    void *old = vmap(vmap_frames, HALF, MAP_READ), *new = NULL;
    vunmap(old);
    unsigned first = HALF, rounds = 0;
    for (; rounds < (same_tag ? 128 : 1); rounds++) {
        first = HALF + HALF * (rounds % 2);
        if (new != NULL) {
            vunmap(new);
        }
        new = vmap(&vmap_frames[first], HALF, MAP_READ);
    }
    bool same =
        vmap_frames[0]->private_prev == vmap_frames[first]->private_prev;
    uint64_t cost = free_cost(vmap_frames, HALF) - untouched;
    bool right = new == old &&same == same_tag &&
                 (same_tag && test_engine()->keys ? cost >= 4 : true) &&
                 cost < HALF / 4 &&
                 vmap_frame_at(new, HALF - 1) == first + HALF - 1;
    for (unsigned i = 0; i < HALF; i += 37) {
        right = right && free_is_refused(vmap_frames[first + i]);
    }
    vunmap(new);
    for (unsigned i = HALF; i < 3 * HALF; i++) {
        free_page(vmap_frames[i]);
    }
    return right;
}

TEST(vmap_frees, others_are_in_the_slot)
{
    CHECK(others_in_the_slot(false));
}

TEST(vmap_frees, others_have_the_tag)
{
    CHECK(others_in_the_slot(true));
}

// A frame in several areas at a time, in any order of unmapping.
TEST(vmap_frees, in_several_areas)
{
    CHECK(vmap_frames_take(3));
    static const unsigned orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                         {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (unsigned i = 0; i < ARRAY_SIZE(orders); i++) {
        struct page *page = alloc_page(domain_ram);
        CHECK(page != NULL);
        struct page *list[] = {vmap_frames[0], page, vmap_frames[1], page};
        void *open[3] = {
            vmap(&list[1], 1, MAP_READ),
            vmap(list, 4, MAP_READ),
            vmap_range(page_to_phys(page), PAGE_SIZE, MAP_READ),
        };
        CHECK(open[0] != NULL && open[1] != NULL && open[2] != NULL);
        for (unsigned k = 0; k < 3; k++) {
            CHECK(free_is_refused(page));
            vunmap(open[orders[i][k]]);
        }
        free_page(page);
    }
    vmap_frames_give(3);
}

// A frame's tag of an old area must not hide that it is in a new one, nor the
// other way round; kmap() beside vmap() changes neither.
TEST(vmap_frees, beside_kmap)
{
    CHECK(vmap_frames_take(2));
    struct page *page = vmap_frames[0];
    void *area = vmap(vmap_frames, 2, MAP_READ);
    CHECK(area != NULL && kmap(page) != NULL);
    CHECK_MISUSE(free_page(page));
    CHECK_EQ(
        strcmp(misuse_last()->what, "frame freed while kmap() has it open"), 0);
    kunmap(page);
    CHECK(free_is_refused(page));
    CHECK(kmap(page) != NULL);
    vunmap(area);
    CHECK_MISUSE(free_page(page));
    kunmap(page);
    // What kmap() remembers survives a vmap().
    CHECK_MISUSE(kunmap(page));
    CHECK_EQ(strcmp(misuse_last()->site[1].what, "unmapped before"), 0);
    vmap_frames_give(2);
    // A frame that comes back has nothing of its past.
    page = alloc_page(domain_ram);
    CHECK(page != NULL);
    CHECK_MISUSE(kunmap(page));
    CHECK(misuse_last()->site[1].what == NULL);
    free_page(page);
}

enum { SLOTS = 61, TAGS = 9 * SLOTS };
SCRATCH_ARRAY(uint32_t, tags, TAGS + 127, 0);

// No tag has all the bits of another, so that an AND of tags is one of them
// only if all are the same.
TEST(vmap_frees, tags_do_not_cover_each_other)
{
    unsigned count = 0;
    for (uint64_t class = CLASS_FIRST; class <= CLASS_SMALL; class ++) {
        for (uint64_t i = 0; i < SLOTS; i++) {
            uint64_t number = (class << CLASS_NUMBERS_SHIFT) + i * i * 18;
            tags[count++] = tag_of_slot(slot_of(number));
        }
    }
    for (unsigned i = 0; i < 127; i++) { // the generations of one of them
        tags[count] = tag_next(tags[count - 1]);
        count++;
    }
    for (unsigned i = 0; i < count; i++) {
        for (unsigned k = 0; k < count; k++) {
            if ((tags[i] & tags[k]) == tags[k]) {
                CHECK_EQ(i, k);
            }
        }
    }
    CHECK_EQ(tag_next(tags[count - 1]), tags[count - 128]);
    // One that is out of numbers has none.
    CHECK_EQ(tag_of_slot(slot_of((1ull << CLASS_NUMBERS_SHIFT) + BIT(16))),
             TAG_NONE);
    CHECK_EQ(tag_of_slot(
                 slot_of((uint64_t)(CLASS_SMALL + 1) << CLASS_NUMBERS_SHIFT)),
             TAG_NONE);
}

// As after a vmap() of each: what a free has to find out.
BENCH(vmap, free_after_vmap_among_3000)
{
    if (!vmap_frames_take(THOUSANDS)) {
        return;
    }
    for (unsigned i = 1; i < THOUSANDS; i++) {
        areas[i] = vmap(&vmap_frames[i], 1, MAP_READ);
    }
    BENCH_LOOP (n) {
        struct page *page = alloc_page(domain_ram);
        vunmap(vmap(&page, 1, MAP_READ));
        free_page(page);
    }
    for (unsigned i = 1; i < THOUSANDS; i++) {
        vunmap(areas[i]);
    }
    vmap_frames_give(THOUSANDS);
}

// What reports say of an address that is mapped for everybody, or was.
TEST(vmap_frees, known_to_reports)
{
    struct long_map map;
    struct page *block = alloc_pages(domain_ram, 1);
    struct page *const list[] = {block + 1, block, block + 1};
    CHECK(block != NULL);
    uintptr_t direct = (uintptr_t)page_direct_map_address(block);
    CHECK(!long_map_at(direct, &map) && !long_map_of(block, &map));
    uintptr_t shared = (uintptr_t)kmap(block);
    CHECK(long_map_at(shared + 5, &map) && map.open && map.page == block);
    uintptr_t made = map.site;
    kunmap(block);
    CHECK(long_map_at(shared, &map) && !map.open && map.page == block);
    CHECK(map.site > made && long_map_of(block, &map) && map.site > made);
    CHECK(!long_map_of(block + 1, &map));
    uintptr_t at = (uintptr_t)vmap(list, 3, MAP_READ);
    CHECK(at != 0);
    for (unsigned i = 0; i < 4; i++) {
        CHECK(long_map_at(at + i * PAGE_SIZE, &map) && map.open);
        CHECK_EQ(map.outside, i == 3);
    }
    vunmap((void *)at);
    CHECK(long_map_at(at, &map) && !map.open && map.page == NULL);
    free_pages(block, 1);
    CHECK(!long_map_at(shared, &map));
    CHECK(!long_map_at(KMAP_BASE + KMAP_SIZE - 1, &map));
    CHECK(!long_map_at(VMAP_BASE, &map));
    CHECK(!long_map_at(VMAP_BASE + VMAP_SIZE - 1, &map));
}
