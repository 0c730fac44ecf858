// SPDX-License-Identifier: MIT
//
// Whose address a long-lived mapping's is or was, for reports. Nothing is
// locked: what other CPUs do meanwhile may make it wrong.
#include "mm/layout.h"
#include "mm/long_maps.h"
#include "mm/misuse.h"
#include "mm/section.h"
#include "mm/vmap_slots.h"

bool long_map_of(const struct page *page, struct long_map *map)
{
    if (!(long_counts(page) & LONG_KMAP_SITE)) {
        return false;
    }
    *map = (struct long_map){
        .call = "kmap",
        .open = long_kmap_is_open(page),
        .site = kmap_site_of(page),
        .page = page,
    };
    return true;
}

// The slot that an address is in, or whose end is right before it.
static const struct vmap_slot *slot_near(uintptr_t address)
{
    const struct vmap_slot *slot = slot_at_locked(address);
    if (slot != NULL && address - slot_base(slot) >= PAGE_SIZE) {
        return slot;
    }
    return slot_at_locked(address - PAGE_SIZE);
}

static bool vmap_at(uintptr_t address, struct long_map *map)
{
    const struct vmap_slot *slot = slot_near(address);
    if (slot == NULL || (slot->extent == 0 && slot->unmap_site == 0)) {
        return false;
    }
    bool open = slot->extent != 0;
    *map = (struct long_map){
        .call = "vmap",
        .open = open,
        .outside = open && address - slot->address >=
                               (uint64_t)slot_pages(slot) * PAGE_SIZE,
        .site = site_unpack(open ? slot->map_site : slot->unmap_site),
    };
    return true;
}

bool long_map_at(uintptr_t address, struct long_map *map)
{
    phys_addr_t physical = address - KMAP_BASE;
    if (address - VMAP_BASE < VMAP_SIZE) {
        return vmap_at(address, map);
    }
    return physical < KMAP_SIZE && section_is_ready(physical) &&
           long_map_of(frame_page(physical / PAGE_SIZE), map);
}
