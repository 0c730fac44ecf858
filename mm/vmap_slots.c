// SPDX-License-Identifier: MIT
//
// Slots that are made, looked up for checks, and their tags.
#include "mm/vmap_slots.h"

#include "mm/kernel_pages.h"
#include "mm/lock.h"

_Static_assert((CLASS_LAST + 1) * BIT(CLASS_SHIFT) <= VMAP_SIZE, "layout.h");

struct vmap_class vmap_classes[CLASS_LAST + 1];
static uint32_t classes_used; // by bits: a slot of it was ever used

struct vmap_slot *slot_make_locked(unsigned class)
{
    struct vmap_class *c = &vmap_classes[class];
    if (c->free != 0) {
        return slot_take_locked(class);
    }
    if (c->fresh >= BIT(CLASS_SHIFT - PAGE_SHIFT - class)) {
        return NULL;
    }
    struct vmap_slot *slot =
        slot_of(((uint64_t) class << CLASS_NUMBERS_SHIFT) + c->fresh);
    if (c->fresh == c->known) {
        if (!kernel_page_map_locked((uintptr_t)slot)) {
            return NULL;
        }
        c->known += PAGE_SIZE / sizeof(struct vmap_slot);
    }
    c->fresh++;
    classes_used |= BIT(class);
    slot->tag = tag_of_slot(slot);
    return slot;
}

const struct vmap_slot *slot_around_locked(uintptr_t address)
{
    const struct vmap_slot *slot = slot_at_locked(address);
    return slot != NULL &&
                   (address - slot->address) / PAGE_SIZE < slot_pages(slot)
               ? slot
               : NULL;
}

const struct vmap_slot *slot_next_locked(const struct vmap_slot *slot)
{
    unsigned class = slot != NULL ? slot_class(slot) : CLASS_FIRST;
    uint64_t first = (uint64_t) class << CLASS_NUMBERS_SHIFT;
    uint64_t number = slot != NULL ? slot_number(slot) + 1 - first : 0;
    for (uint64_t left = classes_used & BITS(63, class); left != 0;
         left &= left - 1, number = 0) {
        class = __builtin_ctzll(left);
        first = (uint64_t) class << CLASS_NUMBERS_SHIFT;
        for (; number < vmap_classes[class].fresh; number++) {
            slot = slot_of(first + number);
            if (slot_pages(slot) != 0) {
                return slot;
            }
        }
    }
    return NULL;
}

size_t vmaps_count(void)
{
    size_t count = 0;
    uint64_t lock = mm_lock();
    const struct vmap_slot *slot = NULL;
    while ((slot = slot_next_locked(slot)) != NULL) {
        count++;
    }
    mm_unlock(lock);
    return count;
}

// ------------------------------------------------------------------------ Tags

#define TAG_CHECK_BITS 5
#define TAG_DATA_BITS 27
#define TAG_GENERATION_BITS 7
#define TAG_NUMBER_BITS 16

_Static_assert(TAG_GENERATION_BITS + TAG_NUMBER_BITS + 4 == TAG_DATA_BITS &&
                   CLASS_SMALL < BIT(4),
               "a class, a number and a generation");
_Static_assert(TAG_DATA_BITS < BIT(TAG_CHECK_BITS), "room for their zeroes");

static uint32_t tag_encode(uint32_t data)
{
    uint32_t zeroes = TAG_DATA_BITS;
    for (uint32_t ones = data; ones != 0; ones &= ones - 1) {
        zeroes--;
    }
    return data << TAG_CHECK_BITS | zeroes;
}

uint32_t tag_of_slot(const struct vmap_slot *slot)
{
    unsigned class = slot_class(slot);
    uint64_t number = slot_number(slot) & (BIT(CLASS_NUMBERS_SHIFT) - 1);
    if (class > CLASS_SMALL || number >= BIT(TAG_NUMBER_BITS)) {
        return TAG_NONE;
    }
    return tag_encode(class << (TAG_NUMBER_BITS + TAG_GENERATION_BITS) |
                      number << TAG_GENERATION_BITS);
}

uint32_t tag_next(uint32_t tag)
{
    uint32_t data = tag >> TAG_CHECK_BITS;
    uint32_t generations = BIT(TAG_GENERATION_BITS) - 1;
    return tag_encode((data & ~generations) | ((data + 1) & generations));
}

bool tag_is_live_locked(uint32_t tag, struct vmap_slot **slot)
{
    uint32_t place = tag >> (TAG_CHECK_BITS + TAG_GENERATION_BITS);
    if (place == 0) {
        return false; // no tag: no class is 0
    }
    uint64_t class = place >> TAG_NUMBER_BITS;
    *slot = slot_of((class << CLASS_NUMBERS_SHIFT) +
                    (place & (BIT(TAG_NUMBER_BITS) - 1)));
    return slot_is_tagged(*slot) && (*slot)->tag == tag;
}
