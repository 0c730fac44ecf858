// SPDX-License-Identifier: MIT
//
// vmap_range(): a range of physical memory, frames or a device, by leaves as
// large as it allows. Frames of RAM count the range; a device has none, and
// nothing of it is walked but its leaves.
#include "arch/cpuid.h"
#include "arch/pte.h"
#include "lib/panic.h"
#include "mm/lock.h"
#include "mm/long_maps.h"
#include "mm/misuse.h"
#include "mm/pagetable.h"
#include "mm/section.h"
#include "mm/trace.h"
#include "mm/vmap_internal.h"
#include "mm/watch.h"

#define PROT_ALL (MAP_READ | MAP_WRITE | MAP_UNCACHED)

static void range_count_locked(phys_addr_t base, uint64_t size, uint32_t by)
{
    struct page *page = frame_page(base / PAGE_SIZE);
    for (const struct page *end = page + size / PAGE_SIZE; page < end; page++) {
        long_maps_touch(page);
        page->private_next += by;
    }
}

// Count the range in each of its frames. False: a frame is not allocated, or
// RAM and other memory are mixed; nothing changed.
static bool range_use_locked(phys_addr_t base, uint64_t size)
{
    uint64_t ram = sections_memory_in(base, size);
    if (ram != 0 && ram != size) {
        return false;
    }
    for (phys_addr_t at = base; at < base + ram; at += PAGE_SIZE) {
        bool entered = at == base || IS_ALIGNED(at, SECTION_SIZE);
        if (entered && !section_ensure_locked(at)) {
            return false;
        }
        const struct page *page = frame_page(at / PAGE_SIZE);
        if (!(page->private_state & FRAME_ALLOCATED) || !long_vmap_fits(page)) {
            return false;
        }
    }
    range_count_locked(base, ram, LONG_VMAP_ONE);
    return true;
}

static void range_release_locked(phys_addr_t base, uint64_t size)
{
    range_count_locked(base, sections_memory_in(base, size), -LONG_VMAP_ONE);
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

static bool range_open_locked(struct vmap_slot *slot, phys_addr_t base,
                              uint64_t size, uint64_t offset, uint64_t flags)
{
    if (!range_use_locked(base, size)) {
        return false;
    }
    // A slot's tables stay for its next range; a large leaf needs them gone.
    if (size >= MIB(2)) {
        pt_unmap_locked(slot_base(slot), slot_size(slot));
    }
    uintptr_t address = slot_base(slot) + offset * PAGE_SIZE;
    if (pt_map_locked(address, base, size, flags, 3) != 0) {
        range_release_locked(base, size);
        return false;
    }
    slot->address = address;
    return true;
}

void *vmap_range(phys_addr_t base, size_t length, unsigned prot)
{
    uintptr_t site = CALL_SITE();
    if (length == 0 || !IS_ALIGNED(base, PAGE_SIZE)) {
        vmap_misuse(length == 0 ? "vmap_range of length 0"
                                : "vmap_range of an unaligned base",
                    NULL, (void *)base, "this map", site, 0);
    }
    if (!(prot & MAP_READ) || (prot & ~PROT_ALL)) {
        vmap_misuse("vmap with an unknown prot", NULL, (void *)base, "this map",
                    site, 0);
    }
    uint64_t limit = BIT(cpu_physical_bits());
    if (base >= limit || length > limit - base || length > BIT(CLASS_SHIFT)) {
        return NULL;
    }
    uint64_t size = ALIGN_UP(length, PAGE_SIZE);
    uint64_t offset = range_offset(base, size);
    unsigned class = class_for(size / PAGE_SIZE, offset);
    if (class > CLASS_LAST) {
        return NULL;
    }
    uint64_t flags = PTE_P | PTE_A | PTE_XD |
                     (prot & MAP_WRITE ? PTE_RW | PTE_D : 0) |
                     (prot & MAP_UNCACHED ? PTE_PCD | PTE_PWT : 0);
    void *address = NULL;
    uint64_t lock = mm_lock();
    struct vmap_slot *slot = slot_make_locked(class);
    if (slot != NULL && range_open_locked(slot, base, size, offset, flags)) {
        vmap_open_locked(slot, VMAP_PHYSICAL, size / PAGE_SIZE, site);
        address = (void *)slot->address;
        if (watches_on != 0 &&
            !watch_range_locked(slot->address, size / PAGE_SIZE)) {
            vmap_range_close_locked(slot);
            slot_give_locked(slot);
            address = NULL;
        }
    } else if (slot != NULL) {
        slot_give_locked(slot);
    }
    mm_unlock(lock);
    if (address != NULL) {
        trace_long(TRACE_VMAP, base / PAGE_SIZE, size / PAGE_SIZE,
                   (uintptr_t)address, site);
    }
    return address;
}

phys_addr_t vmap_range_base_locked(const struct vmap_slot *slot)
{
    struct pt_walk walk;
    pt_walk(slot->address, &walk);
    uint64_t inside = PT_LEVEL_SIZE(walk.level) - 1;
    return (walk.entry[walk.level] & PTE_ADDRESS & ~inside) |
           (slot->address & inside);
}

void vmap_range_close_locked(const struct vmap_slot *slot)
{
    uintptr_t address = slot->address;
    uint64_t size = (uint64_t)slot_pages(slot) * PAGE_SIZE;
    phys_addr_t base = vmap_range_base_locked(slot);
    if (size < MIB(2)) {
        // Leaves of 4 KiB. Where they share a table with slots beside them,
        // which remember where their entries are, the table has to stay.
        vmap_entries_clear_locked(address, slot_pages(slot));
        long_maps_flush(address, slot_pages(slot));
    } else if (pt_unmap_locked(address, size) != 0) {
        // The ends are ends of leaves, so nothing has to be split.
        panic("no page tables to unmap a range that needs none");
    }
    range_release_locked(base, size);
}
