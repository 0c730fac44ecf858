// SPDX-License-Identifier: MIT
//
// What is wrong with a free, and what is in use. The frees are found out here,
// at leisure: kfree() only knows that something is wrong.
#include "mm/heap_internal.h"
#include "mm/misuse.h"

// ------------------------------------------------------------------- Misuse

// Where and by whom a freed object was freed; 0: that is not known any more.
static uintptr_t small_freed_site(const struct slab *slab, uintptr_t object)
{
    if (slab->memory.pages == 0) {
        return 0;
    }
    return site_unpack(HEAP_CHECKS ? heap_track(slab, object)->free_site
                                   : *(const int32_t *)object);
}

static void site_set(struct misuse *misuse, const char *what, uintptr_t ip)
{
    misuse->site[1].what = ip != 0 ? what : NULL;
    misuse->site[1].ip = ip;
}

static void small_explain(struct misuse *misuse, uintptr_t object)
{
    const struct slab *slab = slab_of(object);
    if (IS_ALIGNED(object, HEAP_GRAIN) && (*heap_state(object) & HEAP_FREED)) {
        misuse->what = "heap object freed twice";
        site_set(misuse, "freed before", small_freed_site(slab, object));
        return;
    }
    if (!slab->used) {
        return;
    }
    size_t size = heap_class_size[slab->class];
    uintptr_t start = object - (object - slab_base(slab)) % size;
    if (start != object && heap_is_live(*heap_state(start))) {
        misuse->what = "free of an address inside a heap object";
        site_set(misuse, "object allocated",
                 HEAP_CHECKS ? site_unpack(heap_track(slab, start)->alloc_site)
                             : 0);
    }
}

static void large_explain(struct misuse *misuse, uintptr_t object)
{
    uintptr_t base;
    const struct large *large = large_find(object, &base);
    if (large == NULL) {
        return;
    }
    if (large->next == LARGE_LIVE && object - base < large->size) {
        misuse->what = "free of an address inside a heap object";
        site_set(misuse, "object allocated", site_unpack(large->alloc_site));
    } else if (large->free_site != 0 && object == base) {
        misuse->what = "heap object freed twice";
        site_set(misuse, "freed before", site_unpack(large->free_site));
    }
}

void heap_misuse_free(uintptr_t object, uintptr_t site)
{
    struct misuse misuse = {
        .what = "free of an address that the heap did not give",
        .address = (const void *)object,
        .site = {{"this free", site}},
    };
    if ((object - HEAP_SLABS_BASE) / HEAP_GRAIN < heap_states_mapped) {
        small_explain(&misuse, object);
    } else {
        large_explain(&misuse, object);
    }
    misuse_report(&misuse);
}

// -------------------------------------------------------------------- In use

struct in_use {
    size_t size;
    uintptr_t site; // 0 in release builds
    uint32_t serial;
};

typedef void (*in_use_fn)(void *context, const struct in_use *object);

static void slab_visit(const struct slab *slab, in_use_fn visit, void *context)
{
    size_t size = heap_class_size[slab->class];
    for (unsigned i = 0; i < slab->objects; i++) {
        uintptr_t object = slab_base(slab) + i * size;
        if (!heap_is_live(*heap_state(object))) {
            continue;
        }
        struct in_use found = {.size = size};
        if (HEAP_CHECKS) {
            const struct heap_track *track = heap_track(slab, object);
            found.size = track->size;
            found.site = site_unpack(track->alloc_site);
            found.serial = track->serial;
        }
        visit(context, &found);
    }
}

static void all_visit(in_use_fn visit, void *context)
{
    uint64_t lock = spin_lock(&heap_lock);
    for (size_t i = 0; i < slabs_count_locked(); i++) {
        if (slab_at(i)->used) {
            slab_visit(slab_at(i), visit, context);
        }
    }
    for (unsigned order = 1; order <= LARGE_ORDERS; order++) {
        const struct large *large;
        uintptr_t base;
        for (size_t i = 0; (large = large_at_locked(order, i, &base)) != NULL;
             i++) {
            if (large->next == LARGE_LIVE) {
                visit(context, &(struct in_use){
                                   .size = large->size,
                                   .site = site_unpack(large->alloc_site),
                                   .serial = large->serial,
                               });
            }
        }
    }
    spin_unlock(&heap_lock, lock);
}

static void usage_add(void *context, const struct in_use *object)
{
    struct heap_usage *usage = context;
    usage->objects++;
    usage->bytes += object->size;
}

void heap_usage_read(struct heap_usage *usage)
{
    *usage = (struct heap_usage){0};
    all_visit(usage_add, usage);
}

uint32_t heap_mark(void)
{
    return HEAP_CHECKS ? heap_serial : 0;
}

struct leaks {
    uint32_t mark;
    struct heap_leak *leak;
    size_t count, max;
};

static void leak_add(void *context, const struct in_use *object)
{
    struct leaks *leaks = context;
    if (object->serial <= leaks->mark) {
        return;
    }
    size_t i = 0;
    while (i < leaks->count && leaks->leak[i].site != object->site) {
        i++;
    }
    if (i == leaks->max) {
        i--; // no entry left
    } else if (i == leaks->count) {
        leaks->count++;
        leaks->leak[i] = (struct heap_leak){.site = object->site};
    }
    leaks->leak[i].objects++;
    leaks->leak[i].bytes += object->size;
}

size_t heap_leaks(uint32_t mark, struct heap_leak *leaks, size_t max)
{
    struct leaks found = {.mark = mark, .leak = leaks, .max = max};
    if (HEAP_CHECKS && max != 0) {
        all_visit(leak_add, &found);
    }
    return found.count;
}
