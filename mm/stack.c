// SPDX-License-Identifier: MIT
//
// Slots of 2^n pages, a part of the region for each n. A stack ends where its
// slot ends; below it the slot is unmapped, one page at least. So the first
// page of every slot is a guard: that of its own stack at the bottom and that
// of the slot before at the top.
//
// A destroyed stack is unmapped and invalidated at once. A few keep their slot
// and their frames, so that the next one of that size is a matter of entries.
// Page tables stay for later slots.
#include "mm/stack.h"

#include "arch/cpu.h"
#include "arch/pte.h"
#include "arch/spinlock.h"
#include "arch/trap.h"
#include "lib/string.h"
#include "mm/heap_internal.h"
#include "mm/lock.h"
#include "mm/long_maps.h"
#include "mm/misuse.h"
#include "mm/pagetable.h"
#include "mm/pt_window.h"

#define CLASSES 9 // slots of 2 to 256 pages; 0 is none
#define PART_SIZE (STACKS_SIZE / 8)
#define PART_SLOTS (STACK_SLOTS_SIZE / 8 / sizeof(struct slot))
#define KEPT_MAX 8 // of a class

#define STACK_PTE (PTE_P | PTE_RW | PTE_A | PTE_D | PTE_XD)

enum slot_state { SLOT_FREE, SLOT_KEPT, SLOT_LIVE };

struct slot {
    struct heap_memory memory; // frames, unless it is free
    uint32_t pages;            // of the stack that is or was here
    uint32_t next;             // on a list: slot number + 1, 0 ends it
    int32_t create_site;
    int32_t destroy_site; // 0: never destroyed
    uint8_t state;
    char name[STACK_NAME_SIZE];
};

_Static_assert(sizeof(struct slot) == 64, "whole entries in a page");
_Static_assert(PART_SIZE / (2 * PAGE_SIZE) <= PART_SLOTS, "mm/layout.h");
_Static_assert(CLASSES == 9 && (STACK_PAGES_MAX + 1) == 1 << (CLASSES - 1),
               "eight parts");

// Guards all of this; mm_lock may be taken inside.
static struct spinlock stack_lock = SPINLOCK("stacks");

static struct {
    uint32_t used; // slots below were used once, and have an entry
    uint32_t free; // lists of slots
    uint32_t kept;
    uint32_t kept_count;
    size_t entries_mapped; // bytes
} classes[CLASSES];

static unsigned class_of(size_t pages)
{
    return 64 - __builtin_clzll(pages);
}

static struct slot *slot_at(unsigned class, uint32_t number)
{
    return (struct slot *)(STACK_SLOTS_BASE +
                           (class - 1) * (STACK_SLOTS_SIZE / 8)) +
           number;
}

static uint64_t slot_size(unsigned class)
{
    return PAGE_SIZE << class;
}

static uintptr_t slot_top(unsigned class, uint32_t number)
{
    return STACKS_BASE + (class - 1) * PART_SIZE +
           (number + 1) * slot_size(class);
}

// The slot that holds an address, if it was used once. No locks: for faults.
static struct slot *slot_find(uintptr_t address, unsigned *class,
                              uint32_t *number)
{
    uint64_t offset = address - STACKS_BASE;
    if (offset >= STACKS_SIZE) {
        return NULL;
    }
    *class = 1 + offset / PART_SIZE;
    *number = offset % PART_SIZE / slot_size(*class);
    return *number < classes[*class].used ? slot_at(*class, *number) : NULL;
}

// ---------------------------------------------------------------------- Slots

static struct slot *list_pop(unsigned class, uint32_t *list, uint32_t *number)
{
    *number = *list - 1;
    struct slot *slot = slot_at(class, *number);
    *list = slot->next;
    return slot;
}

static void list_push(uint32_t *list, struct slot *slot, uint32_t number)
{
    slot->next = *list;
    *list = number + 1;
}

