// SPDX-License-Identifier: MIT
//
// vmap(): a new contiguous range of addresses for frames from anywhere.
//
// The region is cut into one part for each size class, and that into slots of
// 2^class pages. A slot holds one range with an unmapped page before it; the
// first page of the next slot is the guard behind it. Finding a free slot is
// taking the head of a list, finding a range by its address is arithmetic, and
// a slot keeps the address of its page-table entries: vmap() and vunmap() walk
// no tables and search nothing. Address space is what this spends: at most
// four pages of it for each page mapped.
#include "arch/cpuid.h"
#include "arch/pte.h"
#include "lib/panic.h"
#include "mm/frames.h"
#include "mm/layout.h"
#include "mm/lock.h"
#include "mm/long_maps.h"
#include "mm/misuse.h"
#include "mm/pagetable.h"
#include "mm/section.h"
#include "mm/vmap_slots.h"

// ---------------------------------------------------------------- Misuse

static __cold __noreturn void misuse_vmap(const char *what,
                                          const struct page *page,
                                          const void *address, const char *call,
                                          uintptr_t site, int32_t before)
{
    misuse_report(&(struct misuse){
        .what = what,
        .page = page,
        .address = address,
        .site = {{call, site},
                 {before != 0 ? "unmapped before" : NULL, site_unpack(before)}},
    });
}

// PTE bits for `prot`; does not return if it is none of the contract's.
static uint64_t leaf_flags(unsigned prot, unsigned allowed, uintptr_t site)
{
    if (!(prot & MAP_READ) || (prot & ~allowed)) {
        misuse_vmap("vmap with an unknown prot", NULL, NULL, "this map", site,
                    0);
    }
    return PTE_P | PTE_A | PTE_XD | (prot & MAP_WRITE ? PTE_RW | PTE_D : 0) |
           (prot & MAP_UNCACHED ? PTE_PCD | PTE_PWT : 0);
}

// ---------------------------------------------------------- Frames of any kind

// Map frames into a slot whose entries may lie in several tables. Returns how
// many were mapped.
static size_t frames_map_locked(uintptr_t address, struct page *const pages[],
                                size_t count, uint64_t flags)
{
    size_t done = 0;
    while (done < count) {
        uintptr_t at = address + done * PAGE_SIZE;
        size_t run = MIN(count - done, PT_ENTRIES - pt_index(at, 1));
        uint64_t *entries = pt_entries_locked(at);
        if (entries == NULL) {
            break;
        }
        size_t set = long_maps_set_locked(entries, pages + done, run, flags);
        done += set;
        if (set < run) {
            break;
        }
    }
    return done;
}

static void frames_unmap_locked(uintptr_t address, size_t count)
{
    size_t done = 0;
    while (done < count) {
        uintptr_t at = address + done * PAGE_SIZE;
        size_t run = MIN(count - done, PT_ENTRIES - pt_index(at, 1));
        long_maps_clear_locked(pt_entries_locked(at), run, at);
        done += run;
    }
}

// Every frame is allocated; does not return if one is not. Without the lock:
// the list may lie in memory that refuses.
static void frames_check(struct page *const pages[], size_t count,
                         uintptr_t site)
{
    for (size_t i = 0; i < count; i++) {
        if (unlikely(!(pages[i]->private_state & FRAME_ALLOCATED))) {
            misuse_vmap("vmap of a frame that is not allocated", pages[i], NULL,
                        "this map", site, 0);
        }
    }
}

void *vmap(struct page *const pages[], size_t count, unsigned prot)
{
    uintptr_t site = CALL_SITE();
    uint64_t flags = leaf_flags(prot, MAP_READ | MAP_WRITE, site);
    if (count == 0) {
        misuse_vmap("vmap of no frames", NULL, NULL, "this map", site, 0);
    }
    if (count >= BIT(CLASS_LAST) - 1) {
        return NULL;
    }
    frames_check(pages, count, site);
    unsigned class = class_for(count + 1, 1);
    uint64_t number;
    uint64_t lock = mm_lock();
    if (!slot_take_locked(class, &number)) {
        mm_unlock(lock);
        return NULL;
    }
    struct vmap_slot *slot = slot_at(class, number);
    uintptr_t address = slot_address(class, number) + PAGE_SIZE;
    size_t done;
    if (class <= CLASS_SMALL && slot->entries != NULL) {
        done = long_maps_set_locked(slot->entries, pages, count, flags);
    } else {
        done = frames_map_locked(address, pages, count, flags);
    }
    if (unlikely(done < count)) {
        frames_unmap_locked(address, done);
        slot_give_locked(class, number);
        mm_unlock(lock);
        return NULL; // no table, or a frame in 65,535 ranges already
    }
    if (unlikely(slot->entries == NULL) && class <= CLASS_SMALL) {
        slot->entries = pt_entries_locked(address);
    }
    slot->pages = count;
    slot->offset = 1;
    slot->physical = false;
    slot->map_site = site_pack(site);
    vmaps_open++;
    mm_unlock(lock);
    return (void *)address;
}

// ------------------------------------------------------------- Physical ranges

