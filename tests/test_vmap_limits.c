// SPDX-License-Identifier: MIT
//
// vmap(), vmap_range() and kmap() where they end: no memory, no addresses, a
// bad list. Nothing has changed then.
#include "arch/cpuid.h"
#include "arch/regs.h"
#include "kernel/misuse.h"
#include "keyhole.h"
#include "lib/types.h"
#include "mm/frames.h"
#include "mm/lock.h"
#include "mm/long_maps.h"
#include "mm/section.h"
#include "mm/tables.h"
#include "mm/vmap_slots.h"
#include "tests/scratch.h"
#include "tests/vmap_frames.h"

#define AREAS 4096
SCRATCH_ARRAY(void *, areas, AREAS, 0);

// ---------------------------------------------------------------------- Memory

// All memory that nobody has, in blocks linked through their first frames.
static uint32_t drained;

static void block_give_locked(phys_addr_t block, unsigned order)
{
    struct page *page = frame_page(block / PAGE_SIZE);
    for (uint64_t i = 0; i < BIT(order); i++) {
        page[i].private_state = 0; // nobody's, from the kernel's own
    }
    pool_give_locked(block, order);
}

#define LEFT 16 // frames that are left, for slots: too few for page tables

static void memory_drain(void)
{
    phys_addr_t left[LEFT];
    uint64_t lock = mm_lock();
    for (unsigned i = 0; i < LEFT; i++) {
        left[i] = kernel_frames_take_locked(0);
    }
    for (int order = FRAME_ORDERS - 1; order >= 0; order--) {
        phys_addr_t block;
        while ((block = kernel_frames_take_locked(order)) != 0) {
            struct page *page = frame_page(block / PAGE_SIZE);
            page->private_next = drained;
            page->private_order = order;
            drained = page_frame(page);
        }
    }
    for (unsigned i = 0; i < LEFT; i++) {
        block_give_locked(left[i], 0);
    }
    mm_unlock(lock);
}

static void memory_refill(void)
{
    uint64_t lock = mm_lock();
    while (drained != 0) {
        struct page *page = frame_page(drained);
        drained = page->private_next;
        block_give_locked(page_to_phys(page), page->private_order);
    }
    mm_unlock(lock);
}

#define LARGE 300 // an area that needs a page table of its own

// Map until it fails; how many it were.
static unsigned areas_fill(void)
{
    unsigned live = 0;
    while (live < AREAS &&
           (areas[live] = vmap(vmap_frames, LARGE, MAP_READ)) != NULL) {
        live++;
    }
    return live;
}

TEST(vmap_limits, no_memory)
{
    CHECK(vmap_frames_take(2 * LARGE));
    struct page *block = alloc_pages(domain_ram, 10);
    memory_drain();
    unsigned live = areas_fill();
    size_t open = long_maps_open(), tables = tables_used();
    uint64_t counts = vmap_frames[0]->private_next;
    uint32_t slots = vmap_classes[class_for(LARGE, 1)].fresh;
    struct map_stats before, after;
    map_stats_read(&before);
    void *failed[] = {
        vmap(vmap_frames, LARGE, MAP_READ),
        vmap(&vmap_frames[LARGE], LARGE, MAP_READ),
        block != NULL ? vmap_range(page_to_phys(block), MIB(1), MAP_READ)
                      : NULL,
    };
    map_stats_read(&after);
    bool alive = live > 0 && vmap_frame_at(areas[live - 1], LARGE - 1) == 299;
    bool same = long_maps_open() == open && tables_used() == tables &&
                vmap_classes[class_for(LARGE, 1)].fresh == slots &&
                vmap_frames[0]->private_next == counts &&
                !long_maps_touched(vmap_frames[LARGE]);
    memory_refill();
    for (unsigned i = 0; i < live; i++) {
        vunmap(areas[i]);
    }
    CHECK(live < AREAS);
    for (unsigned i = 0; i < ARRAY_SIZE(failed); i++) {
        CHECK(failed[i] == NULL);
    }
    CHECK(alive && same);
    CHECK_EQ(after.pte_writes, before.pte_writes);
    CHECK_EQ(after.invlpg + after.full_flushes,
             before.invlpg + before.full_flushes);
    // With memory it works again, and what failed has left no trace.
    void *area = vmap(vmap_frames, LARGE, MAP_READ);
    CHECK(area != NULL);
    vunmap(area);
    vmap_frames_give(2 * LARGE);
    if (block != NULL) {
        free_pages(block, 10);
    }
}

