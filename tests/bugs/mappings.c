// SPDX-License-Identifier: MIT
//
// Mappings for longer, by kmap() and vmap().
#include "bug.h"

BUG(write_after_kunmap)
{
    struct page *page = alloc_page(domain_ram);
    word_t *word = kmap(page);
    *word = 1;
    kunmap(page);
    *word = 2; // guilty: write_after_kunmap
    free_page(page);
}

BUG(write_after_vunmap)
{
    struct page *page = alloc_page(domain_ram);
    word_t *word = vmap(&page, 1, MAP_READ | MAP_WRITE);
    *word = 1;
    vunmap((const void *)word);
    *word = 2; // guilty: write_after_vunmap
    free_page(page);
}

BUG(write_to_a_vmap_to_read)
{
    struct page *page = alloc_page(domain_ram);
    word_t *word = vmap(&page, 1, MAP_READ);
    *word = 1; // guilty: write_to_a_vmap_to_read
    vunmap((const void *)word);
    free_page(page);
}

BUG(write_past_the_end_of_a_vmap)
{
    struct page *page = alloc_page(domain_ram);
    volatile char *byte = vmap(&page, 1, MAP_READ | MAP_WRITE);
    byte[PAGE_SIZE] = 1; // guilty: write_past_the_end_of_a_vmap
    vunmap((const void *)byte);
    free_page(page);
}

BUG(memcpy_past_the_end_of_a_vmap)
{
    static char to[2 * PAGE_SIZE];
    struct page *page = alloc_page(domain_ram);
    const char *from = vmap(&page, 1, MAP_READ);
    memcpy(to, from, sizeof(to)); // guilty: memcpy_past_the_end_of_a_vmap
    vunmap(from);
    free_page(page);
}

BUG(kunmap_twice)
{
    struct page *page = alloc_page(domain_ram);
    kmap(page);
    kunmap(page);
    kunmap(page); // guilty: kunmap_twice
    free_page(page);
}

BUG(vunmap_twice)
{
    struct page *page = alloc_page(domain_ram);
    const void *address = vmap(&page, 1, MAP_READ);
    vunmap(address);
    vunmap(address); // guilty: vunmap_twice
    free_page(page);
}

BUG(free_while_vmapped)
{
    struct page *page = alloc_page(domain_ram);
    const void *address = vmap(&page, 1, MAP_READ);
    free_page(page); // guilty: free_while_vmapped
    vunmap(address);
}
