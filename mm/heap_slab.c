// SPDX-License-Identifier: MIT
//
// Slabs: 16 KiB of objects of one class. Which of them are free is in the
// slab's header, so nothing that a stray write reaches is ever followed. Slabs
// with free objects are on their class's list.
#include "lib/panic.h"
#include "mm/heap_internal.h"

#define SIZE_OF_CLASS(number, below, size) [number] = (size),

const uint16_t heap_class_size[HEAP_CLASSES] = {HEAP_SIZES(SIZE_OF_CLASS)};

size_t heap_states_mapped;

static size_t headers_mapped;              // bytes
static size_t slabs;                       // headers below were used
static struct slab *unused;                // slabs without a class
static struct slab *partial[HEAP_CLASSES]; // with free and other objects
static struct slab *spare[HEAP_CLASSES];   // one that is all free

size_t slabs_count_locked(void)
{
    return slabs;
}

static void partial_add(struct slab *slab)
{
    struct slab **head = &partial[slab->class];
    slab->next = *head;
    slab->prev = NULL;
    if (*head != NULL) {
        (*head)->prev = slab;
    }
    *head = slab;
}

static void partial_remove(struct slab *slab)
{
    if (slab->prev != NULL) {
        slab->prev->next = slab->next;
    } else {
        partial[slab->class] = slab->next;
    }
    if (slab->next != NULL) {
        slab->next->prev = slab->prev;
    }
}

// A header that nobody uses, with state bytes. NULL: out of memory or of
// address space.
static struct slab *header_take(void)
{
    struct slab *slab = unused;
    if (slab != NULL) {
        unused = slab->next;
        return slab;
    }
    if (slabs == HEAP_SLABS_SIZE / SLAB_SIZE ||
        !heap_table_grow(HEAP_HEADERS_BASE, (slabs + 1) * sizeof(*slab),
                         &headers_mapped) ||
        !heap_table_grow(HEAP_STATES_BASE, (slabs + 1) * SLAB_GRAINS,
                         &heap_states_mapped)) {
        return NULL;
    }
    return slab_at(slabs++);
}

static void header_give(struct slab *slab)
{
    slab->used = false;
    slab->next = unused;
    unused = slab;
}

static struct slab *slab_create(unsigned class)
{
    struct slab *slab = header_take();
    if (slab == NULL) {
        return NULL;
    }
    if (!heap_memory_map(slab_base(slab), SLAB_PAGES, &slab->memory)) {
        header_give(slab);
        return NULL;
    }
    unsigned objects = SLAB_SIZE / (heap_class_size[class] + HEAP_TRACK_SIZE);
    slab->class = class;
    slab->used = true;
    slab->objects = objects;
    slab->free_count = objects;
    slab->free_words = BITS((objects - 1) / 64, 0);
    for (unsigned i = 0; i < ARRAY_SIZE(slab->free); i++) {
        unsigned first = i * 64;
        slab->free[i] = objects >= first + 64 ? ~0ull
                        : objects > first     ? BIT(objects - first) - 1
                                              : 0;
    }
    memset(heap_state(slab_base(slab)), 0, SLAB_GRAINS);
    heap_check_new(slab);
    return slab;
}

// The slab may stay mapped until its address space is used again.
static void slab_destroy(struct slab *slab)
{
    heap_memory_unmap(slab_base(slab), &slab->memory);
    header_give(slab);
}

// A slab of the class with free objects, on the list.
static struct slab *slab_ready(unsigned class)
{
    if (partial[class] != NULL) {
        return partial[class];
    }
    struct slab *slab = spare[class];
    spare[class] = NULL;
    if (slab == NULL) {
        slab = slab_create(class);
    }
    if (slab == NULL) {
        heap_trim_locked();
        if (partial[class] != NULL) {
            return partial[class];
        }
        slab = slab_create(class);
    }
    if (slab != NULL) {
        partial_add(slab);
    }
    return slab;
}

static void *object_take(struct slab *slab)
{
    unsigned word = __builtin_ctzll(slab->free_words);
    unsigned bit = __builtin_ctzll(slab->free[word]);
    slab->free[word] &= ~BIT(bit);
    if (slab->free[word] == 0) {
        slab->free_words &= ~BIT(word);
    }
    slab->free_count--;
    return (void *)(slab_base(slab) +
                    (word * 64ul + bit) * heap_class_size[slab->class]);
}

size_t slab_take_locked(unsigned class, void **objects, size_t max)
{
    struct slab *slab = slab_ready(class);
    size_t taken = 0;
    while (slab != NULL && taken < max) {
        objects[taken++] = object_take(slab);
        if (slab->free_count == 0) {
            partial_remove(slab);
            slab = partial[class];
        }
    }
    return taken;
}

static void object_give(struct slab *slab, uintptr_t object)
{
    size_t number = (object - slab_base(slab)) / heap_class_size[slab->class];
    DEBUG_ASSERT(!(slab->free[number / 64] & BIT(number % 64)));
    slab->free[number / 64] |= BIT(number % 64);
    slab->free_words |= BIT(number / 64);
    slab->free_count++;
}

void slab_give_locked(unsigned class, void *const *objects, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct slab *slab = slab_of((uintptr_t)objects[i]);
        object_give(slab, (uintptr_t)objects[i]);
        bool listed = slab->free_count > 1;
        if (slab->free_count < slab->objects) {
            if (!listed) {
                partial_add(slab);
            }
            continue;
        }
        if (listed) {
            partial_remove(slab);
        }
        if (spare[class] == NULL) {
            spare[class] = slab;
        } else {
            slab_destroy(slab);
        }
    }
}

void slab_trim_locked(unsigned class)
{
    if (spare[class] != NULL) {
        slab_destroy(spare[class]);
        spare[class] = NULL;
    }
}