TEST(vmap_limits, kmap_without_memory)
{
    struct page *block = alloc_pages(domain_ram, 10);
    if (block == NULL) {
        SKIP("no 4 MiB of contiguous memory");
    }
    CHECK(vmap_frames_take(LARGE));
    CHECK(kmap(block) != NULL); // the first of two tables is there
    kunmap(block);
    memory_drain();
    unsigned live = areas_fill(); // no page table is left
    size_t open = long_maps_open();
    void *range = kmap_range(block, 1024);
    bool same = long_maps_open() == open;
    for (unsigned i = 0; i < 1024; i++) {
        same = same && !long_kmap_is_open(block + i);
    }
    memory_refill();
    for (unsigned i = 0; i < live; i++) {
        vunmap(areas[i]);
    }
    if (range != NULL) {
        kunmap_range(block, 1024);
        SKIP("its tables were there already");
    }
    CHECK(same);
    CHECK(kmap_range(block, 1024) != NULL);
    kunmap_range(block, 1024);
    free_pages(block, 10);
    vmap_frames_give(LARGE);
}

// ------------------------------------------------------------------- Addresses

#define FAR_DEVICE GIB(512) // where no machine of ours has anything
#define HUGE GIB(200)       // the region has room for two of this size

TEST(vmap_limits, no_addresses)
{
    if (cpu_physical_bits() < 40 || !cpu_has(CPU_FEATURE_PAGE_1GB) ||
        sections_memory_in(FAR_DEVICE, HUGE) != 0) {
        SKIP("needs 40 bits of physical address and leaves of 1 GiB");
    }
    struct map_stats before, after;
    unsigned prot = MAP_READ | MAP_WRITE | MAP_UNCACHED;
    void *first = vmap_range(FAR_DEVICE, HUGE, prot);
    map_stats_read(&before);
    void *second = vmap_range(FAR_DEVICE, HUGE, prot);
    map_stats_read(&after);
    CHECK(first != NULL && second != NULL);
    // One entry for each GiB, and a table or two.
    CHECK(after.pte_writes - before.pte_writes <= 200 + 2);
    CHECK(vmap_range(FAR_DEVICE, HUGE, prot) == NULL);
    CHECK(vmap_nothing_at((char *)first - 1));
    CHECK(vmap_nothing_at((char *)first + HUGE));
    vunmap(first);
    CHECK(vmap_nothing_at(first));
    void *third = vmap_range(FAR_DEVICE, HUGE, prot);
    CHECK_EQ(third, first);
    vunmap(third);
    vunmap(second);
    CHECK(vmap_range(FAR_DEVICE, BIT(40), prot) == NULL); // too large
    CHECK(vmap_range(BIT(40) - PAGE_SIZE, 2 * PAGE_SIZE, prot) == NULL ||
          cpu_physical_bits() > 40);
}

BENCH(vmap, device_200_gib)
{
    if (cpu_physical_bits() >= 40) {
        BENCH_LOOP (n) {
            vunmap(vmap_range(FAR_DEVICE, HUGE, MAP_READ | MAP_UNCACHED));
        }
    }
}

