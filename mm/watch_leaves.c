// SPDX-License-Identifier: MIT
//
// All that maps a watched frame, and what a watch takes from it.
#include "arch/cpu.h"
#include "lib/panic.h"
#include "mm/context.h"
#include "mm/engine.h"
#include "mm/frames.h"
#include "mm/layout.h"
#include "mm/lock.h"
#include "mm/long_maps.h"
#include "mm/pagetable.h"
#include "mm/pt_window.h"
#include "mm/section.h"
#include "mm/vmap_internal.h"
#include "mm/watch_internal.h"

// ------------------------------------------------------------------- One leaf

static uint64_t entry_closed(const struct watch *watch, uint64_t entry)
{
    if (!(entry & PTE_P)) {
        return entry;
    }
    if (watch->access == ACCESS_READ) {
        return (entry & ~PTE_P) | PTE_LOST_P;
    }
    return entry & PTE_RW ? (entry & ~PTE_RW) | PTE_LOST_RW : entry;
}

static void entry_put(uint64_t *entry, uint64_t value)
{
    *(volatile uint64_t *)entry = value;
    percpu_count(pte_writes);
}

static inline void watch_leaf(const struct watch *watch, uint64_t *entry,
                              uintptr_t address, bool begin,
                              struct tlb_batch *batch)
{
    uint64_t value =
        begin ? entry_closed(watch, *entry) : pte_unwatched(*entry);
    if (value != *entry) {
        entry_put(entry, value);
        tlb_batch_add(batch, address);
    }
}

void watch_leaves(const struct watch *watch, uint64_t *entry, uintptr_t address,
                  size_t count, bool begin, struct tlb_batch *batch)
{
    for (; count > 0; count--, entry++, address += PAGE_SIZE) {
        watch_leaf(watch, entry, address, begin, batch);
    }
}

bool watch_leaf_is_closed(const struct watch *watch, uint64_t entry)
{
    if (watch->own != NULL && (entry & PTE_OWN_KEY)) {
        return pte_key(entry) == watch->own->key;
    }
    return !(entry & (watch->access == ACCESS_READ ? PTE_P : PTE_RW));
}

static bool entry_is_of(const struct watch *watch, uint64_t entry)
{
    uint64_t frame = (entry & PTE_ADDRESS) / PAGE_SIZE;
    return (entry & (PTE_P | PTE_LOST_P)) &&
           frame - page_frame(watch->first) < watch->count;
}

uint64_t *watch_entry_seen(uintptr_t address, uint32_t level)
{
    uint64_t *entry =
        engine->entry != NULL ? engine->entry(address, level) : NULL;
    if (entry == NULL) {
        uint32_t rights = window_open(WINDOW_READ);
        entry = pt_entry(address);
        window_close(rights);
    }
    return entry;
}

uint64_t watch_leaf_seen(uintptr_t address, uint32_t level)
{
    const uint64_t *entry = watch_entry_seen(address, level);
    if (entry == NULL) {
        return 0;
    }
    uint32_t rights = window_open(WINDOW_READ);
    uint64_t leaf = *entry;
    window_close(rights);
    return leaf;
}

// --------------------------------------------------------- Long-lived mappings

// Where in a range of vmap() the page with this number must be looked at: the
// range has all of its frames side by side, or this one is of the watch.
static bool range_may_have(const struct vmap_slot *slot, phys_addr_t base,
                           uint64_t number, const struct page *first,
                           size_t count)
{
    return slot_kind(slot) != VMAP_PHYSICAL ||
           base / PAGE_SIZE + number - page_frame(first) < count;
}

