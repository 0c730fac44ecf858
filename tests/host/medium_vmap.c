// SPDX-License-Identifier: MIT
//
// Mappings of the host's medium that last: its frames are readable, at the
// addresses at which brackets have them, until the mapping goes.
#include <pthread.h>
#include <stdlib.h>

#include "tests/host/medium.h"
#include "tests/host/medium_internal.h"

struct mapping {
    struct mapping *next;
    struct medium_bracket range;
};

static struct mapping *mappings;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

// Physical addresses are the host's: one frame, one address.
phys_addr_t page_to_phys(const struct page *page)
{
    const struct medium *medium = medium_of(page);

    return (phys_addr_t)(uintptr_t)medium->image +
           (phys_addr_t)(page - medium->pages) * PAGE_SIZE;
}

void *vmap_range(phys_addr_t base, size_t length, unsigned prot)
{
    struct medium *medium = medium_at((uintptr_t)base);
    size_t offset = (size_t)(base - (uintptr_t)medium->image);

    if (length == 0 || length > medium->bytes - offset ||
        base % PAGE_SIZE != 0 || prot != MAP_READ) {
        medium_misuse("a mapping that is empty, crooked, leaves its medium or "
                      "is for writing");
    }
    struct mapping *mapping = kmalloc(sizeof(*mapping));
    if (mapping == NULL) {
        return NULL;
    }
    mapping->range = (struct medium_bracket){medium, offset, length, false};
    medium_turn(&mapping->range, 1);
    pthread_mutex_lock(&lock);
    mapping->next = mappings;
    mappings = mapping;
    pthread_mutex_unlock(&lock);
    return medium->image + offset;
}

void vunmap(const void *address)
{
    struct mapping **link = &mappings;

    pthread_mutex_lock(&lock);
    while (*link != NULL &&
           (*link)->range.medium->image + (*link)->range.offset != address) {
        link = &(*link)->next;
    }
    struct mapping *mapping = *link;
    if (mapping == NULL) {
        medium_misuse("not an address that vmap_range() gave");
    }
    *link = mapping->next;
    pthread_mutex_unlock(&lock);
    medium_turn(&mapping->range, -1);
    kfree(mapping);
}
