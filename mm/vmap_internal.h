// SPDX-License-Identifier: MIT
//
// What vmap() and vmap_range() share, and what vmap() leaves to slower code.
#pragma once

#include "keyhole.h"
#include "lib/types.h"
#include "mm/long_maps.h"
#include "mm/misuse.h"
#include "mm/vmap_slots.h"

// Report a misuse: by the call at `site`, and `before`, site_pack()ed, where
// the range was unmapped before (0: not that).
__cold __noreturn void vmap_misuse(const char *what, const struct page *page,
                                   const void *address, const char *call,
                                   uintptr_t site, int32_t before);

// A slot's range is mapped from now on: note what, and by whom.
static inline void vmap_open_locked(struct vmap_slot *slot, enum vmap_kind kind,
                                    uint64_t pages, uintptr_t site)
{
    slot->extent = EXTENT(kind, pages);
    slot->map_site = site_pack(site);
}

// What a range of vmap_range() maps, from where on.
phys_addr_t vmap_range_base_locked(const struct vmap_slot *slot);

// Take back what vmap_range() has mapped, and invalidate.
void vmap_range_close_locked(const struct vmap_slot *slot);

// Changes after tags were written: they are read without the lock, and must be
// read again if it has changed.
extern volatile uint32_t vmap_tags_written;

// Clear the entries of `count` pages from `address` on, in as many tables as
// they are in. The caller invalidates.
void vmap_entries_clear_locked(uintptr_t address, size_t count);

// Map frames whatever tags and counts they have. False: no table, or no room in
// a frame's count; nothing changed but that tables may have been made.
bool vmap_frames_open_locked(struct vmap_slot *slot, struct page *const pages[],
                             size_t count, uint64_t flags, uintptr_t site);

// Take that back, whatever kind of range it became, and invalidate.
void vmap_frames_close_locked(const struct vmap_slot *slot);
