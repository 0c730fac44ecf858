// SPDX-License-Identifier: MIT
//
// Slots: where in the region of vmap() each range lies, and what is known of
// it. One part of the region for each size class, slots of 2^class pages in it.
// mm_lock is held in all of it.
#pragma once

#include "keyhole.h"
#include "lib/types.h"
#include "mm/frames.h"
#include "mm/layout.h"

#define PAGE_SHIFT 12
#define CLASS_SHIFT 39 // one entry of the root table for each class
#define CLASS_FIRST 1  // a page and its guard
#define CLASS_LAST 27  // the whole part is one slot
#define CLASS_SMALL 9  // up to here a slot's entries are in one table

// How the frames of a range know that they are in it.
enum vmap_kind {
    VMAP_TAGGED,   // each has the slot's tag; the slot's class is a small one
    VMAP_COUNTED,  // each counts it
    VMAP_PHYSICAL, // vmap_range(): each counts it, if they are frames
};

struct vmap_slot {
    uint64_t *entries; // of its first page behind the guard; NULL: not known
    uintptr_t address; // where its range begins, or began last
    uint32_t extent;   // pages and kind of its range; 0: the slot is free
    uint32_t tag;
    union {
        uint32_t next;    // while free: number of the next free slot, 0: none
        int32_t map_site; // while mapped: who did it
    };
    int32_t unmap_site; // who unmapped it last, 0: nobody
};

_Static_assert(sizeof(struct vmap_slot) == 32, "one shift away");

// A range's pages, and above them its kind: so one comparison tells that a slot
// is mapped, and tagged.
#define EXTENT_KIND_SHIFT 28
#define EXTENT(kind, pages)                                                    \
    ((uint32_t)(kind) << EXTENT_KIND_SHIFT | (uint32_t)(pages))
#define EXTENT_TAGGED_MAX EXTENT(VMAP_TAGGED + 1, 0)

_Static_assert(CLASS_LAST < EXTENT_KIND_SHIFT && VMAP_TAGGED == 0, "EXTENT");

static inline uint32_t slot_pages(const struct vmap_slot *slot)
{
    return slot->extent & (BIT(EXTENT_KIND_SHIFT) - 1);
}

static inline enum vmap_kind slot_kind(const struct vmap_slot *slot)
{
    return slot->extent >> EXTENT_KIND_SHIFT;
}

static inline bool slot_is_tagged(const struct vmap_slot *slot)
{
    return slot->extent - 1 < EXTENT_TAGGED_MAX - 1;
}

// Slots are numbered through, with room for all that a class can have. No slot
// has number 0.
#define CLASS_NUMBERS_SHIFT (CLASS_SHIFT - PAGE_SHIFT - CLASS_FIRST)

_Static_assert(VMAP_SLOTS_SIZE / sizeof(struct vmap_slot) >=
                   (CLASS_LAST + 1) * BIT(CLASS_NUMBERS_SHIFT),
               "mm/layout.h");

// Of each class: the free slots, and how many were ever used.
struct vmap_class {
    uint32_t free;  // number of the first, 0: none
    uint32_t fresh; // of those below, in the class, each was used
    uint32_t known; // those below have memory behind their struct vmap_slot
    uint32_t reserved;
};

extern struct vmap_class vmap_classes[CLASS_LAST + 1];

static inline struct vmap_slot *slot_of(uint64_t number)
{
    return (struct vmap_slot *)VMAP_SLOTS_BASE + number;
}

static inline uint32_t slot_number(const struct vmap_slot *slot)
{
    return slot - (const struct vmap_slot *)VMAP_SLOTS_BASE;
}

static inline unsigned slot_class(const struct vmap_slot *slot)
{
    return slot_number(slot) >> CLASS_NUMBERS_SHIFT;
}

// Where a slot begins: its guard.
static inline uintptr_t slot_base(const struct vmap_slot *slot)
{
    uint64_t number = slot_number(slot);
    uint64_t class = number >> CLASS_NUMBERS_SHIFT;
    return VMAP_BASE + (class << CLASS_SHIFT) +
           ((number & (BIT(CLASS_NUMBERS_SHIFT) - 1)) << (class + PAGE_SHIFT));
}

static inline uint64_t slot_size(const struct vmap_slot *slot)
{
    return PAGE_SIZE << slot_class(slot);
}

// The smallest class whose slots hold `pages` behind `offset` pages, of which
// the first is the guard.
static inline unsigned class_for(uint64_t pages, uint64_t offset)
{
    uint64_t need = pages + offset - 1;
    return 64 - __builtin_clzll(need);
}

// The slot that holds an address; NULL: no slot that was ever used does.
static inline struct vmap_slot *slot_at_locked(uintptr_t address)
{
    uint64_t class = (address - VMAP_BASE) >> CLASS_SHIFT;
    if (unlikely(class - CLASS_FIRST > CLASS_LAST - CLASS_FIRST)) {
        return NULL;
    }
    uint64_t number =
        (address & (BIT(CLASS_SHIFT) - 1)) >> (class + PAGE_SHIFT);
    if (unlikely(number >= vmap_classes[class].fresh)) {
        return NULL;
    }
    return slot_of((class << CLASS_NUMBERS_SHIFT) + number);
}

// A free slot of the class that was used before, or NULL.
static inline struct vmap_slot *slot_take_locked(unsigned class)
{
    uint32_t number = vmap_classes[class].free;
    if (unlikely(number == 0)) {
        return NULL;
    }
    struct vmap_slot *slot = slot_of(number);
    vmap_classes[class].free = slot->next;
    return slot;
}

// A free slot of the class, used before or not; NULL: no memory or no addresses
// left. And back.
struct vmap_slot *slot_make_locked(unsigned class);

static inline void slot_give_locked(struct vmap_slot *slot)
{
    struct vmap_class *class = &vmap_classes[slot_class(slot)];
    slot->extent = 0;
    slot->next = class->free;
    class->free = slot_number(slot);
}

// The slot whose mapped range holds `address`, or NULL.
const struct vmap_slot *slot_around_locked(uintptr_t address);

// How many ranges are mapped. For tests.
size_t vmaps_count(void);

// The slot after `slot` that is mapped, of any class, and the first for NULL.
// NULL: no more.
const struct vmap_slot *slot_next_locked(const struct vmap_slot *slot);

// ------------------------------------------------------------------------ Tags
//
// A tag names a slot of a small class, and which of 128 generations of its
// ranges. It is 27 bits of data, and below them the number of zeroes among
// these (a Berger code). So no tag has all the bits of another: the AND of
// several is a tag only if they are all that tag.

// No slot has this one, and no AND of tags is it.
#define TAG_NONE (~0u)

// The first tag of a slot, or TAG_NONE if it can have none.
uint32_t tag_of_slot(const struct vmap_slot *slot);

// The tag of the same slot's next generation.
uint32_t tag_next(uint32_t tag);

// Whether what a frame has is the tag of a tagged range that is mapped now: the
// frame may be in it. *slot is then the slot of that range.
bool tag_is_live_locked(uint32_t tag, struct vmap_slot **slot);

// Whether a range of vmap() has a frame, and by which call. If not, the frame
// no longer looks as if it might be.
bool vmap_holds_locked(struct page *page, uintptr_t *map_site);
