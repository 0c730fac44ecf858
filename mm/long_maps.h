// SPDX-License-Identifier: MIT
//
// What kmap() and vmap() share: leaves of 4 KiB outside the direct map, and a
// count of them in each frame, so that a frame cannot be freed under one.
#pragma once

#include "keyhole.h"
#include "lib/types.h"

// In struct page of an allocated frame, private_prev: how many long-lived
// mappings it is in. kmap() counts its callers, vmap() its ranges.
#define LONG_KMAP_ONE 1u
#define LONG_KMAP_MASK 0xffffu
#define LONG_VMAP_ONE 0x10000u
#define LONG_VMAP_MASK 0xffff0000u

// Whether one more vmap() of a frame can be counted.
static inline bool long_vmap_fits(const struct page *page)
{
    return page->private_prev < LONG_VMAP_MASK;
}

// Map `count` frames by consecutive entries of one table, with `flags`, and
// count a vmap in each. Returns how many were allocated frames with room in
// their count, from the first on: those are mapped. The list is in memory that
// can be read. mm_lock held.
size_t long_maps_set_locked(uint64_t *entries, struct page *const pages[],
                            size_t count, uint64_t flags);

// Take them back and invalidate the addresses from `address` on. mm_lock held.
void long_maps_clear_locked(uint64_t *entries, size_t count, uintptr_t address);

// Map, or unmap and invalidate, the frame of one entry; no counting. mm_lock
// held.
void long_map_write_locked(uint64_t *entry, uint64_t value);

// Forget the translations of a range on this CPU: one by one, or everything
// where that is cheaper.
void long_maps_flush(uintptr_t address, size_t count);

// How many kmap()s and vmap()s have not been undone. For tests.
size_t long_maps_open(void);
extern size_t kmaps_open, vmaps_open; // mm_lock held

// The call that mapped a frame that is in a long-lived mapping, 0: not known.
// For reports. mm_lock not held.
uintptr_t vmap_site_of(const struct page *page);