// Visit the entry of each page of vmap() ranges that may map one of the frames,
// cutting large leaves. False: no page table left.
static bool vmaps_visit_locked(const struct page *first, size_t count,
                               void (*visit)(void *arg, uint64_t *entry,
                                             uintptr_t address),
                               void *arg)
{
    const struct vmap_slot *slot = NULL;
    while ((slot = slot_next_locked(slot)) != NULL) {
        bool physical = slot_kind(slot) == VMAP_PHYSICAL;
        phys_addr_t base = physical ? vmap_range_base_locked(slot) : 0;
        for (uint64_t i = 0; i < slot_pages(slot); i++) {
            uintptr_t address = slot->address + i * PAGE_SIZE;
            if (!range_may_have(slot, base, i, first, count)) {
                continue;
            }
            uint64_t *entry = pt_entries_locked(address);
            if (entry == NULL) {
                return false;
            }
            if (visit != NULL) {
                visit(arg, entry, address);
            }
        }
    }
    return true;
}

// How many of `count` frames from an address in the direct map on have their
// entries in one table.
static size_t frames_in_row(uintptr_t address, size_t count)
{
    return MIN(count, PT_ENTRIES - pt_index(address, 1));
}

int watch_cut_locked(const struct page *first, size_t count)
{
    uintptr_t address = page_direct_address(first);
    for (size_t i = 0, row; engine->watch_direct != NULL && i < count;
         i += row, address += row * PAGE_SIZE) {
        row = frames_in_row(address, count - i);
        if (pt_entries_locked(address) == NULL) {
            return -ENOMEM;
        }
    }
    return vmaps_visit_locked(first, count, NULL, NULL) ? 0 : -ENOMEM;
}

// ------------------------------------------------------------------------ All

struct change {
    const struct watch *watch;
    bool begin;
    struct tlb_batch *batch;
};

static void change_visit(void *arg, uint64_t *entry, uintptr_t address)
{
    const struct change *change = arg;
    if (entry_is_of(change->watch, *entry)) {
        watch_leaf(change->watch, entry, address, change->begin, change->batch);
    }
}

static void kmap_change_locked(struct change *change)
{
    for (size_t i = 0; i < change->watch->count; i++) {
        const struct page *page = change->watch->first + i;
        if (unlikely(long_kmap_is_open(page))) {
            uintptr_t address = KMAP_BASE + page_to_phys(page);
            uint64_t *entry = pt_entry(address);
            if (entry != NULL) {
                change_visit(change, entry, address);
            }
        }
    }
}

// In the direct map, where every frame has an entry (watch_cut_locked()).
static void direct_change_locked(struct change *change)
{
    const struct watch *watch = change->watch;
    uintptr_t address = page_direct_address(watch->first);
    for (size_t left = watch->count; left > 0;) {
        uint64_t *entry = pt_entry(address);
        size_t row = frames_in_row(address, left);
        engine->watch_direct(watch, entry, address, row, change->begin,
                             change->batch);
        left -= row;
        address += row * PAGE_SIZE;
    }
}

static bool is_own(const struct watch *watch, const struct bracket *bracket)
{
    return !watch->frozen && watch->context != NULL &&
           (uintptr_t)bracket - (uintptr_t)&watch->context->brackets <
               sizeof(watch->context->brackets);
}

// The entries of a bracket in a window; NULL: it has none there.
static uint64_t *bracket_entries(const struct bracket *bracket,
                                 uintptr_t *address)
{
    bool special = bracket_is_special(bracket);
    *address = special ? ALIGN_DOWN(bracket_address(bracket), PAGE_SIZE)
                       : bracket->window_address;
    return special                 ? (uint64_t *)bracket->backing
           : engine->entry != NULL ? bracket->window_entry
                                   : NULL;
}

// How many frames of the watch a bracket has that lie side by side.
static size_t frames_shared(const struct watch *watch,
                            const struct bracket *bracket)
{
    if (bracket_is_special(bracket)) {
        return 0; // what it has is mapped by now
    }
    uint64_t first =
        (bracket_direct_address(bracket) - DIRECT_MAP_BASE) / PAGE_SIZE;
    uint64_t other = page_frame(watch->first);
    uint64_t end = MIN(first + bracket_frames(bracket), other + watch->count);
    return end - MAX(first, other);
}

