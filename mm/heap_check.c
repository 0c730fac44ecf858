// SPDX-License-Identifier: MIT
//
// Debug builds: every byte of a slab that no live object has is one that we
// know. Free slots are poisoned, checked when they are given again; a red zone
// fills what an object leaves of its slot, checked when it is freed.
#include "mm/heap_internal.h"
#include "mm/misuse.h"

uint32_t heap_serial;

struct heap_track *heap_track(const struct slab *slab, uintptr_t object)
{
    size_t number = (object - slab_base(slab)) / heap_class_size[slab->class];
    return (struct heap_track *)(slab_base(slab) + SLAB_SIZE) - 1 - number;
}

#ifdef KEYHOLE_DEBUG

// The first of `size` bytes that is not `value`, or NULL.
static const uint8_t *find_other(const void *at, int value, size_t size)
{
    const uint8_t *byte = at, *end = byte + size;
    uint64_t word = (uint8_t)value * 0x0101010101010101ull;
    for (; end - byte >= 8 && IS_ALIGNED((uintptr_t)byte, 8); byte += 8) {
        if (*(const uint64_t *)byte != word) {
            break;
        }
    }
    for (; byte < end; byte++) {
        if (*byte != (uint8_t)value) {
            return byte;
        }
    }
    return NULL;
}

void heap_check_new(const struct slab *slab)
{
    void *base = (void *)slab_base(slab);
    size_t objects = slab->objects * (size_t)heap_class_size[slab->class];
    memset(base, HEAP_POISON, objects);
    memset((char *)base + objects, 0, SLAB_SIZE - objects);
}

// The slot is sound again before the report, which may be caught: only the
// first allocation after a stray write complains.
void heap_check_alloc(void *object, size_t size, unsigned class, uintptr_t site)
{
    size_t slot = heap_class_size[class];
    struct heap_track *track =
        heap_track(slab_of((uintptr_t)object), (uintptr_t)object);
    const void *bad = find_other(object, HEAP_POISON, slot);
    if (bad != NULL) {
        memset(object, HEAP_POISON, slot);
    }
    memset(object, HEAP_FRESH, size);
    memset((char *)object + size, HEAP_RED, slot - size);
    int32_t freed = track->free_site;
    track->size = size;
    track->alloc_site = site_pack(site);
    track->serial = ++heap_serial;
    if (bad != NULL) {
        *heap_state((uintptr_t)object) = class;
        kfree(object);
        track->free_site = freed;
        misuse_report(&(struct misuse){
            .what = "heap object written to after it was freed",
            .address = bad,
            .site = {{"found at this allocation", site},
                     {freed != 0 ? "freed" : NULL, site_unpack(freed)}},
        });
    }
}

static void red_check(const void *red, size_t size, int32_t alloc_site,
                      uintptr_t site)
{
    const void *bad = find_other(red, HEAP_RED, size);
    if (bad != NULL) {
        misuse_report(&(struct misuse){
            .what = "heap object written past its end",
            .address = bad,
            .site = {{"found at this free", site},
                     {"allocated", site_unpack(alloc_site)}},
        });
    }
}

void heap_check_free(void *object, unsigned class, uintptr_t site)
{
    struct heap_track *track =
        heap_track(slab_of((uintptr_t)object), (uintptr_t)object);
    size_t slot = heap_class_size[class];
    red_check((char *)object + track->size, slot - track->size,
              track->alloc_site, site);
    memset(object, HEAP_POISON, slot);
    track->free_site = site_pack(site);
}

// What is left of a large object's last page.
static size_t large_red(const struct large *large)
{
    return ALIGN_UP(large->size, PAGE_SIZE) - large->size;
}

void heap_check_large_alloc(uintptr_t object, const struct large *large)
{
    memset((void *)(object + large->size), HEAP_RED, large_red(large));
}

void heap_check_large_free(uintptr_t object, const struct large *large,
                           uintptr_t site)
{
    red_check((void *)(object + large->size), large_red(large),
              large->alloc_site, site);
}

#else

void heap_check_new(const struct slab *slab)
{
    (void)slab;
}

void heap_check_large_alloc(uintptr_t object, const struct large *large)
{
    (void)object;
    (void)large;
}

void heap_check_large_free(uintptr_t object, const struct large *large,
                           uintptr_t site)
{
    (void)object;
    (void)large;
    (void)site;
}

#endif
