// SPDX-License-Identifier: MIT
//
// Slots: where in the region of vmap() each range lies, and what is known of
// it. One part of the region for each size class, slots of 2^class pages in it.
// mm_lock is held in all of it.
#pragma once

#include "keyhole.h"
#include "lib/types.h"
#include "mm/layout.h"

#define CLASS_SHIFT 39 // one entry of the root table for each class
#define CLASS_FIRST 1  // a page and its guard
#define CLASS_LAST 27  // the whole part is one slot
#define CLASS_SMALL 9  // up to here a slot's entries are in one table

struct vmap_slot {
    uint64_t *entries;  // of its first mapped page; NULL: not looked up yet
    uint32_t pages;     // mapped; 0: the slot is free
    uint32_t next;      // free list: slot number + 1, 0 ends it
    uint32_t offset;    // of the first mapped page in the slot, in pages
    int32_t map_site;   // who mapped it
    int32_t unmap_site; // who unmapped it last, 0: nobody
    bool physical;      // from vmap_range()
};

_Static_assert(sizeof(struct vmap_slot) == 32, "one shift away");

static inline uintptr_t slot_address(unsigned class, uint64_t number)
{
    return VMAP_BASE + ((uint64_t) class << CLASS_SHIFT) +
           (number << (class + 12));
}

// The smallest class whose slots hold `pages` behind `offset` pages.
static inline unsigned class_for(uint64_t pages, uint64_t offset)
{
    uint64_t need = pages + offset - 1;
    return 64 - __builtin_clzll(need);
}

// What is known of a slot that was taken once.
struct vmap_slot *slot_at(unsigned class, uint64_t number);

// A free slot of the class; false: no memory or no addresses left. And back.
bool slot_take_locked(unsigned class, uint64_t *number);
void slot_give_locked(unsigned class, uint64_t number);

// The slot of a mapped range that begins at `address`. NULL: there is none;
// *before is then who unmapped it last, packed, or 0.
struct vmap_slot *slot_find_locked(uintptr_t address, unsigned *class,
                                   uint64_t *number, int32_t *before);