// A slot without frames; NULL: no addresses or no memory left.
static struct slot *slot_take(unsigned class, uint32_t *number)
{
    if (classes[class].free != 0) {
        return list_pop(class, &classes[class].free, number);
    }
    *number = classes[class].used;
    if (*number == PART_SIZE / slot_size(class) ||
        !heap_table_grow((uintptr_t)slot_at(class, 0),
                         (*number + 1) * sizeof(struct slot),
                         &classes[class].entries_mapped)) {
        return NULL;
    }
    classes[class].used++;
    return slot_at(class, *number);
}

// A slot that has the frames of a stack of this size; NULL: none.
static struct slot *slot_take_kept(unsigned class, size_t pages,
                                   uint32_t *number)
{
    uint32_t *link = &classes[class].kept;
    while (*link != 0) {
        struct slot *slot = slot_at(class, *link - 1);
        if (slot->pages == pages) {
            classes[class].kept_count--;
            return list_pop(class, link, number);
        }
        link = &slot->next;
    }
    return NULL;
}

static void slot_keep(unsigned class, struct slot *slot, uint32_t number)
{
    if (classes[class].kept_count < KEPT_MAX) {
        slot->state = SLOT_KEPT;
        classes[class].kept_count++;
        list_push(&classes[class].kept, slot, number);
        return;
    }
    uint64_t lock = mm_lock();
    heap_memory_give_locked(&slot->memory);
    mm_unlock(lock);
    slot->state = SLOT_FREE;
    list_push(&classes[class].free, slot, number);
}

void stacks_trim_locked(void)
{
    uint64_t flags;
    if (!spin_trylock(&stack_lock, &flags)) {
        return; // it is a stack that memory is wanted for
    }
    for (unsigned class = 1; class < CLASSES; class ++) {
        while (classes[class].kept != 0) {
            uint32_t number;
            struct slot *slot = list_pop(class, &classes[class].kept, &number);
            heap_memory_give_locked(&slot->memory);
            slot->state = SLOT_FREE;
            list_push(&classes[class].free, slot, number);
        }
        classes[class].kept_count = 0;
    }
    spin_unlock(&stack_lock, flags);
}

// -------------------------------------------------------------------- Mapping

// Write the entries of a stack whose frames are there. A slot's entries are all
// in one table. False: no page table left.
static bool slot_map(const struct slot *slot, uintptr_t top)
{
    uintptr_t bottom = top - slot->pages * PAGE_SIZE;
    uint64_t lock = mm_lock();
    uint64_t *entry = pt_entries_locked(bottom);
    if (entry == NULL) {
        mm_unlock(lock);
        return false;
    }
    entry += slot->pages; // the list begins with the last block
    uint32_t rights = window_open(WINDOW_WRITE);
    for (uint32_t frame = slot->memory.first; frame != 0;
         frame = frame_page(frame)->private_next) {
        uint64_t count = BIT(frame_page(frame)->private_order);
        for (uint64_t i = count; i-- > 0;) {
            *--entry = (frame + i) * PAGE_SIZE | STACK_PTE;
        }
    }
    window_close(rights);
    percpu_add_value(pte_writes, slot->pages);
    mm_unlock(lock);
    return true;
}

static void slot_unmap(const struct slot *slot, uintptr_t top)
{
    uintptr_t bottom = top - slot->pages * PAGE_SIZE;
    uint64_t lock = mm_lock();
    uint64_t *entry = pt_entries_locked(bottom); // there: the stack is mapped
    uint32_t rights = window_open(WINDOW_WRITE);
    for (uint32_t i = 0; i < slot->pages; i++) {
        entry[i] = 0;
    }
    window_close(rights);
    percpu_add_value(pte_writes, slot->pages);
    long_maps_flush(bottom, slot->pages);
    mm_unlock(lock);
}

// ------------------------------------------------------------ Create, destroy

static struct slot *slot_fill(unsigned class, size_t pages, uint32_t *number)
{
    struct slot *slot = slot_take_kept(class, pages, number);
    if (slot != NULL) {
        if (slot_map(slot, slot_top(class, *number))) {
            return slot;
        }
        slot_keep(class, slot, *number);
        return NULL;
    }
    slot = slot_take(class, number);
    if (slot == NULL) {
        return NULL;
    }
    slot->pages = pages;
    if (!heap_memory_map(slot_top(class, *number) - pages * PAGE_SIZE, pages,
                         &slot->memory)) {
        list_push(&classes[class].free, slot, *number);
        return NULL;
    }
    return slot;
}

