// SPDX-License-Identifier: MIT
//
// Which physical memory there is, and the frame table for it.
#include "mm/section.h"

#include "arch/pte.h"
#include "lib/panic.h"
#include "mm/frames.h"
#include "mm/frames_internal.h"
#include "mm/keys.h"
#include "mm/layout.h"
#include "mm/lock.h"
#include "mm/pagetable.h"

// Frame-table pages come whole for each block of the largest order, so that
// the buddy of any block has a struct page.
#define SPAN_SIZE (PAGE_SIZE << (FRAME_ORDERS - 1))

static struct memory_map memory, available;
uint64_t sections_ready[SECTIONS / 64];
static uint64_t next_section;
static uint64_t untouched; // bytes available in sections not set up

static bool section_get(uint64_t section)
{
    return sections_ready[section / 64] >> (section % 64) & 1;
}

// The part of `range` that lies in the section; false: none.
static bool section_clip(const struct memory_range *range, uint64_t section,
                         uint64_t *base, uint64_t *end)
{
    *base = MAX(range->base, section * SECTION_SIZE);
    *end = MIN(range->end, (section + 1) * SECTION_SIZE);
    return memory_has_frames(range->type) && *base < *end;
}

// Physical memory for the frame table of a section: from its own largest free
// range; else from the pool, and *order is then its order. 0: none.
static phys_addr_t table_home(uint64_t section, uint64_t size, unsigned *order)
{
    uint64_t base, end;
    struct memory_range home = {0};
    *order = FRAME_ORDERS;
    for (unsigned i = 0; i < available.count; i++) {
        if (section_clip(&available.ranges[i], section, &base, &end) &&
            end - base > home.end - home.base) {
            home.base = base;
            home.end = end;
        }
    }
    if (home.end - home.base >= size) {
        return home.base;
    }
    *order = 0;
    while ((PAGE_SIZE << *order) < size) {
        (*order)++;
    }
    return *order < FRAME_ORDERS ? pool_take_locked(*order) : 0;
}

// The bytes of frame table that a section needs: [*first, *last) in it.
static void table_span(uint64_t section, uintptr_t *first, uintptr_t *last)
{
    uint64_t low = ~0ull, high = 0, base, end;
    for (unsigned i = 0; i < memory.count; i++) {
        if (section_clip(&memory.ranges[i], section, &base, &end)) {
            low = MIN(low, base);
            high = MAX(high, end);
        }
    }
    if (high == 0) {
        *first = *last = 0;
        return;
    }
    low = ALIGN_DOWN(low, SPAN_SIZE);
    high = ALIGN_UP(high, SPAN_SIZE);
    *first = (uintptr_t)frame_page(low / PAGE_SIZE);
    *last = (uintptr_t)frame_page(high / PAGE_SIZE);
}

// Hand the free memory of a section to the pool. What is left of the 2 MiB
// that hold the frame table becomes the kernel's own.
static void section_release(uint64_t section, phys_addr_t table,
                            uint64_t table_size)
{
    uint64_t base, end;
    for (unsigned i = 0; i < available.count; i++) {
        if (!section_clip(&available.ranges[i], section, &base, &end)) {
            continue;
        }
        untouched -= end - base;
        if (table >= base && table < end) {
            ASSERT(table == base);
            base += table_size;
            uint64_t rest = MIN(ALIGN_UP(base, MIB(2)), end);
            kernel_area_add_locked(base, rest);
            base = rest;
        }
        pool_add_locked(base, end);
    }
}

// 1: set up. 0: the section has no memory. -ENOMEM.
static int section_setup_locked(uint64_t section)
{
    uintptr_t first, last;
    unsigned order;
    sections_ready[section / 64] |= BIT(section % 64);
    table_span(section, &first, &last);
    if (first == last) {
        return 0;
    }
    uint64_t size = ALIGN_UP(last - first, PAGE_SIZE);
    phys_addr_t table = table_home(section, size, &order);
    if (table == 0 ||
        pt_map_locked(first, table, size,
                      PTE_P | PTE_RW | PTE_A | PTE_D | PTE_XD, 1) != 0) {
        if (table != 0 && order < FRAME_ORDERS) {
            pool_give_locked(table, order);
        }
        sections_ready[section / 64] &= ~BIT(section % 64);
        return -ENOMEM;
    }
    memset((void *)first, 0, size);
    section_release(section, table, size);
    frames_mark_kernel(table, size);
    return 1;
}

__init void sections_init(const struct memory_map *all,
                          const struct memory_map *unused)
{
    memory = *all;
    available = *unused;
    untouched = memory_map_total(&available, MEMORY_USABLE);
}

bool section_next_locked(void)
{
    ASSERT(mm_lock_held());
    bool found = false;
    uint64_t failed = SECTIONS; // the first that had to wait for memory
    uint64_t section = next_section;
    for (; section < SECTIONS && !found; section++) {
        uint64_t base = section * SECTION_SIZE;
        // Skip what no range reaches without asking for each section.
        const struct memory_range *range = available.ranges;
        const struct memory_range *stop = range + available.count;
        while (range < stop && range->end <= base) {
            range++;
        }
        if (range == stop) {
            section = SECTIONS;
            break;
        }
        if (range->base >= base + SECTION_SIZE) {
            section = range->base / SECTION_SIZE - 1;
            continue;
        }
        if (!section_get(section)) {
            int done = section_setup_locked(section);
            found = done == 1;
            failed = done < 0 ? MIN(failed, section) : failed;
        }
    }
    next_section = MIN(section, failed);
    return found;
}

bool section_is_ready(phys_addr_t address)
{
    const struct memory_range *range = memory_map_find(&memory, address);
    return range != NULL && memory_has_frames(range->type) &&
           section_get(address / SECTION_SIZE);
}

bool section_ensure_locked(phys_addr_t address)
{
    const struct memory_range *range = memory_map_find(&memory, address);
    if (range == NULL || !memory_has_frames(range->type)) {
        return false;
    }
    uint64_t section = address / SECTION_SIZE;
    return section_get(section) || section_setup_locked(section) >= 0;
}

struct page *phys_to_page(phys_addr_t address)
{
    if (!section_is_ready(address)) {
        uint64_t lock = mm_lock();
        bool ready = section_ensure_locked(address);
        mm_unlock(lock);
        if (!ready) {
            return NULL;
        }
    }
    return frame_page(address / PAGE_SIZE);
}

uint64_t sections_memory_in(phys_addr_t base, uint64_t size)
{
    uint64_t bytes = 0;
    for (unsigned i = 0; i < memory.count; i++) {
        uint64_t from = MAX(memory.ranges[i].base, base);
        uint64_t end = MIN(memory.ranges[i].end, base + size);
        if (memory_has_frames(memory.ranges[i].type) && from < end) {
            bytes += end - from;
        }
    }
    return bytes;
}

phys_addr_t sections_memory_end(void)
{
    phys_addr_t end = 0;
    for (unsigned i = 0; i < memory.count; i++) {
        end = memory_has_frames(memory.ranges[i].type) ? memory.ranges[i].end
                                                       : end;
    }
    return end;
}

uint64_t sections_ram_bytes(void)
{
    return memory_map_total(&memory, MEMORY_USABLE);
}

uint64_t sections_memory_bytes(void)
{
    return sections_ram_bytes() + memory_map_total(&memory, MEMORY_PERSISTENT);
}

uint64_t sections_untouched_bytes(void)
{
    return untouched;
}
