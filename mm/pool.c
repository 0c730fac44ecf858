// SPDX-License-Identifier: MIT
//
// Free memory: one pool behind KEY_CLOSED, and the blocks of it that domains
// and the kernel take.
#include "arch/pte.h"
#include "lib/panic.h"
#include "mm/blocks.h"
#include "mm/domain.h"
#include "mm/engine.h"
#include "mm/frame_cache.h"
#include "mm/frames.h"
#include "mm/frames_internal.h"
#include "mm/keys.h"
#include "mm/lock.h"
#include "mm/pagetable.h"
#include "mm/section.h"
#include "mm/stack.h"
#include "mm/tables.h"

// A domain takes this much at a time: one 2 MiB leaf of the direct map.
#define BLOCK_ORDER 9
// When less than a quarter of RAM is left in the pool, domains get smaller
// blocks, so that many domains can live in little memory.
#define SMALL_BLOCK_ORDER 4
#define SCARCE_FRACTION 4

struct spinlock mm_spinlock = SPINLOCK("memory");

static struct free_area pool;
static struct free_area kernel_area;
static uint64_t pool_bytes; // in `pool`

__init void frames_init(const struct memory_map *ram,
                        const struct memory_map *available,
                        phys_addr_t image_base, uint64_t image_size)
{
    uint64_t lock = mm_lock();
    sections_init(ram, available);
    if (!section_next_locked()) {
        refuse("no memory for the frame table in %llu KiB of RAM; give the "
               "machine at least 32 MiB",
               (unsigned long long)sections_ram_bytes() >> 10);
    }
    if (!section_ensure_locked(image_base) ||
        !section_ensure_locked(image_base + image_size - 1)) {
        refuse("the kernel at 0x%llx does not lie in RAM, by the loader's "
               "memory map; report this with the machine's name",
               (unsigned long long)image_base);
    }
    frames_mark_kernel(image_base, image_size);
    tables_adopt();
    mm_unlock(lock);
}

// ------------------------------------------------------------------ The pool

// Cut [base, end) into the largest aligned blocks.
static void blocks_add(struct free_area *area, phys_addr_t base,
                       phys_addr_t end, unsigned owner)
{
    uint64_t frame = base / PAGE_SIZE, last = end / PAGE_SIZE;
    while (frame < last) {
        unsigned order = MIN(__builtin_ctzll(frame), FRAME_ORDERS - 1);
        while (frame + BIT(order) > last) {
            order--;
        }
        uint64_t block = frame;
        area_merge(area, &block, order, owner);
        frame += BIT(order);
    }
}

void pool_add_locked(phys_addr_t base, phys_addr_t end)
{
    blocks_add(&pool, base, end, DOMAIN_POOL);
    pool_bytes += end - base;
}

void kernel_area_add_locked(phys_addr_t base, phys_addr_t end)
{
    blocks_add(&kernel_area, base, end, DOMAIN_KERNEL);
}

void memory_reclaim_locked(void)
{
    stacks_trim_locked();
    for (struct domain *d = domain_next(0); d != NULL; d = domain_next(d->id)) {
        domain_blocks_reclaim_locked(d);
    }
}

phys_addr_t pool_take_locked(unsigned order)
{
    ASSERT(mm_lock_held());
    uint64_t frame = area_take(&pool, order);
    while (frame == 0 && section_next_locked()) {
        frame = area_take(&pool, order);
    }
    if (frame != 0) {
        pool_bytes -= PAGE_SIZE << order;
    }
    return frame * PAGE_SIZE;
}

const struct free_area *pool_area(void)
{
    return &pool;
}

const struct free_area *kernel_free_area(void)
{
    return &kernel_area;
}

// Returns the order of the free block that the block is a part of now.
static unsigned pool_merge_locked(phys_addr_t block, unsigned order)
{
    uint64_t frame = block / PAGE_SIZE;
    pool_bytes += PAGE_SIZE << order;
    return area_merge(&pool, &frame, order, DOMAIN_POOL);
}

void pool_give_locked(phys_addr_t block, unsigned order)
{
    pool_merge_locked(block, order);
}

phys_addr_t kernel_frames_take_locked(unsigned order)
{
    phys_addr_t block = area_take(&kernel_area, order) * PAGE_SIZE;
    if (block == 0) {
        block = pool_take_locked(order);
    }
    if (block != 0) {
        frames_mark_kernel(block, PAGE_SIZE << order);
    }
    return block;
}

void frames_mark_kernel(phys_addr_t base, uint64_t size)
{
    struct page *page = frame_page(base / PAGE_SIZE);
    for (uint64_t i = 0; i < size / PAGE_SIZE; i++) {
        page[i].private_state = FRAME_KERNEL;
        page[i].private_domain = DOMAIN_NONE;
    }
}