// Count one mapping more (or less) in each frame of RAM of a range. False: a
// frame of RAM is not allocated, or RAM and other memory are mixed.
static bool range_count_locked(phys_addr_t base, uint64_t size, bool add)
{
    uint64_t frames = 0;
    for (uint64_t at = 0; add && at < size; at += PAGE_SIZE) {
        if (section_ensure_locked(base + at)) {
            frames++;
            const struct page *page = frame_page((base + at) / PAGE_SIZE);
            if (!(page->private_state & FRAME_ALLOCATED) ||
                !long_vmap_fits(page)) {
                return false;
            }
        }
    }
    if (add && frames != 0 && frames != size / PAGE_SIZE) {
        return false;
    }
    for (uint64_t at = 0; at < size; at += PAGE_SIZE) {
        if (section_is_ready(base + at)) {
            frame_page((base + at) / PAGE_SIZE)->private_prev +=
                add ? LONG_VMAP_ONE : -LONG_VMAP_ONE;
        }
    }
    return true;
}

// Where in its slot a range begins, in pages: behind the guard, and so that
// large leaves fit.
static uint64_t range_offset(phys_addr_t base, uint64_t size)
{
    uint64_t large = cpu_has(CPU_FEATURE_PAGE_1GB) ? GIB(1) : MIB(2);
    for (; large >= MIB(2); large /= PT_ENTRIES) {
        if (size >= large) {
            uint64_t inside = (base & (large - 1)) / PAGE_SIZE;
            return inside != 0 ? inside : large / PAGE_SIZE;
        }
    }
    return 1;
}

void *vmap_range(phys_addr_t base, size_t length, unsigned prot)
{
    uintptr_t site = CALL_SITE();
    uint64_t flags =
        leaf_flags(prot, MAP_READ | MAP_WRITE | MAP_UNCACHED, site);
    if (length == 0 || !IS_ALIGNED(base, PAGE_SIZE)) {
        misuse_vmap(length == 0 ? "vmap_range of length 0"
                                : "vmap_range of an unaligned base",
                    NULL, (void *)base, "this map", site, 0);
    }
    uint64_t limit = BIT(cpu_physical_bits());
    if (base >= limit || length > limit - base || length > BIT(CLASS_SHIFT)) {
        return NULL;
    }
    uint64_t size = ALIGN_UP(length, PAGE_SIZE);
    uint64_t offset = range_offset(base, size);
    unsigned class = class_for(size / PAGE_SIZE + 1, offset);
    if (class > CLASS_LAST) {
        return NULL;
    }
    uint64_t number;
    uint64_t lock = mm_lock();
    if (!slot_take_locked(class, &number)) {
        mm_unlock(lock);
        return NULL;
    }
    uintptr_t address = slot_address(class, number) + offset * PAGE_SIZE;
    bool counted = range_count_locked(base, size, true);
    // A slot's tables stay for its next range; a large leaf needs them gone.
    if (counted && size >= MIB(2)) {
        pt_unmap_locked(slot_address(class, number), PAGE_SIZE << class);
    }
    struct vmap_slot *slot = slot_at(class, number);
    slot->entries = NULL;
    if (!counted || pt_map_locked(address, base, size, flags, 3) != 0) {
        if (counted) {
            range_count_locked(base, size, false);
        }
        slot_give_locked(class, number);
        mm_unlock(lock);
        return NULL;
    }
    slot->pages = size / PAGE_SIZE;
    slot->offset = offset;
    slot->physical = true;
    slot->map_site = site_pack(site);
    vmaps_open++;
    mm_unlock(lock);
    return (void *)address;
}

static void range_unmap_locked(uintptr_t address, uint64_t size)
{
    struct pt_walk walk;
    pt_walk(address, &walk);
    uint64_t inside = PT_LEVEL_SIZE(walk.level) - 1;
    phys_addr_t base =
        (walk.entry[walk.level] & PTE_ADDRESS & ~inside) | (address & inside);
    // The ends are ends of leaves, so nothing has to be split. A small slot's
    // table stays: slots beside it remember where their entries are in it.
    int error = size < MIB(2) ? pt_change_locked(address, size, ~0ull, 0)
                              : pt_unmap_locked(address, size);
    if (error != 0) {
        panic("no page tables to unmap a range that needs none");
    }
    range_count_locked(base, size, false);
}

// -------------------------------------------------------------- For both kinds

void vunmap(const void *pointer)
{
    uintptr_t site = CALL_SITE();
    uintptr_t address = (uintptr_t)pointer;
    unsigned class;
    uint64_t number;
    int32_t before;
    uint64_t lock = mm_lock();
    struct vmap_slot *slot =
        slot_find_locked(address, &class, &number, &before);
    if (unlikely(slot == NULL)) {
        mm_unlock(lock);
        misuse_vmap(before != 0 ? "vunmap of a range that is unmapped already"
                                : "vunmap of an address that vmap() did not "
                                  "give",
                    NULL, pointer, "this unmap", site, before);
    }
    if (slot->physical) {
        range_unmap_locked(address, (uint64_t)slot->pages * PAGE_SIZE);
    } else if (slot->entries != NULL) {
        long_maps_clear_locked(slot->entries, slot->pages, address);
    } else {
        frames_unmap_locked(address, slot->pages);
    }
    slot->unmap_site = site_pack(site);
    vmaps_open--;
    slot_give_locked(class, number);
    mm_unlock(lock);
}
