// SPDX-License-Identifier: MIT
//
// Pointers that stray: where nothing was opened, or not for that.
#include "bug.h"

BUG(write_by_a_guessed_address)
{
    struct page *page = alloc_page(domain_ram);
    word_t *word = page_direct_map_address(page);
    *word = 1; // guilty: write_by_a_guessed_address
    free_page(page);
}

BUG(write_after_unmap)
{
    struct page *page = alloc_page(domain_ram);
    word_t *word = kmap_local_page(page);
    *word = 1;
    kunmap_local((const void *)word);
    *word = 2; // guilty: write_after_unmap
    free_page(page);
}

BUG(write_to_a_free_frame)
{
    struct page *page = alloc_page(domain_ram);
    word_t *word = page_direct_map_address(page);
    free_page(page); // late: write_to_a_free_frame
    word[1] = 1;     // guilty: write_to_a_free_frame
    free_page(alloc_page(domain_ram));
}

BUG(write_to_another_domain)
{
    struct domain *domain = domain_create("another");
    struct page *mine = alloc_page(domain_ram), *other = alloc_page(domain);
    word_t *word = page_direct_map_address(other);
    const void *address = kmap_local_page(mine);
    *word = 1; // guilty: write_to_another_domain
    kunmap_local(address);
    free_page(mine);
    free_page(other);
}

BUG(write_past_the_end_of_the_frame)
{
    struct page *pages = alloc_pages(domain_ram, 1);
    word_t *word = kmap_local_page(pages);
    for (size_t i = 0; i <= PAGE_SIZE / sizeof(*word); i++) {
        word[i] = i; // guilty: write_past_the_end_of_the_frame
    }
    kunmap_local((const void *)word);
    free_pages(pages, 1);
}

BUG(write_past_the_end_of_a_range)
{
    struct page *pages = alloc_pages(domain_ram, 2);
    volatile char *byte = kmap_local_range(pages, 64, 3 * PAGE_SIZE - 64);
    byte[3 * PAGE_SIZE - 64] = 1; // guilty: write_past_the_end_of_a_range
    kunmap_local((const void *)byte);
    free_pages(pages, 2);
}

BUG(write_past_the_end_of_a_list)
{
    struct page *page = alloc_page(domain_ram);
    struct page *const pages[] = {page, page};
    volatile char *byte = kmap_local_pages(pages, 2);
    byte[2 * PAGE_SIZE] = 1; // guilty: write_past_the_end_of_a_list
    kunmap_local((const void *)byte);
    free_page(page);
}

BUG(write_through_a_bracket_to_read)
{
    struct page *page = alloc_page(domain_ram);
    word_t *word = (word_t *)kmap_local_page_ro(page);
    *word = 1; // guilty: write_through_a_bracket_to_read
    kunmap_local((const void *)word);
    free_page(page);
}

BUG(execute_data)
{
    struct page *page = alloc_page(domain_ram);
    uint8_t *code = kmap_local_page(page);
    *code = 0xc3;                        // RET
    ((void (*)(void))(uintptr_t)code)(); // guilty: execute_data
    kunmap_local(code);
    free_page(page);
}

BUG(call_through_a_null_pointer)
{
    void (*volatile callback)(void) = NULL;
    callback(); // guilty: call_through_a_null_pointer
}

BUG(write_through_a_null_pointer)
{
    word_t *volatile words = NULL;
    words[1] = 1; // guilty: write_through_a_null_pointer
}

BUG(write_to_a_page_table)
{
    phys_addr_t root;
    __asm__("mov %%cr3, %0" : "=r"(root));
    struct page *table = phys_to_page(root & -PAGE_SIZE);
    word_t *unused = (word_t *)page_direct_map_address(table) + 2;
    *unused = 2; // guilty: write_to_a_page_table
    *unused = 0;
}

BUG(write_to_kernel_text)
{
    volatile uint8_t *code = (volatile uint8_t *)(uintptr_t)printf;
    *code = 0xcc; // guilty: write_to_kernel_text
}

BUG(write_past_the_end_of_a_small_object)
{
    char *volatile object = kmalloc(24);
    object[24] = 1; // guilty: write_past_the_end_of_a_small_object
    kfree(object);  // late: write_past_the_end_of_a_small_object
}

BUG(write_past_the_end_of_a_large_object)
{
    char *volatile object = kmalloc(4 * PAGE_SIZE);
    object[4 * PAGE_SIZE] = 1; // guilty: write_past_the_end_of_a_large_object
    kfree(object);
}

BUG(write_to_a_free_object)
{
    char *volatile object = kmalloc(24);
    kfree(object);
    object[0] = 1;      // guilty: write_to_a_free_object
    kfree(kmalloc(24)); // late: write_to_a_free_object
}

// ------------------------------------------------- By a function of the
// library

BUG(memcpy_past_the_end_of_the_frame)
{
    static char from[PAGE_SIZE + 8];
    struct page *pages = alloc_pages(domain_ram, 1);
    char *to = kmap_local_page(pages);
    memcpy(to, from, sizeof(from)); // guilty: memcpy_past_the_end_of_the_frame
    kunmap_local(to);
    free_pages(pages, 1);
}

BUG(memset_after_unmap)
{
    struct page *page = alloc_page(domain_ram);
    char *to = kmap_local_page(page);
    kunmap_local(to);
    memset(to, 1, PAGE_SIZE); // guilty: memset_after_unmap
    free_page(page);
}

BUG(snprintf_after_unmap)
{
    struct page *page = alloc_page(domain_ram);
    char *to = kmap_local_page(page);
    kunmap_local(to);
    snprintf(to, 16, "%u", cpu_id()); // guilty: snprintf_after_unmap
    free_page(page);
}

BUG(copy_to_a_frame_from_a_closed_one)
{
    struct domain *domain = domain_create("another");
    struct page *to = alloc_page(domain_ram), *other = alloc_page(domain);
    const void *from = page_direct_map_address(other);
    memcpy_to_page(to, 0, from, 8); // guilty: copy_to_a_frame_from_a_closed_one
    free_page(to);
    free_page(other);
}
