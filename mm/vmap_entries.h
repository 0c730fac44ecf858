// SPDX-License-Identifier: MIT
//
// The loops over page-table entries that vmap() and vunmap() are made of, in
// line. A range costs one opening of the page tables, however long it is.
// mm_lock is held in all of it.
#pragma once

#include "arch/cpu.h"
#include "arch/percpu.h"
#include "mm/frames.h"
#include "mm/layout.h"
#include "mm/pt_window.h"

_Static_assert(BIT(FRAME_TABLE_SHIFT) == 256, "cpu_load_times_256()");

#define ALWAYS_INLINE static inline __attribute__((always_inline))

// The entry for a frame is its direct-map address, which is that of its struct
// page times 256 (mm/layout.h), less that of frame 0, and the flags. One
// addition, since the base cancels out. `count` is constant where this is used:
// so there is no loop.
ALWAYS_INLINE void entries_write(uint64_t *entries, struct page *const pages[],
                                 size_t count, uint64_t flags)
{
#pragma GCC unroll 8
    for (size_t i = 0; i < count; i++) {
        entries[i] = cpu_load_times_256(&pages[i]) + (flags - DIRECT_MAP_BASE);
    }
}

// Write `count` entries of one table for frames of a list. The list is in
// memory that can be read.
static inline void entries_set_locked(uint64_t *entries,
                                      struct page *const pages[], size_t count,
                                      uint64_t flags)
{
    percpu_add_value(pte_writes, count);
    uint32_t rights = window_open(WINDOW_WRITE);
    for (struct page *const *end = pages + ALIGN_DOWN(count, 8); pages < end;
         pages += 8, entries += 8) {
        entries_write(entries, pages, 8, flags);
    }
    if (count % 8 != 0) {
        if (count & 4) {
            entries_write(entries, pages, 4, flags);
            pages += 4;
            entries += 4;
        }
        if (count & 2) {
            entries_write(entries, pages, 2, flags);
            pages += 2;
            entries += 2;
        }
        if (count & 1) {
            entries_write(entries, pages, 1, flags);
        }
    }
    window_close(rights);
}

// Take back `count` entries of one table. The caller invalidates.
static inline void entries_clear_locked(uint64_t *entries, size_t count)
{
    percpu_add_value(pte_writes, count);
    uint32_t rights = window_open(WINDOW_WRITE);
    cpu_store_words((uintptr_t)entries, 0, count);
    window_close(rights);
}
