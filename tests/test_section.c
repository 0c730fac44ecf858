// SPDX-License-Identifier: MIT
//
// Sections of memory whose part of the frame table comes when it is needed.
#include "keyhole.h"
#include "lib/types.h"
#include "mm/audit.h"
#include "mm/frames.h"
#include "mm/lock.h"
#include "mm/section.h"
#include "mm/tables.h"

static uint32_t tables_held; // a list, linked like that of an area

// Take all that the pool has, without asking for another section. Returns a
// list, linked like that of an area.
static uint32_t pool_empty_locked(uint32_t list)
{
    while (pool_area()->nonempty != 0) {
        unsigned order = 31 - __builtin_clz(pool_area()->nonempty);
        uint32_t frame = pool_area()->head[order];
        pool_take_locked(order);
        frame_page(frame)->private_next = list;
        frame_page(frame)->private_order = order;
        list = frame;
    }
    return list;
}

static void pool_refill_locked(uint32_t list)
{
    while (list != 0) {
        struct page *page = frame_page(list);
        uint32_t next = page->private_next;
        pool_give_locked(page_to_phys(page), page->private_order);
        list = next;
    }
}

static void tables_empty_locked(void)
{
    for (phys_addr_t table; (table = table_take()) != 0;) {
        frame_page(table / PAGE_SIZE)->private_next = tables_held;
        tables_held = table / PAGE_SIZE;
    }
}

static void tables_refill_locked(void)
{
    while (tables_held != 0) {
        phys_addr_t table = (phys_addr_t)tables_held * PAGE_SIZE;
        tables_held = frame_page(tables_held)->private_next;
        table_give(table);
    }
}

// The first section with memory that is not set up; 0: none.
static phys_addr_t first_untouched(void)
{
    for (phys_addr_t at = SECTION_SIZE; at < TIB(1); at += SECTION_SIZE) {
        if (sections_memory_in(at, SECTION_SIZE) == SECTION_SIZE &&
            !section_is_ready(at)) {
            return at;
        }
    }
    return 0;
}

// The memory in sections that are not set up, each looked at.
static uint64_t untouched_bytes(void)
{
    uint64_t bytes = 0;
    for (phys_addr_t at = 0; at < TIB(1); at += SECTION_SIZE) {
        bytes +=
            section_is_ready(at) ? 0 : sections_memory_in(at, SECTION_SIZE);
    }
    return bytes;
}

// A section that cannot be set up for want of a page table is tried again when
// there is one.
TEST(section, is_not_lost_when_memory_is_short)
{
    static struct audit_report report;
    bool next, retried = false;
    phys_addr_t untouched;
    uint64_t free = frames_free_bytes();
    uint64_t lock = mm_lock();
    uint32_t list = 0;
    do { // to set up one section may bring more tables
        tables_empty_locked();
        list = pool_empty_locked(list);
        untouched = first_untouched();
        next = section_next_locked();
    } while (next);
    tables_refill_locked();
    if (untouched != 0) {
        retried = section_next_locked() && section_is_ready(untouched);
    }
    pool_refill_locked(list);
    mm_unlock(lock);
    CHECK(audit_run(&report));
    CHECK_EQ(sections_untouched_bytes(), untouched_bytes());
    if (untouched == 0) {
        SKIP("all memory is in use, or one page table is enough for all");
    }
    CHECK(retried);
    CHECK(frames_free_bytes() <= free);
    CHECK(free - frames_free_bytes() < frames_total_bytes() / 128);
}
