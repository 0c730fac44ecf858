// SPDX-License-Identifier: MIT
//
// Taking and finding slots: the head of a list, and arithmetic.
#include "mm/vmap_slots.h"

#include "arch/pte.h"
#include "mm/frames.h"
#include "mm/kernel_pages.h"
#include "mm/long_maps.h"
#include "mm/misuse.h"
#include "mm/pagetable.h"

#define CLASS_SLOTS_SIZE GIB(2)

_Static_assert((CLASS_LAST + 1) * BIT(CLASS_SHIFT) <= VMAP_SIZE, "layout.h");
_Static_assert((CLASS_LAST + 1) * CLASS_SLOTS_SIZE <= VMAP_SLOTS_SIZE,
               "layout.h");

static struct vmap_class {
    uint32_t free;  // slot number + 1, 0: none
    uint32_t fresh; // slots below have been used
    uint32_t known; // slots below have memory behind their struct vmap_slot
} classes[CLASS_LAST + 1];

struct vmap_slot *slot_at(unsigned class, uint64_t number)
{
    return (struct vmap_slot *)(VMAP_SLOTS_BASE + class * CLASS_SLOTS_SIZE) +
           number;
}

// Memory for one more page of struct vmap_slot.
static bool slots_grow_locked(unsigned class)
{
    struct vmap_class *c = &classes[class];
    if (!kernel_page_map_locked((uintptr_t)slot_at(class, c->known))) {
        return false;
    }
    c->known += PAGE_SIZE / sizeof(struct vmap_slot);
    return true;
}

bool slot_take_locked(unsigned class, uint64_t *number)
{
    struct vmap_class *c = &classes[class];
    if (likely(c->free != 0)) {
        *number = c->free - 1;
        c->free = slot_at(class, *number)->next;
        return true;
    }
    if (c->fresh >= BIT(CLASS_SHIFT - 12 - class) ||
        (c->fresh == c->known && !slots_grow_locked(class))) {
        return false;
    }
    *number = c->fresh++;
    return true;
}

void slot_give_locked(unsigned class, uint64_t number)
{
    struct vmap_slot *slot = slot_at(class, number);
    slot->pages = 0;
    slot->next = classes[class].free;
    classes[class].free = number + 1;
}

struct vmap_slot *slot_find_locked(uintptr_t address, unsigned *class,
                                   uint64_t *number, int32_t *before)
{
    *before = 0;
    *class = (address - VMAP_BASE) >> CLASS_SHIFT;
    if (address < VMAP_BASE || *class < CLASS_FIRST || *class > CLASS_LAST) {
        return NULL;
    }
    *number = (address & (BIT(CLASS_SHIFT) - 1)) >> (*class + 12);
    if (*number >= classes[*class].fresh) {
        return NULL;
    }
    struct vmap_slot *slot = slot_at(*class, *number);
    if (address !=
        slot_address(*class, *number) + (uint64_t)slot->offset * PAGE_SIZE) {
        return NULL;
    }
    if (slot->pages == 0) {
        *before = slot->unmap_site;
        return NULL;
    }
    return slot;
}

uintptr_t vmap_site_of(const struct page *page)
{
    for (unsigned class = CLASS_FIRST; class <= CLASS_LAST; class ++) {
        for (uint64_t n = 0; n < classes[class].fresh; n++) {
            const struct vmap_slot *slot = slot_at(class, n);
            uintptr_t at =
                slot_address(class, n) + (uint64_t)slot->offset * PAGE_SIZE;
            for (uint32_t i = 0; i < slot->pages; i++) {
                struct pt_walk walk;
                pt_walk(at + i * PAGE_SIZE, &walk);
                uint64_t inside = PT_LEVEL_SIZE(walk.level) - 1;
                if (walk.present &&
                    ((walk.entry[walk.level] & PTE_ADDRESS & ~inside) |
                     ((at + i * PAGE_SIZE) & inside)) == page_to_phys(page)) {
                    return site_unpack(slot->map_site);
                }
            }
        }
    }
    return 0;
}
