// SPDX-License-Identifier: MIT
//
// One entry for each 2 MiB of physical memory, in a table that gets memory
// where domains have some.
#include "mm/blocks.h"

#include "lib/panic.h"
#include "mm/domain.h"
#include "mm/frames.h"
#include "mm/kernel_pages.h"
#include "mm/layout.h"
#include "mm/pagetable.h"
#include "mm/pmem.h"

#define BLOCK_ORDER 9
#define BLOCK_FRAMES BIT(BLOCK_ORDER)

struct block {
    uint32_t next, prev; // block numbers + 1, 0 ends a list
    uint16_t owner;      // domain that has all of it, 0: none
    bool shared;         // on the list of those that several have
    uint32_t reserved;
};

_Static_assert(sizeof(struct block) == 16, "whole entries in a page");
_Static_assert(DIRECT_MAP_SIZE / MIB(2) * sizeof(struct block) <=
                   BLOCK_TABLE_SIZE,
               "mm/layout.h");

static uint32_t shared_head;

static struct block *block_at(uint64_t number)
{
    return (struct block *)BLOCK_TABLE_BASE + number;
}

static void list_add(uint32_t *head, uint64_t number)
{
    struct block *block = block_at(number);
    block->prev = 0;
    block->next = *head;
    if (*head != 0) {
        block_at(*head - 1)->prev = number + 1;
    }
    *head = number + 1;
}

static void list_remove(uint32_t *head, uint64_t number)
{
    struct block *block = block_at(number);
    if (block->prev != 0) {
        block_at(block->prev - 1)->next = block->next;
    } else {
        *head = block->next;
    }
    if (block->next != 0) {
        block_at(block->next - 1)->prev = block->prev;
    }
}

static void block_share(uint64_t number)
{
    block_at(number)->owner = DOMAIN_NONE;
    block_at(number)->shared = true;
    list_add(&shared_head, number);
}

bool blocks_take_locked(struct domain *domain, uint64_t frame, unsigned order)
{
    uint64_t number = frame / BLOCK_FRAMES;
    uint64_t end = (frame + BIT(order) + BLOCK_FRAMES - 1) / BLOCK_FRAMES;
    for (uint64_t i = number; i < end; i++) {
        if (!kernel_page_ensure_locked((uintptr_t)block_at(i))) {
            return false;
        }
    }
    for (; number < end; number++) {
        struct block *block = block_at(number);
        if (order < BLOCK_ORDER) {
            if (!block->shared) {
                block_share(number);
            }
            continue;
        }
        if (block->shared) { // nobody shares it any more
            list_remove(&shared_head, number);
            block->shared = false;
        }
        block->owner = domain->id;
        list_add(&domain->blocks, number);
    }
    return true;
}

void blocks_give_locked(struct domain *domain, uint64_t frame, unsigned order)
{
    uint64_t number = frame / BLOCK_FRAMES;
    uint64_t end = (frame + BIT(order) + BLOCK_FRAMES - 1) / BLOCK_FRAMES;
    for (; number < end; number++) {
        struct block *block = block_at(number);
        if (block->owner == domain->id) {
            list_remove(&domain->blocks, number);
            block->owner = DOMAIN_NONE;
            if (order < BLOCK_ORDER) {
                block_share(number); // the rest is still the domain's
            }
        }
    }
}

// The frames of a domain in a block that several have: run by run.
static void shared_rekey_locked(uint64_t number, const struct domain *domain,
                                unsigned key, struct tlb_batch *batch)
{
    uint64_t frame = number * BLOCK_FRAMES;
    uint64_t end = frame + BLOCK_FRAMES;
    while (frame < end) {
        const struct page *page = frame_page(frame);
        uint64_t run = 1;
        if (page->private_state & FRAME_HEAD) {
            run = MIN(BIT(page->private_order), end - frame);
            if ((page->private_domain & ~DOMAIN_FREE) == domain->id) {
                pt_rekey_locked(DIRECT_MAP_BASE + frame * PAGE_SIZE,
                                run * PAGE_SIZE, key, batch);
            }
        }
        frame += run;
    }
}

void blocks_rekey_locked(const struct domain *domain, unsigned key,
                         struct tlb_batch *batch)
{
    for (uint32_t n = domain->blocks; n != 0; n = block_at(n - 1)->next) {
        pt_rekey_locked(DIRECT_MAP_BASE + (n - 1) * MIB(2), MIB(2), key, batch);
    }
    for (uint32_t n = shared_head; n != 0; n = block_at(n - 1)->next) {
        shared_rekey_locked(n - 1, domain, key, batch);
    }
    pmem_rekey_locked(domain, key, batch);
}
