// SPDX-License-Identifier: MIT
//
// Wrong use of the calls.
#include "bug.h"

BUG(unmap_out_of_order)
{
    struct page *pages = alloc_pages(domain_ram, 1);
    const void *outer = kmap_local_page(pages);
    const void *inner = kmap_local_page_ro(pages + 1);
    kunmap_local(outer); // guilty: unmap_out_of_order
    kunmap_local(inner);
    free_pages(pages, 1);
}

BUG(unmap_twice)
{
    struct page *page = alloc_page(domain_ram);
    const void *address = kmap_local_page(page);
    kunmap_local(address);
    kunmap_local(address); // guilty: unmap_twice
    free_page(page);
}

BUG(unmap_forgotten_in_a_loop)
{
    struct page *page = alloc_page(domain_ram);
    for (unsigned i = 0; i < 1000; i++) {
        word_t *word =
            kmap_local_page(page); // guilty: unmap_forgotten_in_a_loop
        ++*word;
    }
    free_page(page);
}

BUG(free_while_open)
{
    struct page *page = alloc_page(domain_ram);
    const void *address = kmap_local_page(page);
    free_page(page); // guilty: free_while_open
    kunmap_local(address);
}

BUG(free_twice)
{
    struct page *page = alloc_page(domain_ram);
    free_page(page);
    free_page(page); // guilty: free_twice
}

BUG(map_of_a_free_frame)
{
    struct page *page = alloc_page(domain_ram);
    free_page(page);
    const void *address = kmap_local_page(page); // guilty: map_of_a_free_frame
    kunmap_local(address);
}

BUG(range_leaves_its_block)
{
    struct page *pages = alloc_pages(domain_create("small"), 1);
    const void *address;
    address =
        kmap_local_range(pages, 0, 12288); // guilty: range_leaves_its_block
    kunmap_local(address);
    free_pages(pages, 1);
}

BUG(copy_past_the_end_of_the_frame)
{
    struct page *page = alloc_page(domain_ram);
    size_t at = PAGE_SIZE - 4;
    memzero_page(page, at, 8); // guilty: copy_past_the_end_of_the_frame
    free_page(page);
}

BUG(kfree_twice)
{
    void *object = kmalloc(24);
    kfree(object);
    kfree(object); // guilty: kfree_twice
}
