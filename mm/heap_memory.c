// SPDX-License-Identifier: MIT
//
// Frames behind a range of the heap's address space. They come from the pool,
// keep its closed key in the direct map, and have key 0 here.
#include "arch/pte.h"
#include "mm/domain.h"
#include "mm/heap_internal.h"
#include "mm/lock.h"
#include "mm/pagetable.h"

#define HEAP_PTE (PTE_P | PTE_RW | PTE_A | PTE_D | PTE_XD)
#define HEAP_MAX_LEVEL 2

static void block_give_locked(phys_addr_t block, unsigned order)
{
    struct page *page = frame_page(block / PAGE_SIZE);
    for (uint64_t i = 0; i < BIT(order); i++) {
        page[i].private_state = 0; // no longer the kernel's own
    }
    pool_give_locked(block, order);
}

// A block of *order or less; *order is what it is then. 0: out of memory.
static phys_addr_t block_take_locked(unsigned *order)
{
    for (unsigned at = *order + 1; at-- > 0;) {
        phys_addr_t block = kernel_frames_take_locked(at);
        if (block != 0) {
            *order = at;
            return block;
        }
    }
    return 0;
}

// So large a request is refused at once if it cannot be met.
#define MANY_PAGES 1024

static bool pages_are_there(size_t pages)
{
    return pages <= MANY_PAGES || pages <= frames_free_bytes() / PAGE_SIZE;
}

// Map one more block of at most 2^*order pages at the end of what there is.
static bool block_map_locked(uintptr_t base, struct heap_memory *memory,
                             unsigned *order)
{
    phys_addr_t block = block_take_locked(order);
    if (block == 0) {
        memory_reclaim_locked();
        block = block_take_locked(order);
    }
    if (block == 0) {
        return false;
    }
    if (pt_map_locked(base + memory->pages * PAGE_SIZE, block,
                      PAGE_SIZE << *order, HEAP_PTE, HEAP_MAX_LEVEL) != 0) {
        block_give_locked(block, *order);
        return false;
    }
    struct page *page = frame_page(block / PAGE_SIZE);
    page->private_next = memory->first;
    page->private_order = *order;
    memory->first = block / PAGE_SIZE;
    memory->pages += BIT(*order);
    return true;
}

bool heap_memory_map(uintptr_t base, size_t pages, struct heap_memory *memory)
{
    // What an earlier unmap had to leave here.
    if (!heap_memory_unmap(base, memory)) {
        return false;
    }
    if (!pages_are_there(pages)) {
        uint64_t lock = mm_lock();
        memory_reclaim_locked();
        mm_unlock(lock);
        if (!pages_are_there(pages)) {
            return false;
        }
    }
    unsigned largest = FRAME_ORDERS - 1;
    while (memory->pages < pages) {
        unsigned order =
            MIN(largest, 63u - __builtin_clzll(pages - memory->pages));
        uint64_t lock = mm_lock();
        bool done = block_map_locked(base, memory, &order);
        mm_unlock(lock);
        if (!done) {
            heap_memory_unmap(base, memory);
            return false;
        }
        largest = order; // there are no larger ones
    }
    return true;
}

void heap_memory_give_locked(struct heap_memory *memory)
{
    uint32_t frame = memory->first;
    while (frame != 0) {
        const struct page *page = frame_page(frame);
        uint32_t next = page->private_next;
        block_give_locked((phys_addr_t)frame * PAGE_SIZE, page->private_order);
        frame = next;
    }
    *memory = (struct heap_memory){0};
}

bool heap_memory_unmap(uintptr_t base, struct heap_memory *memory)
{
    if (memory->pages == 0) {
        return true;
    }
    uint64_t lock = mm_lock();
    bool done = pt_unmap_locked(base, memory->pages * PAGE_SIZE) == 0;
    if (done) {
        heap_memory_give_locked(memory);
    }
    mm_unlock(lock);
    return done;
}

bool heap_table_grow(uintptr_t base, size_t size, size_t *mapped)
{
    while (*mapped < size) {
        struct heap_memory memory = {0};
        uintptr_t at = base + *mapped;
        if (!heap_memory_map(at, 1, &memory)) {
            return false;
        }
        memset((void *)at, 0, PAGE_SIZE);
        *mapped += PAGE_SIZE;
    }
    return true;
}
