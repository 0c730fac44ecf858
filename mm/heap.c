// SPDX-License-Identifier: MIT
//
// kmalloc(), kzalloc(), kfree(). Each size has a short stack of free objects;
// most calls do no more than move one from or to it.
#include "arch/cpu.h"
#include "arch/percpu.h"
#include "mm/heap_internal.h"
#include "mm/misuse.h"

#define STACK_SLOTS 32
#define STACK_BYTES KIB(16) // of objects in a stack, at most...
#define STACK_OBJECTS_MIN 4 // ...but so many
#define STACK_OBJECTS(size)                                                    \
    MIN(MAX(STACK_BYTES / (size), STACK_OBJECTS_MIN), STACK_SLOTS - 1)

// The stacks of a CPU hold objects that are free, whose slabs take them for
// used. Only that CPU touches them, with interrupts off. A stack grows up to an
// aligned address, and below its first object is a NULL that stays.
_Static_assert(STACK_SLOTS == PERCPU_HEAP_SLOTS &&
                   HEAP_CLASSES == PERCPU_HEAP_CLASSES,
               "arch/percpu.h");

// This CPU's top of the stack of a class. Compilers index an array at an
// address better than one inside a structure.
#define HEAP_TOP(class)                                                        \
    ((void **__seg_gs *)offsetof(struct cpu_data, heap_top) + (class))

#define CLASS_OF_SIZE(number, below, size)                                     \
    [(below) / HEAP_GRAIN + 1 ...(size) / HEAP_GRAIN] = (number),

// The state that an object has in a slot of so many grains; none is as good as
// one.
static const uint8_t class_of_grains[HEAP_SMALL_MAX / HEAP_GRAIN + 1] = {
    1, HEAP_SIZES(CLASS_OF_SIZE)};

struct spinlock heap_lock = SPINLOCK("heap");

// ---------------------------------------------------------------- The stacks

static bool stack_is_full(void *const *top)
{
    return IS_ALIGNED((uintptr_t)top, STACK_SLOTS * sizeof(void *));
}

static size_t stack_limit(unsigned class)
{
    return STACK_OBJECTS((size_t)heap_class_size[class]);
}

static void **stack_bottom(unsigned class)
{
    return &percpu.self->heap_slots[class][STACK_SLOTS - stack_limit(class)];
}

void heap_init_cpu(struct cpu_data *cpu)
{
    for (unsigned class = 1; class < HEAP_CLASSES; class ++) {
        cpu->heap_top[class] =
            &cpu->heap_slots[class][STACK_SLOTS - stack_limit(class)];
    }
}

// Give the oldest `count` objects of a stack back to their slabs.
static void stack_shrink_locked(unsigned class, size_t count)
{
    void **bottom = stack_bottom(class);
    size_t rest = (*HEAP_TOP(class)) - bottom - count;
    slab_give_locked(class, bottom, count);
    memmove(bottom, bottom + count, rest * sizeof(*bottom));
    (*HEAP_TOP(class)) = bottom + rest;
}

// The stack was empty: fill half of it, beside one object for the caller. NULL:
// out of memory.
static void *stack_refill(size_t class)
{
    void *object = NULL;
    uint64_t lock = spin_lock(&heap_lock);
    if (slab_take_locked(class, &object, 1) == 1 &&
        (*HEAP_TOP(class)) == stack_bottom(class)) {
        (*HEAP_TOP(class)) += slab_take_locked(class, stack_bottom(class),
                                               stack_limit(class) / 2);
    }
    spin_unlock(&heap_lock, lock);
    return object;
}

// Put an object on a stack that was full.
static __noinline void free_slow(void *object, size_t class)
{
    uint64_t lock = spin_lock(&heap_lock);
    if (stack_is_full((*HEAP_TOP(class)))) {
        stack_shrink_locked(class, stack_limit(class) / 2);
    }
    *(*HEAP_TOP(class))++ = object;
    spin_unlock(&heap_lock, lock);
}

