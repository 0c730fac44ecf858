// SPDX-License-Identifier: MIT
//
// Objects of whole pages. Each power of two of pages has a span of the address
// space, cut into slots; an object takes the smallest slot that leaves a page
// unmapped behind it. Only what the object needs gets memory. So nothing ever
// fragments, and finding a slot or its record takes a few instructions.
#include "mm/heap_internal.h"
#include "mm/misuse.h"

// The records lie in the span of the headers' region that the slabs leave.
#define RECORDS_BASE (HEAP_HEADERS_BASE + HEAP_HEADERS_SIZE / 2)
#define RECORDS_SIZE                                                           \
    (SPAN_PAGES * sizeof(struct large) + LARGE_ORDERS * PAGE_SIZE)
#define SPAN_PAGES (LARGE_SPAN / PAGE_SIZE)

_Static_assert(HEAP_SLABS_SIZE / SLAB_SIZE * sizeof(struct slab) <=
                   HEAP_HEADERS_SIZE / 2,
               "headers end where records begin");
_Static_assert(RECORDS_SIZE <= HEAP_HEADERS_SIZE / 2, "mm/layout.h");
_Static_assert(LARGE_SPAN % (PAGE_SIZE << LARGE_ORDERS) == 0, "whole slots");

static struct {
    size_t used;     // slots below have a record
    size_t mapped;   // bytes of records
    uint32_t vacant; // number of a free slot, plus 1; 0 ends the list
} orders[LARGE_ORDERS + 1];

// Where the records of an order begin: on the first page behind those of all
// smaller orders, which are SPAN_PAGES / 2 + SPAN_PAGES / 4 and so on.
static struct large *records(unsigned order)
{
    size_t before = SPAN_PAGES - (2 * SPAN_PAGES >> order);
    return (
        struct large *)(RECORDS_BASE + (order - 1) * PAGE_SIZE +
                        ALIGN_DOWN(before * sizeof(struct large), PAGE_SIZE));
}

static size_t slot_size(unsigned order)
{
    return PAGE_SIZE << order;
}

static uintptr_t slot_base(unsigned order, size_t number)
{
    return HEAP_LARGE_BASE + (order - 1) * LARGE_SPAN +
           number * slot_size(order);
}

struct large *large_at_locked(unsigned order, size_t number, uintptr_t *base)
{
    *base = slot_base(order, number);
    return number < orders[order].used ? &records(order)[number] : NULL;
}

struct large *large_find(uintptr_t address, uintptr_t *base)
{
    size_t offset = address - HEAP_LARGE_BASE;
    if (offset >= HEAP_LARGE_SIZE) {
        return NULL;
    }
    unsigned order = offset / LARGE_SPAN + 1;
    return large_at_locked(order, offset % LARGE_SPAN / slot_size(order), base);
}

static struct large *slot_take_locked(unsigned order, uintptr_t *base)
{
    size_t number = orders[order].used;
    if (orders[order].vacant != 0) {
        number = orders[order].vacant - 1;
        orders[order].vacant = records(order)[number].next;
    } else if (number < LARGE_SPAN / slot_size(order) &&
               heap_table_grow((uintptr_t)records(order),
                               (number + 1) * sizeof(struct large),
                               &orders[order].mapped)) {
        orders[order].used++;
    } else {
        return NULL;
    }
    return large_at_locked(order, number, base);
}

static void slot_give_locked(unsigned order, struct large *large)
{
    size_t number = large - records(order);
    large->next = orders[order].vacant;
    orders[order].vacant = number + 1;
}

// The smallest order whose slots leave a page behind so many.
static unsigned order_for(size_t pages)
{
    return 64 - __builtin_clzll(pages);
}

static struct large *slot_take(unsigned order, uintptr_t *base)
{
    uint64_t lock = spin_lock(&heap_lock);
    struct large *large = slot_take_locked(order, base);
    if (large == NULL) {
        heap_trim_locked();
        large = slot_take_locked(order, base);
    }
    spin_unlock(&heap_lock, lock);
    return large;
}

static bool memory_take(uintptr_t base, size_t pages, struct large *large)
{
    if (heap_memory_map(base, pages, &large->memory)) {
        return true;
    }
    heap_trim();
    return heap_memory_map(base, pages, &large->memory);
}

void *large_alloc(size_t size, uintptr_t site)
{
    size_t pages = size / PAGE_SIZE + (size % PAGE_SIZE != 0);
    if (pages > LARGE_PAGES_MAX) {
        return NULL;
    }
    unsigned order = order_for(pages);
    uintptr_t base;
    struct large *large = slot_take(order, &base);
    if (large == NULL) {
        return NULL;
    }
    bool taken = memory_take(base, pages, large);
    uint64_t lock = spin_lock(&heap_lock);
    if (taken) {
        large->next = LARGE_LIVE;
        large->size = size;
        large->alloc_site = site_pack(site);
        large->serial = ++heap_serial;
    } else {
        slot_give_locked(order, large);
    }
    spin_unlock(&heap_lock, lock);
    if (!taken) {
        return NULL;
    }
    heap_check_large_alloc(base, large);
    return (void *)base;
}

void large_free(uintptr_t object, uintptr_t site)
{
    uintptr_t base;
    struct large *large = large_find(object, &base);
    if (large == NULL || object != base || large->next != LARGE_LIVE) {
        heap_misuse_free(object, site);
    }
    heap_check_large_free(object, large, site);
    uint64_t lock = spin_lock(&heap_lock);
    large->next = 0;
    large->free_site = site_pack(site);
    spin_unlock(&heap_lock, lock);
    heap_memory_unmap(base, &large->memory);
    lock = spin_lock(&heap_lock);
    slot_give_locked(order_for((large->size + PAGE_SIZE - 1) / PAGE_SIZE),
                     large);
    spin_unlock(&heap_lock, lock);
}
