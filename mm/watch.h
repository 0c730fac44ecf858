// SPDX-License-Identifier: MIT
//
// Frames that are watched: an access from outside the watcher's own brackets is
// refused, whoever has the frame's domain open. Whatever maps such a frame is
// closed: its leaf in the direct map, those of kmap() and vmap(), and those of
// other contexts' windows, what is mapped later too. Under `pks` the leaf in
// the direct map gets a key of the watch's own if one can be had; all other
// leaves lose RW, or P where reading counts too.
//
// Who is let through all the same is kernel/fault_mode.c's business.
#pragma once

#include "arch/pte.h"
#include "arch/tlb.h"
#include "keyhole.h"
#include "lib/types.h"
#include "mm/bracket.h"

#define WATCHES_MAX 256

struct watch {
    struct page *first;       // NULL: nobody's
    size_t count;             // of frames side by side
    enum fault_access access; // ACCESS_READ: writing counts too
    enum fault_mode mode;
    bool frozen;                 // nobody has brackets that are let through
    int32_t site;                // of the call, packed (mm/misuse.h)
    const struct thread *thread; // who asked, at `time`, ticks of the TSC
    uint64_t time;
    struct mm_context *context; // of the thread; NULL: it has ended
    struct domain *own;         // has the key of the leaves; NULL: no key
    uint32_t hits;              // accesses that were not let through
};

// How many there are. Whoever maps a frame looks here first.
extern uint32_t watches_on;

// The watch that has a frame; NULL: none. Any context.
struct watch *watch_of(const struct page *page);

// The watch that has one of `count` frames from `page` on; NULL: none.
const struct watch *watch_find(const struct page *page, size_t count);

// Whether frames of a domain are watched.
bool watch_has_domain(const struct domain *domain);

// The next one; NULL before the first and behind the last. Thread context.
const struct watch *watch_next(const struct watch *watch);

// What a new watch is to be; the rest of it is filled in.
struct watch_order {
    struct page *first;
    size_t count;
    enum fault_access access;
    enum fault_mode mode;
    bool frozen;
    int32_t site;
};

// Begin. 0, or -EINVAL: no frames, or not all are allocated and of one domain;
// -EEXIST: one is watched already; -ENOSPC: WATCHES_MAX are there; -ENOMEM: no
// page table to cut a leaf with. *half says that a map call which was under way
// may still get an open leaf: go on with watch_again() until it is false.
// Thread context.
int watch_begin(const struct watch_order *order, bool *half);
bool watch_again(const struct page *first);

// End the watch that begins with this frame and has so many. How many accesses
// it has not let through, or -ENOENT. Thread context.
int watch_end(const struct page *first, size_t count, bool frozen);

// A thread has ended: nobody has its brackets any more. mm_lock held.
void watch_forget_context_locked(const struct mm_context *context);

// Close what a bracket has in a window, where it is watched; and what a leaf is
// to be that is about to be made for a frame. The caller has looked at
// watches_on. Any context.
void watch_bracket(const struct bracket *bracket);
uint64_t watch_new_leaf(uint64_t leaf, const struct page *page);

// The same for `pages` pages from `address` on, which were mapped just now.
// False: no page table left to cut a leaf with. mm_lock held.
bool watch_range_locked(uintptr_t address, size_t pages);

// ---- For engines: the leaf of the direct map (struct engine, watch_direct).

// Take from leaves of 4 KiB, the first of which is for `address`, what the
// watch wants, or give it back, and invalidate. Tables open.
void watch_leaves(const struct watch *watch, uint64_t *entry, uintptr_t address,
                  size_t count, bool begin, struct tlb_batch *batch);

// ---- For audits and reports.

// A leaf as it would be if its frame were not watched, but for its key.
static inline uint64_t pte_unwatched(uint64_t entry)
{
    entry |= entry & PTE_LOST_P ? PTE_P : 0;
    entry |= entry & PTE_LOST_RW ? PTE_RW : 0;
    return entry & ~PTE_WATCHED;
}

// Whether a leaf is as closed as its watch wants it. Any context.
bool watch_leaf_is_closed(const struct watch *watch, uint64_t entry);

// The entry of level 1 that a context at this trap level sees for an address,
// whether it maps anything or not; NULL: there is none. Any context.
uint64_t *watch_entry_seen(uintptr_t address, uint32_t level);
// What it says; 0: there is none.
uint64_t watch_leaf_seen(uintptr_t address, uint32_t level);