// Where RAM ends below the first MiB, and with it what vmap_range() may take:
// RAM and what is none are not mixed, even where the RAM is somebody's.
TEST(vmap_limits, ram_and_none)
{
    phys_addr_t last = 0xff000;
    while (last > 0 && sections_memory_in(last, PAGE_SIZE) == 0) {
        last -= PAGE_SIZE;
    }
    struct page *page = last != 0 ? phys_to_page(last) : NULL;
    if (page == NULL) {
        SKIP("no RAM below 1 MiB");
    }
    uint8_t state = page->private_state;
    uint32_t next = page->private_next, prev = page->private_prev;
    page->private_state = FRAME_ALLOCATED;
    page->private_prev = 0;
    void *mixed = vmap_range(last, 2 * PAGE_SIZE, MAP_READ);
    void *alone = vmap_range(last, PAGE_SIZE, MAP_READ);
    if (alone != NULL) {
        vunmap(alone);
    }
    page->private_state = state;
    page->private_next = next;
    page->private_prev = prev;
    CHECK(mixed == NULL);
    CHECK(alone != NULL);
}

// ------------------------------------------------------------------- Bad lists

static void vmap_frames_of(void *list)
{
    (void)vmap(list, 5, MAP_READ);
}

// A frame in the middle that is not allocated, or no frame at all.
TEST(vmap_limits, bad_frame_in_the_middle)
{
    CHECK(vmap_frames_take(5));
    struct page *good = vmap_frames[2];
    struct map_stats before, after;
    struct fault fault;
    free_page(good);
    map_stats_read(&before);
    uint64_t site = vmap_frames[2]->private_next;
    CHECK_MISUSE(vmap_frames_of(vmap_frames));
    CHECK_EQ(
        strcmp(misuse_last()->what, "vmap of a frame that is not allocated"),
        0);
    CHECK_EQ(misuse_last()->page, good);
    CHECK(misuse_last()->site[0].ip != 0);
    CHECK_EQ(vmap_frames[2]->private_next, site);
    vmap_frames[2] = NULL;
    CHECK(!run_protected(vmap_frames_of, vmap_frames, &fault));
    CHECK_EQ(fault.kind, FAULT_NOT_PRESENT);
    map_stats_read(&after);
    CHECK(!mm_lock_held());
    CHECK_EQ(after.invlpg, before.invlpg);
    for (unsigned i = 0; i < 5; i++) {
        if (i != 2) {
            CHECK(!long_maps_touched(vmap_frames[i]));
            free_page(vmap_frames[i]); // nobody has it
        }
    }
}

// A frame that is in as many ranges as it can count, behind others that are
// not: those have not counted this one.
TEST(vmap_limits, full_count_in_the_middle)
{
    CHECK(vmap_frames_take(3));
    void *area = vmap(vmap_frames, 3, MAP_READ); // so the next is counted
    CHECK(area != NULL);
    vmap_frames[1]->private_next += LONG_VMAP_MASK;
    CHECK(vmap(vmap_frames, 3, MAP_READ) == NULL);
    vmap_frames[1]->private_next -= LONG_VMAP_MASK;
    vunmap(area);
    vmap_frames_give(3);
}

// What refuses a write to a MAP_READ range, exactly; reading goes on.
TEST(vmap_limits, read_only_refuses_exactly)
{
    CHECK(vmap_frames_take(40));
    char *area = vmap(vmap_frames, 40, MAP_READ);
    char *range = vmap_range(page_to_phys(vmap_frames[3]), 1, MAP_READ);
    CHECK(area != NULL && range != NULL);
    char *const places[] = {area, area + 39 * PAGE_SIZE + 4095, range + 17};
    for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
        struct fault fault;
        char byte = 7, seen;
        CHECK(!probe_write(places[i], &byte, 1, &fault));
        CHECK_EQ(fault.kind, FAULT_WRITE_PROTECT);
        CHECK_EQ(fault.access, ACCESS_WRITE);
        CHECK_EQ(fault.error_code, PF_PRESENT | PF_WRITE);
        CHECK_EQ(fault.address, places[i]);
        CHECK_EQ(fault.pkey, 0);
        CHECK(probe_read(places[i], &seen, 1, NULL));
        CHECK(seen != 7);
    }
    vunmap(area);
    vunmap(range);
    vmap_frames_give(40);
}