int frames_release(phys_addr_t base, uint64_t size)
{
    uint64_t lock = mm_lock();
    int error = pt_change_locked(DIRECT_MAP_BASE + base, size, PTE_RW, PTE_RW);
    if (error == 0) {
        struct page *page = frame_page(base / PAGE_SIZE);
        for (uint64_t i = 0; i < size / PAGE_SIZE; i++) {
            page[i].private_state = 0;
        }
        pool_add_locked(base, base + size);
    }
    mm_unlock(lock);
    return error;
}

int frames_rekey_locked(phys_addr_t block, unsigned order, unsigned key)
{
    return engine->rekey_locked(block, order, key);
}

// A whole block gets a whole leaf again, if it was split.
static int block_rekey_locked(phys_addr_t block, unsigned key)
{
    return pt_join_locked(DIRECT_MAP_BASE + block, block | PTE_P | PTE_RW |
                                                       PTE_A | PTE_D | PTE_XD |
                                                       PTE_KEY(key));
}

int direct_rekey_locked(phys_addr_t block, unsigned order, unsigned key)
{
    if (order < BLOCK_ORDER) {
        return pt_change_locked(DIRECT_MAP_BASE + block, PAGE_SIZE << order,
                                PTE_KEY_MASK, PTE_KEY(key));
    }
    int error = 0;
    for (unsigned i = 0; i < BIT(order - BLOCK_ORDER) && error == 0; i++) {
        error = block_rekey_locked(block + i * MIB(2), key);
    }
    return error;
}

// ------------------------------------------------------------ Domains' blocks

static bool pool_is_scarce(void)
{
    return frames_free_bytes() < sections_ram_bytes() / SCARCE_FRACTION;
}

// Move one block of the pool to a domain, large enough for `order`.
static bool domain_grow_locked(struct domain *domain, unsigned order)
{
    unsigned want = pool_is_scarce() ? SMALL_BLOCK_ORDER : BLOCK_ORDER;
    want = MAX(want, order);
    phys_addr_t block = pool_take_locked(want);
    while (block == 0 && want > order) {
        want--;
        block = pool_take_locked(want);
    }
    if (block == 0) {
        return false;
    }
    if (frames_rekey_locked(block, want, domain_leaf_key(domain)) != 0) {
        pool_give_locked(block, want);
        return false;
    }
    if (!blocks_take_locked(domain, block / PAGE_SIZE, want)) {
        if (frames_rekey_locked(block, want, KEY_CLOSED) != 0) {
            panic("no page tables to close a block that was split already");
        }
        pool_give_locked(block, want);
        return false;
    }
    area_add(&domain->area, block / PAGE_SIZE, want, domain->id);
    return true;
}

// Move one free block of a domain back to the pool. Where it was the last part
// of 2 MiB, these get one leaf again.
static bool domain_shrink_locked(struct domain *domain, uint64_t frame,
                                 unsigned order)
{
    phys_addr_t block = frame * PAGE_SIZE;
    if (frames_rekey_locked(block, order, KEY_CLOSED) != 0) {
        return false;
    }
    area_remove(&domain->area, frame);
    blocks_give_locked(domain, frame, order);
    // The reserve comes first: it may be filled from the pool, but not with
    // this very block.
    bool can_join = order < BLOCK_ORDER && tables_prepare_locked() == 0;
    if (pool_merge_locked(block, order) >= BLOCK_ORDER && can_join) {
        frames_rekey_locked(ALIGN_DOWN(block, MIB(2)), BLOCK_ORDER, KEY_CLOSED);
    }
    return true;
}

void domain_blocks_reclaim_locked(struct domain *domain)
{
    uint64_t frame;
    unsigned order;
    frame_cache_drain_locked(domain);
    while (area_any(&domain->area, &frame, &order)) {
        if (!domain_shrink_locked(domain, frame, order)) {
            return;
        }
    }
}

uint64_t domain_take_locked(struct domain *domain, unsigned order)
{
    uint64_t frame = area_take(&domain->area, order);
    if (frame == 0 && !domain_grow_locked(domain, order)) {
        memory_reclaim_locked();
        if (!domain_grow_locked(domain, order)) {
            return 0;
        }
    }
    return frame != 0 ? frame : area_take(&domain->area, order);
}

void domain_give_locked(struct domain *domain, uint64_t frame, unsigned order)
{
    // Keep one whole block for the next allocation, give others back.
    bool spare = (domain->area.nonempty >> BLOCK_ORDER) != 0;
    unsigned merged = area_merge(&domain->area, &frame, order, domain->id);
    if (merged >= BLOCK_ORDER && spare) {
        domain_shrink_locked(domain, frame, merged);
    }
}

uint64_t frames_total_bytes(void)
{
    return sections_ram_bytes();
}

uint64_t frames_free_bytes(void)
{
    return pool_bytes + sections_untouched_bytes();
}