// Of a bracket's window. True: it has a frame that is not mapped there yet.
static bool bracket_change(struct change *change, const struct bracket *bracket)
{
    const struct watch *watch = change->watch;
    uintptr_t address;
    uint64_t *entries = bracket_entries(bracket, &address);
    size_t mapped = 0, frames = bracket_frames(bracket);
    if (!bracket_holds(bracket, watch->first, watch->count)) {
        return false;
    }
    if (engine->entry != NULL && !bracket_is_special(bracket) &&
        frames > EXACT_SLOT_FRAMES) {
        return true; // on its way to being special
    }
    for (size_t i = 0; entries != NULL && i < frames; i++) {
        if (entry_is_of(watch, entries[i])) {
            mapped++;
            change_visit(change, &entries[i], address + i * PAGE_SIZE);
        }
    }
    return entries != NULL && mapped < frames_shared(watch, bracket);
}

bool watch_leaves_locked(const struct watch *watch, bool begin,
                         struct tlb_batch *batch)
{
    struct change change = {.watch = watch, .begin = begin, .batch = batch};
    bool half = false;
    if (engine->watch_direct != NULL) {
        direct_change_locked(&change);
    }
    kmap_change_locked(&change);
    vmaps_visit_locked(watch->first, watch->count, change_visit, &change);
    struct bracket_walk walk = {0};
    const struct bracket *bracket;
    while ((bracket = bracket_walk_on(&walk)) != NULL) {
        if (!begin || !is_own(watch, bracket)) {
            half |= bracket_change(&change, bracket);
        }
    }
    return half;
}

// ----------------------------------------------------------- New mappings

uint64_t watch_new_leaf(uint64_t leaf, const struct page *page)
{
    const struct watch *watch = watch_of(page);
    return watch != NULL ? entry_closed(watch, leaf) : leaf;
}

// With interrupts off nobody parks this CPU, so a watch cannot end between what
// is found of it and the leaf that is closed for it. What was there so far has
// not been used, but a CPU may have looked.
static void watch_new_entry(const struct bracket *bracket, uint64_t *entry,
                            uintptr_t address)
{
    DEBUG_ASSERT(!(cpu_read_flags() & RFLAGS_IF));
    const struct watch *watch =
        watch_of(frame_page((*entry & PTE_ADDRESS) / PAGE_SIZE));
    if (watch != NULL && !is_own(watch, bracket)) {
        entry_put(entry, entry_closed(watch, *entry));
        tlb_flush_page(address);
    }
}

void watch_bracket(const struct bracket *bracket)
{
    uintptr_t address;
    uint64_t *entries = bracket_entries(bracket, &address);
    size_t frames = bracket_frames(bracket);
    uint32_t rights = window_open(WINDOW_WRITE);
    for (size_t i = 0; i < frames; i++) {
        uint64_t flags = cpu_interrupts_off();
        watch_new_entry(bracket, &entries[i], address + i * PAGE_SIZE);
        cpu_interrupts_restore(flags);
    }
    window_close(rights);
}

bool watch_range_locked(uintptr_t address, size_t pages)
{
    struct tlb_batch batch;
    batch.count = 0;
    for (size_t i = 0; i < pages; i++) {
        uint64_t size;
        uintptr_t at = address + i * PAGE_SIZE;
        phys_addr_t physical =
            (pt_leaf(at, &size) & PTE_ADDRESS & ~(size - 1)) |
            (at & (size - 1));
        const struct watch *watch =
            section_is_ready(physical)
                ? watch_of(frame_page(physical / PAGE_SIZE))
                : NULL;
        if (watch != NULL) {
            uint64_t *entry = pt_entries_locked(at);
            if (entry == NULL) {
                return false;
            }
            uint32_t rights = window_open(WINDOW_WRITE);
            watch_leaf(watch, entry, at, true, &batch);
            window_close(rights);
        }
    }
    tlb_shootdown_batch(&batch);
    return true;
}
