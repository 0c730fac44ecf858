// SPDX-License-Identifier: MIT
//
// The frames of a range, where they do not have its slot's tag yet: give it to
// them, or count the range in each. And what a free must ask: is a frame in a
// range (docs/TRICKS.md)? mm_lock is held in all of it.
#include "arch/pte.h"
#include "mm/layout.h"
#include "mm/pagetable.h"
#include "mm/pt_window.h"
#include "mm/vmap_entries.h"
#include "mm/vmap_internal.h"
#include "mm/watch.h"

volatile uint32_t vmap_tags_written;

// Last, so that whoever reads the new number reads the new tags too.
static void tags_were_written(void)
{
    cpu_compiler_barrier();
    vmap_tags_written++;
}

// How many of `count` entries from `address` on are in the same table.
static size_t run_length(uintptr_t address, size_t count)
{
    return MIN(count, PT_ENTRIES - pt_index(address, 1));
}

void vmap_entries_clear_locked(uintptr_t address, size_t count)
{
    while (count > 0) {
        size_t run = run_length(address, count);
        entries_clear_locked(pt_entries_locked(address), run);
        address += run * PAGE_SIZE;
        count -= run;
    }
}

// ------------------------------------------------------------- Tags and counts

// Give every frame the slot's next tag, which none has yet: so whoever was in
// the slot before is known not to be in it now. False: a frame has a tag that
// may be needed, since the range that it names is mapped; nothing changed.
static bool frames_tag_locked(struct vmap_slot *slot,
                              struct page *const pages[], size_t count)
{
    struct vmap_slot *other;
    if (slot->tag == TAG_NONE) {
        return false;
    }
    // Frames that are together now were together before, as a rule.
    uint32_t dead = LONG_NO_TAG;
    for (size_t i = 0; i < count; i++) {
        uint32_t tag = pages[i]->private_prev;
        if (tag != dead && tag_is_live_locked(tag, &other)) {
            return false;
        }
        dead = tag;
    }
    slot->tag = tag_next(slot->tag);
    for (size_t i = 0; i < count; i++) {
        long_maps_touch(pages[i]);
        pages[i]->private_prev = slot->tag;
    }
    tags_were_written();
    return true;
}

// Count one range more in every frame; false: one has no room for it, and
// nothing changed.
static bool frames_count_locked(struct page *const pages[], size_t count)
{
    size_t done = 0;
    while (done < count && long_vmap_fits(pages[done])) {
        long_maps_touch(pages[done]);
        pages[done++]->private_next += LONG_VMAP_ONE;
    }
    if (done == count) {
        return true;
    }
    while (done-- > 0) {
        pages[done]->private_next -= LONG_VMAP_ONE;
    }
    return false;
}

static void frames_uncount_locked(uintptr_t address, size_t count)
{
    while (count > 0) {
        size_t run = run_length(address, count);
        const uint64_t *entries = pt_entries_locked(address);
        uint32_t rights = window_open(WINDOW_READ);
        for (size_t i = 0; i < run; i++) {
            frame_page((entries[i] & PTE_ADDRESS) / PAGE_SIZE)->private_next -=
                LONG_VMAP_ONE;
        }
        window_close(rights);
        address += run * PAGE_SIZE;
        count -= run;
    }
}

// -------------------------------------------------------------- Open and close

// Make the tables for `count` pages of a slot. False: none left.
static bool tables_make_locked(struct vmap_slot *slot, size_t count)
{
    uintptr_t address = slot_base(slot) + PAGE_SIZE;
    while (count > 0) {
        uint64_t *entries = pt_entries_locked(address);
        if (entries == NULL) {
            return false; // those that were made stay
        }
        if (slot_class(slot) <= CLASS_SMALL) {
            slot->entries = entries;
        }
        size_t run = run_length(address, count);
        address += run * PAGE_SIZE;
        count -= run;
    }
    return true;
}

// The entries of a slot that spans several tables.
static void entries_set_far_locked(uintptr_t address,
                                   struct page *const pages[], size_t count,
                                   uint64_t flags)
{
    while (count > 0) {
        size_t run = run_length(address, count);
        entries_set_locked(pt_entries_locked(address), pages, run, flags);
        address += run * PAGE_SIZE;
        pages += run;
        count -= run;
    }
}

