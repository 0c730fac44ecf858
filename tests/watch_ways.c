// SPDX-License-Identifier: MIT
//
// Local brackets, kmap() and vmap() on a frame that may be watched.
#include "tests/watch_ways.h"

struct page *watched, *neighbour;

bool watched_get(void)
{
    watched = alloc_page(domain_ram);
    neighbour = alloc_page(domain_ram);
    return watched != NULL && neighbour != NULL;
}

void watched_put(void)
{
    free_page(watched);
    free_page(neighbour);
}

// What somebody may do at an address, by probes.
int allowed_at(void *at)
{
    uint64_t value;
    int may = probe_read(at, &value, sizeof(value), NULL) ? MAY_READ : 0;
    if (may != 0 && probe_write(at, &value, sizeof(value), NULL)) {
        may |= MAY_WRITE;
    }
    return may;
}

// The same inside a bracket of the caller's own on the frame.
int bracket_allows(void *unused)
{
    (void)unused;
    void *at = kmap_local_page(watched);
    int may = allowed_at(at);
    kunmap_local(at);
    return may;
}

int list_allows(void *unused)
{
    (void)unused;
    struct page *const list[] = {neighbour, watched};
    char *at = kmap_local_pages(list, 2);
    int may = allowed_at(at + PAGE_SIZE);
    kunmap_local(at);
    return may;
}

static int kmap_allows(void *unused)
{
    (void)unused;
    void *at = kmap(watched);
    int may = allowed_at(at);
    kunmap(watched);
    return may;
}

static int vmap_allows(void *unused)
{
    (void)unused;
    struct page *const list[] = {neighbour, watched};
    char *at = vmap(list, 2, MAP_READ | MAP_WRITE);
    int may = at != NULL ? allowed_at(at + PAGE_SIZE) : -1;
    vunmap(at);
    return may;
}

static int range_allows(void *unused)
{
    (void)unused;
    void *at =
        vmap_range(page_to_phys(watched), PAGE_SIZE, MAP_READ | MAP_WRITE);
    int may = at != NULL ? allowed_at(at) : -1;
    vunmap(at);
    return may;
}

int (*const ways[WAYS])(void *unused) = {
    bracket_allows, list_allows, kmap_allows, vmap_allows, range_allows,
};
