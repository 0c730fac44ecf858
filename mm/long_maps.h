// SPDX-License-Identifier: MIT
//
// What kmap() and vmap() share: leaves of 4 KiB outside the direct map, what a
// struct page remembers of them, so that a frame cannot be freed under one, and
// the one place where their translations are invalidated.
#pragma once

#include "arch/tlb.h"
#include "keyhole.h"
#include "lib/types.h"
#include "mm/frames.h"

// In struct page of an allocated frame, private_prev: 0 as long as no kmap()
// and no vmap() has had anything to do with it. Then the tag of the slot of
// vmap() that it was last put into, which stays when the range goes
// (mm/vmap_slots.h), or LONG_NO_TAG.
#define LONG_NO_TAG 1u

static inline bool long_maps_touched(const struct page *page)
{
    return page->private_prev != 0;
}

// private_next, of a frame that was touched: how many long-lived mappings the
// frame is counted in. kmap() counts its callers here, vmap() the ranges that
// are not tagged.
#define LONG_KMAP_ONE 1u
#define LONG_KMAP_MASK 0xffffu
#define LONG_VMAP_ONE 0x10000u
#define LONG_VMAP_MASK 0x7fff0000u
#define LONG_KMAP_SITE 0x80000000u // kmap() remembers a call site for it

static inline uint32_t long_counts(const struct page *page)
{
    return long_maps_touched(page) ? page->private_next : 0;
}

static inline bool long_kmap_is_open(const struct page *page)
{
    return (long_counts(page) & LONG_KMAP_MASK) != 0;
}

// Whether one more vmap() of a frame can be counted.
static inline bool long_vmap_fits(const struct page *page)
{
    return (long_counts(page) & LONG_VMAP_MASK) != LONG_VMAP_MASK;
}

// From now on there are counts. mm_lock held.
static inline void long_maps_touch(struct page *page)
{
    if (!long_maps_touched(page)) {
        page->private_next = 0;
        page->private_prev = LONG_NO_TAG;
    }
}

// A frame that was touched is about to be freed; does not return if a kmap() or
// a vmap() has it open. After that it is untouched. mm_lock not held.
void long_maps_check_free(struct page *page, uintptr_t site);

// How many kmap()s and vmap()s have not been undone. For tests.
size_t long_maps_open(void);
extern size_t kmaps_open; // mm_lock held

// The call that last opened a frame that kmap() has open, or that closed it.
// Of use if LONG_KMAP_SITE is set.
uintptr_t kmap_site_of(const struct page *page);

// For reports: a mapping that is there, or was.
struct long_map {
    const char *call;        // "kmap", "vmap"
    bool open;               // `site` is where it was made, else undone
    bool outside;            // the address is not in it, but beside it
    uintptr_t site;          // a return address
    const struct page *page; // NULL: not known
};

// The one that has an address, that ends before it, or that had it last; and
// what kmap() did last with a frame. False: there was none, or it is forgotten,
// as it is when the frame is freed. Any context.
bool long_map_at(uintptr_t address, struct long_map *map);
bool long_map_of(const struct page *page, struct long_map *map);

// `pages` is constant where this is used: so there is no loop.
static inline __attribute__((always_inline)) uintptr_t
long_maps_invalidate(uintptr_t address, unsigned pages)
{
#pragma GCC unroll 8
    for (unsigned i = 0; i < pages; i++) {
        cpu_invlpg(address + i * PAGE_SIZE);
    }
    percpu_add(invlpg, pages);
    return address + pages * PAGE_SIZE;
}

// Forget the translations of a range, once for each unmap call: page by page,
// or everything where that is cheaper. The entries are clear already; on return
// no CPU reaches a frame through the range. mm_lock held.
static inline void long_maps_flush(uintptr_t address, size_t count)
{
    if (unlikely(cpus_count > 1)) {
        __asm__ volatile("call tlb_shootdown_range_saved"
                         :
                         : "D"(address), "S"(count)
                         : "cc", "memory");
    }
    if (count > TLB_PAGES_MAX) {
        tlb_flush_all();
        return;
    }
    for (uintptr_t end = address + ALIGN_DOWN(count, 8) * PAGE_SIZE;
         address < end;) {
        address = long_maps_invalidate(address, 8);
    }
    if (count % 8 != 0) {
        if (count & 4) {
            address = long_maps_invalidate(address, 4);
        }
        if (count & 2) {
            address = long_maps_invalidate(address, 2);
        }
        if (count & 1) {
            long_maps_invalidate(address, 1);
        }
    }
}