bool vmap_frames_open_locked(struct vmap_slot *slot, struct page *const pages[],
                             size_t count, uint64_t flags, uintptr_t site)
{
    if (slot->entries == NULL && !tables_make_locked(slot, count)) {
        return false;
    }
    enum vmap_kind kind = VMAP_TAGGED;
    if (!frames_tag_locked(slot, pages, count)) {
        kind = VMAP_COUNTED;
        if (!frames_count_locked(pages, count)) {
            return false;
        }
    }
    slot->address = slot_base(slot) + PAGE_SIZE;
    if (slot->entries != NULL) {
        entries_set_locked(slot->entries, pages, count, flags);
    } else {
        entries_set_far_locked(slot->address, pages, count, flags);
    }
    vmap_open_locked(slot, kind, count, site);
    // Leaves of 4 KiB: there is nothing to cut.
    return watches_on == 0 || watch_range_locked(slot->address, count);
}

void vmap_frames_close_locked(const struct vmap_slot *slot)
{
    if (slot_kind(slot) == VMAP_COUNTED) {
        frames_uncount_locked(slot->address, slot_pages(slot));
    }
    vmap_entries_clear_locked(slot->address, slot_pages(slot));
    long_maps_flush(slot->address, slot_pages(slot));
}

// --------------------------------------------------------------- Freed frames

// Whether a tagged range has a frame.
static bool slot_has_frame_locked(const struct vmap_slot *slot,
                                  const struct page *page)
{
    uint64_t wanted = page_to_phys(page);
    uint32_t i = 0;
    uint32_t rights = window_open(WINDOW_READ);
    while (i < slot_pages(slot) && (slot->entries[i] & PTE_ADDRESS) != wanted) {
        i++;
    }
    window_close(rights);
    return i < slot_pages(slot);
}

// Give a tagged range and its frames the next tag. Whoever has the old one was
// in the slot 128 tags ago, and is known not to be in it now.
static void slot_retag_locked(struct vmap_slot *slot)
{
    uint32_t rights = window_open(WINDOW_READ);
    slot->tag = tag_next(slot->tag);
    for (uint32_t i = 0; i < slot_pages(slot); i++) {
        frame_page((slot->entries[i] & PTE_ADDRESS) / PAGE_SIZE)->private_prev =
            slot->tag;
    }
    window_close(rights);
}

// Whether a range has a frame that counts it.
static __cold bool counted_is_in(const struct vmap_slot *slot,
                                 phys_addr_t physical)
{
    if (slot_kind(slot) == VMAP_PHYSICAL) {
        return (physical - vmap_range_base_locked(slot)) / PAGE_SIZE <
               slot_pages(slot);
    }
    for (uint64_t i = 0; i < slot_pages(slot); i++) {
        struct pt_walk walk;
        pt_walk(slot->address + i * PAGE_SIZE, &walk);
        if ((walk.entry[1] & PTE_ADDRESS) == physical) {
            return slot_kind(slot) == VMAP_COUNTED;
        }
    }
    return false;
}

// Who has mapped a frame that counts a range: for a report, so a search will
// do.
static __cold uintptr_t counted_site_locked(const struct page *page)
{
    const struct vmap_slot *slot = NULL;
    while ((slot = slot_next_locked(slot)) != NULL) {
        if (counted_is_in(slot, page_to_phys(page))) {
            return site_unpack(slot->map_site);
        }
    }
    return 0;
}

bool vmap_holds_locked(struct page *page, uintptr_t *map_site)
{
    struct vmap_slot *slot;
    if ((long_counts(page) & LONG_VMAP_MASK) != 0) {
        *map_site = counted_site_locked(page);
        return true;
    }
    if (!tag_is_live_locked(page->private_prev, &slot)) {
        return false;
    }
    if (slot_has_frame_locked(slot, page)) {
        *map_site = site_unpack(slot->map_site);
        return true;
    }
    slot_retag_locked(slot);
    return false;
}
