// SPDX-License-Identifier: MIT
//
// The host's medium: flushes, fences, and the heap of the code under test.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/host/medium_internal.h"

#define CALLER ((uintptr_t)__builtin_return_address(0))

static uint64_t add(uint64_t *counter, uint64_t value)
{
    return __atomic_add_fetch(counter, value, __ATOMIC_RELAXED);
}

void medium_count(struct medium_counts *counts)
{
    *counts = medium_counted;
}

// ---------------------------------------------------------- Flushes, fences

// What is open, and has these bytes; the code under test may flush that alone.
static const struct medium_bracket *bracket_around(const uint8_t *address,
                                                   size_t length)
{
    const struct medium_bracket *all;

    for (unsigned i = medium_brackets(&all); i-- > 0;) {
        const uint8_t *first = all[i].medium->image + all[i].offset;
        if (address >= first && address <= first + all[i].length &&
            length <= (size_t)(first + all[i].length - address)) {
            return &all[i];
        }
    }
    medium_misuse("a flush of what no bracket has open");
}

static void flush(const void *address, size_t length, uintptr_t site)
{
    if (length == 0) {
        return;
    }
    struct medium *medium = bracket_around(address, length)->medium;
    size_t offset = (size_t)((const uint8_t *)address - medium->image);
    size_t lines = (offset + length - 1) / MEDIUM_LINE - offset / MEDIUM_LINE;
    add(&medium_counted.lines, lines + 1);
    if (medium->watcher != NULL) {
        medium->watcher->flush(medium->watcher_arg, offset, length, site);
    }
}

static void drain(uintptr_t site)
{
    add(&medium_counted.fences, 1);
    medium_tell_drain(site);
}

void pmem_flush(const void *address, size_t length)
{
    flush(address, length, CALLER);
}

void pmem_drain(void)
{
    drain(CALLER);
}

void pmem_persist(const void *address, size_t length)
{
    flush(address, length, CALLER);
    drain(CALLER);
}

// What goes past the caches is on its way as after a flush.
void pmem_copy_to(struct page *first, size_t offset, const void *from,
                  size_t length)
{
    void *to;

    if (length == 0) {
        return;
    }
    to = kmap_local_range(first, offset, length);
    memcpy(to, from, length);
    flush(to, length, CALLER);
    kunmap_local(to);
}

// ---------------------------------------------------------------------- Heap

static unsigned allocation_fails_in;

void medium_fail_allocation(unsigned nth)
{
    allocation_fails_in = nth;
}

void *kmalloc(size_t size)
{
    void *object;

    if (allocation_fails_in > 0 && --allocation_fails_in == 0) {
        return NULL;
    }
    object = malloc(size);
    if (object == NULL) {
        medium_misuse("the host is out of memory");
    }
    // As undefined as can be.
    memset(object, 0xa5, size);
    add(&medium_counted.allocated, 1);
    return object;
}

void *kzalloc(size_t size)
{
    void *object = kmalloc(size);

    return object == NULL ? NULL : memset(object, 0, size);
}

void kfree(void *object)
{
    if (object != NULL) {
        add(&medium_counted.allocated, (uint64_t)-1);
    }
    free(object);
}