void *stack_create(const char *name, size_t pages)
{
    if (pages == 0 || pages > STACK_PAGES_MAX) {
        return NULL;
    }
    unsigned class = class_of(pages);
    uint32_t number;
    void *top = NULL;
    uint64_t lock = spin_lock(&stack_lock);
    struct slot *slot = slot_fill(class, pages, &number);
    if (slot != NULL) {
        string_copy(slot->name, sizeof(slot->name), name);
        slot->create_site = site_pack(CALL_SITE());
        cpu_compiler_barrier(); // a report in an NMI finds all of it or none
        slot->state = SLOT_LIVE;
        top = (void *)slot_top(class, number);
    }
    spin_unlock(&stack_lock, lock);
    return top;
}

static __cold __noreturn void misuse_destroy(const struct slot *slot,
                                             const void *top, uintptr_t site)
{
    struct misuse misuse = {
        .what = "destroy of an address that is no stack's top",
        .address = top,
        .site = {{"this destroy", site}},
    };
    if (slot != NULL && slot->state == SLOT_LIVE) {
        misuse.what = "destroy of the stack that is in use";
        misuse.site[1].what = "created";
        misuse.site[1].ip = site_unpack(slot->create_site);
    } else if (slot != NULL && slot->destroy_site != 0) {
        misuse.what = "stack destroyed twice";
        misuse.site[1].what = "destroyed before";
        misuse.site[1].ip = site_unpack(slot->destroy_site);
    }
    misuse_report(&misuse);
}

void stack_destroy(void *top)
{
    unsigned class;
    uint32_t number;
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    uint64_t lock = spin_lock(&stack_lock);
    struct slot *slot = slot_find((uintptr_t)top - 1, &class, &number);
    if (slot != NULL && slot_top(class, number) != (uintptr_t)top) {
        slot = NULL;
    }
    if (unlikely(slot == NULL || slot->state != SLOT_LIVE ||
                 (uintptr_t)top - here < slot_size(class))) {
        spin_unlock(&stack_lock, lock);
        misuse_destroy(slot, top, CALL_SITE());
    }
    slot_unmap(slot, (uintptr_t)top);
    slot->destroy_site = site_pack(CALL_SITE());
    slot_keep(class, slot, number);
    spin_unlock(&stack_lock, lock);
}

// ---------------------------------------------------- For reports and audits

bool stack_made_find(uintptr_t address, uintptr_t *bottom, uintptr_t *top)
{
    unsigned class;
    uint32_t number;
    const struct slot *slot = slot_find(address, &class, &number);
    if (slot == NULL || slot->state != SLOT_LIVE) {
        return false;
    }
    *top = slot_top(class, number);
    *bottom = *top - slot->pages * PAGE_SIZE;
    return address >= *bottom;
}

const char *stack_made_guard_name(uintptr_t address)
{
    uintptr_t bottom, top;
    unsigned class;
    uint32_t number;
    const struct slot *slot = slot_find(address, &class, &number);
    if (slot != NULL && slot->state == SLOT_LIVE) {
        return stack_made_find(address, &bottom, &top) ? NULL : slot->name;
    }
    // The page behind a slot's stack.
    slot = slot_find(address - PAGE_SIZE, &class, &number);
    return slot != NULL && slot->state == SLOT_LIVE &&
                   address >= slot_top(class, number)
               ? slot->name
               : NULL;
}

bool stack_owns_page(uintptr_t address)
{
    uintptr_t bottom, top;
    return stack_made_find(address, &bottom, &top);
}

bool stack_kept_next(unsigned *slot, uint32_t *frame)
{
    for (unsigned class = 1, index = 0; class < CLASSES; class ++) {
        for (uint32_t n = classes[class].kept; n != 0;
             n = slot_at(class, n - 1)->next) {
            if (index++ == *slot) {
                *frame = slot_at(class, n - 1)->memory.first;
                (*slot)++;
                return true;
            }
        }
    }
    return false;
}
