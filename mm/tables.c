// SPDX-License-Identifier: MIT
//
// A stack of free table frames on top of blocks.
#include "mm/tables.h"

#include "lib/panic.h"
#include "mm/domain.h"
#include "mm/frames.h"
#include "mm/keys.h"
#include "mm/lock.h"

static phys_addr_t block_next, block_end; // of the newest block, never used yet
static uint32_t free_head;                // frames used before, 0 ends the list
static size_t available, total;
static bool growing;

static void block_use(phys_addr_t block, unsigned order)
{
    block_next = block;
    block_end = block + (PAGE_SIZE << order);
    available += (size_t)1 << order;
    total += (size_t)1 << order;
}

static void block_mark(phys_addr_t block, unsigned order)
{
    struct page *page = frame_page(block / PAGE_SIZE);
    for (size_t i = 0; i < (size_t)1 << order; i++) {
        page[i].private_state = FRAME_TABLE;
        page[i].private_domain = DOMAIN_NONE;
    }
}

__init void tables_init(phys_addr_t block)
{
    ASSERT(IS_ALIGNED(block, TABLES_BLOCK_SIZE));
    block_use(block, TABLES_BLOCK_ORDER);
}

__init void tables_adopt(void)
{
    block_mark(block_end - TABLES_BLOCK_SIZE, TABLES_BLOCK_ORDER);
}

// A block with the tables' key, as large as memory in pieces has one; 0: none.
static phys_addr_t block_take_locked(unsigned *order)
{
    for (*order = TABLES_BLOCK_ORDER; *order >= TABLES_LEAST_ORDER; --*order) {
        phys_addr_t block = pool_take_locked(*order);
        if (block != 0 && frames_rekey_locked(block, *order, KEY_TABLES) == 0) {
            return block;
        }
        if (block != 0) {
            pool_give_locked(block, *order);
        }
    }
    return 0;
}

// Make a new block the newest. While that is done, the reserve is what the
// inner operations live on.
static int block_add_locked(void)
{
    if (growing) {
        return 0;
    }
    growing = true;
    // The rest of the old block is on no list: put it there.
    while (block_next < block_end) {
        available--;
        table_give(block_next);
        block_next += PAGE_SIZE;
    }
    unsigned order;
    phys_addr_t block = block_take_locked(&order);
    if (block != 0) {
        block_mark(block, order);
        block_use(block, order);
    }
    growing = false;
    return block != 0 ? 0 : -ENOMEM;
}

int tables_prepare_locked(void)
{
    return available >= TABLES_RESERVE ? 0 : block_add_locked();
}

int tables_prepare_row_locked(size_t count)
{
    bool enough = block_end - block_next >= count * PAGE_SIZE &&
                  available >= count + TABLES_RESERVE;
    return enough ? 0 : block_add_locked();
}

phys_addr_t table_take(void)
{
    phys_addr_t table;
    if (available == 0) {
        return 0;
    }
    if (free_head != 0) {
        table = (phys_addr_t)free_head * PAGE_SIZE;
        free_head = frame_page(free_head)->private_next;
    } else {
        table = block_next;
        block_next += PAGE_SIZE;
    }
    available--;
    return table;
}

phys_addr_t tables_take_row(size_t count)
{
    if (block_end - block_next < count * PAGE_SIZE) {
        return 0;
    }
    phys_addr_t first = block_next;
    block_next += count * PAGE_SIZE;
    available -= count;
    return first;
}

void table_give(phys_addr_t table)
{
    frame_page(table / PAGE_SIZE)->private_next = free_head;
    free_head = table / PAGE_SIZE;
    available++;
}

size_t tables_used(void)
{
    return total - available;
}

size_t tables_free_locked(void)
{
    ASSERT(mm_lock_held());
    size_t count = (block_end - block_next) / PAGE_SIZE;
    for (uint32_t frame = free_head; frame != 0;
         frame = frame_page(frame)->private_next) {
        count++;
    }
    return count;
}

size_t tables_total(void)
{
    return total;
}