void heap_trim_locked(void)
{
    for (unsigned class = 1; class < HEAP_CLASSES; class ++) {
        stack_shrink_locked(class, (*HEAP_TOP(class)) - stack_bottom(class));
        slab_trim_locked(class);
    }
}

static void trim_here(void *unused)
{
    (void)unused;
    uint64_t lock = spin_lock(&heap_lock);
    heap_trim_locked();
    spin_unlock(&heap_lock, lock);
}

void heap_trim(void)
{
    for (unsigned cpu = 0; cpu < cpus_count; cpu++) {
        cpu_call(cpu, trim_here, NULL);
    }
}

// ------------------------------------------------------------ Public contract

// The object is the caller's from here on.
static inline void *object_hand_out(void *object, size_t size, size_t class,
                                    uintptr_t site)
{
    if (HEAP_CHECKS) {
        heap_check_alloc(object, size, class, site);
    }
    *heap_state((uintptr_t)object) = class;
    return object;
}

static __noinline void *alloc_slow(size_t size, size_t slot, uintptr_t site)
{
    if (slot > HEAP_SMALL_MAX) {
        return large_alloc(size, site);
    }
    unsigned class = class_of_grains[(slot + HEAP_GRAIN - 1) / HEAP_GRAIN];
    void *object = stack_refill(class);
    return object != NULL ? object_hand_out(object, size, class, site) : NULL;
}

// Inlined, so that CALL_SITE() is that of kmalloc() or kzalloc().
static inline __attribute__((always_inline)) void *alloc(size_t size)
{
    size_t slot = size <= HEAP_SMALL_MAX ? heap_slot_size(size) : size;
    if (unlikely(slot > HEAP_SMALL_MAX)) {
        return alloc_slow(size, slot, CALL_SITE());
    }
    size_t class = class_of_grains[(slot + HEAP_GRAIN - 1) / HEAP_GRAIN];
    uint64_t flags = cpu_interrupts_off();
    void **top = (*HEAP_TOP(class));
    void *object = top[-1];
    if (unlikely(object == NULL)) {
        cpu_interrupts_restore(flags);
        return alloc_slow(size, slot, CALL_SITE());
    }
    (*HEAP_TOP(class)) = top - 1;
    cpu_interrupts_restore(flags);
    return object_hand_out(object, size, class, CALL_SITE());
}

void *kmalloc(size_t size)
{
    return alloc(size);
}

void *kzalloc(size_t size)
{
    void *object = alloc(size);
    if (object != NULL) {
        memset(object, 0, size);
    }
    return object;
}

// Not a small object: a large one, or nothing of ours.
static __noinline void free_other(void *object, uintptr_t site)
{
    if (object != NULL) {
        large_free((uintptr_t)object, site);
    }
}

void kfree(void *object)
{
    // One comparison for "inside" and "aligned": the low bits come to the top.
    uintptr_t offset = (uintptr_t)object - HEAP_SLABS_BASE;
    if (unlikely((offset >> HEAP_STATES_SHIFT |
                  offset << (64 - HEAP_STATES_SHIFT)) >= heap_states_mapped)) {
        free_other(object, CALL_SITE());
        return;
    }
    uint8_t *state = heap_state((uintptr_t)object);
    size_t class = *state;
    if (unlikely(!heap_is_live(class))) {
        heap_misuse_free((uintptr_t)object, CALL_SITE());
    }
    if (HEAP_CHECKS) {
        heap_check_free(object, class, CALL_SITE());
    } else {
        *(int32_t *)object = site_pack(CALL_SITE());
    }
    *state |= HEAP_FREED;
    uint64_t flags = cpu_interrupts_off();
    void **top = (*HEAP_TOP(class));
    if (unlikely(stack_is_full(top))) {
        cpu_interrupts_restore(flags);
        free_slow(object, class);
        return;
    }
    *top = object;
    (*HEAP_TOP(class)) = top + 1;
    cpu_interrupts_restore(flags);
}
