// SPDX-License-Identifier: MIT
//
// The loops over entries that kmap() and vmap() live on. A range costs one
// opening of the page tables, however long it is.
#include "mm/long_maps.h"

#include "arch/pte.h"
#include "arch/tlb.h"
#include "mm/frames.h"
#include "mm/layout.h"
#include "mm/pt_window.h"

// Above this, flushing everything costs less than page by page (Linux's
// tlb_single_page_flush_ceiling is 33).
#define FLUSH_EACH_MAX 32

size_t kmaps_open, vmaps_open;

size_t long_maps_open(void)
{
    return kmaps_open + vmaps_open;
}

// The entry for a frame: its direct-map address less that of frame 0, and the
// flags. One addition, since the base cancels out.
static inline uint64_t entry_of(const struct page *page, uint64_t flags)
{
    return page_direct_address(page) + (flags - DIRECT_MAP_BASE);
}

// The frame that an entry maps.
static inline struct page *entry_page(uint64_t entry)
{
    return frame_page((entry & PTE_ADDRESS) / PAGE_SIZE);
}

size_t long_maps_set_locked(uint64_t *entries, struct page *const pages[],
                            size_t count, uint64_t flags)
{
    size_t done = 0;
    uint32_t rights = window_open(WINDOW_WRITE);
    while (done < count) {
        struct page *page = pages[done];
        if (unlikely(!(page->private_state & FRAME_ALLOCATED) ||
                     !long_vmap_fits(page))) {
            break;
        }
        page->private_prev += LONG_VMAP_ONE;
        entries[done++] = entry_of(page, flags);
    }
    window_close(rights);
    percpu_add_value(pte_writes, done);
    return done;
}

void long_maps_clear_locked(uint64_t *entries, size_t count, uintptr_t address)
{
    uint32_t rights = window_open(WINDOW_WRITE);
    for (size_t i = 0; i < count; i++) {
        entry_page(entries[i])->private_prev -= LONG_VMAP_ONE;
        *(volatile uint64_t *)&entries[i] = 0; // not a memset()
    }
    window_close(rights);
    percpu_add_value(pte_writes, count);
    long_maps_flush(address, count);
}

void long_map_write_locked(uint64_t *entry, uint64_t value)
{
    uint32_t rights = window_open(WINDOW_WRITE);
    *(volatile uint64_t *)entry = value;
    window_close(rights);
    percpu_count(pte_writes);
}

void long_maps_flush(uintptr_t address, size_t count)
{
    if (count > FLUSH_EACH_MAX) {
        tlb_flush_all();
        return;
    }
    for (size_t i = 0; i < count; i++) {
        cpu_invlpg(address + i * PAGE_SIZE);
    }
    percpu_add_value(invlpg, count);
}
