// SPDX-License-Identifier: MIT
//
// The pool of free memory, the blocks that domains take from it, and the
// public allocator.
#include "mm/frames.h"

#include "arch/pks.h"
#include "arch/pte.h"
#include "lib/panic.h"
#include "mm/bracket.h"
#include "mm/domain.h"
#include "mm/frames_internal.h"
#include "mm/keys.h"
#include "mm/lock.h"
#include "mm/long_maps.h"
#include "mm/misuse.h"
#include "mm/pagetable.h"
#include "mm/section.h"
#include "mm/tables.h"

// A domain takes this much at a time: one 2 MiB leaf of the direct map.
#define BLOCK_ORDER 9
// When less than a quarter of RAM is left in the pool, domains get smaller
// blocks, so that many domains can live in little memory.
#define SMALL_BLOCK_ORDER 4
#define SCARCE_FRACTION 4

struct spinlock mm_spinlock;

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

// Memory that lies in domains but is not in use goes back to the pool.
static void domains_reclaim_locked(void)
{
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

void pool_give_locked(phys_addr_t block, unsigned order)
{
    uint64_t frame = block / PAGE_SIZE;
    area_merge(&pool, &frame, order, DOMAIN_POOL);
    pool_bytes += PAGE_SIZE << order;
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
    return pt_change_locked(DIRECT_MAP_BASE + block, PAGE_SIZE << order,
                            PTE_KEY_MASK, PTE_KEY(key));
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
    if (frames_rekey_locked(block, want, domain->key) != 0) {
        pool_give_locked(block, want);
        return false;
    }
    area_add(&domain->area, block / PAGE_SIZE, want, domain->id);
    return true;
}

// Move one free block of a domain back to the pool.
static bool domain_shrink_locked(struct domain *domain, uint64_t frame,
                                 unsigned order)
{
    if (frames_rekey_locked(frame * PAGE_SIZE, order, KEY_CLOSED) != 0) {
        return false;
    }
    area_remove(&domain->area, frame);
    pool_give_locked(frame * PAGE_SIZE, order);
    return true;
}

void domain_blocks_reclaim_locked(struct domain *domain)
{
    uint64_t frame;
    unsigned order;
    while (area_any(&domain->area, &frame, &order)) {
        if (!domain_shrink_locked(domain, frame, order)) {
            return;
        }
    }
}

static uint64_t domain_take_locked(struct domain *domain, unsigned order)
{
    uint64_t frame = area_take(&domain->area, order);
    if (frame == 0 && !domain_grow_locked(domain, order)) {
        domains_reclaim_locked();
        if (!domain_grow_locked(domain, order)) {
            return 0;
        }
    }
    return frame != 0 ? frame : area_take(&domain->area, order);
}

// ----------------------------------------------------------------- The frames

// Fill a block of a domain, under its key, with one byte.
static void block_fill(const struct domain *domain, const struct page *page,
                       unsigned order, int value)
{
    uint32_t rights = pks_rights();
    pks_set_rights(rights & ~domain->open_write);
    memset((void *)page_direct_address(page), value, PAGE_SIZE << order);
    pks_set_rights(rights);
}

#ifdef KEYHOLE_DEBUG
// A frame that was freed must still hold nothing but poison.
static void poison_check(const struct domain *domain, const struct page *page)
{
    uint32_t rights = pks_rights();
    pks_set_rights(rights & ~domain->open_write);
    const uint64_t *word = (const uint64_t *)page_direct_address(page);
    const uint64_t *end = word + PAGE_SIZE / sizeof(*word);
    while (word < end && *word == FRAME_POISON * 0x0101010101010101ull) {
        word++;
    }
    pks_set_rights(rights);
    if (word < end) {
        misuse_report(&(struct misuse){
            .what = "frame written to after it was freed",
            .page = page,
            .address = word,
            .site = {{"freed", site_unpack(page->private_site)}},
        });
    }
}
#else
static void poison_check(const struct domain *domain, const struct page *page)
{
    (void)domain;
    (void)page;
}
#endif

static __cold __noreturn void misuse_alloc(struct domain *domain,
                                           uintptr_t site)
{
    misuse_report(&(struct misuse){
        .what = "allocation for a domain that does not exist",
        .address = domain,
        .site = {{"this allocation", site}},
    });
}

static struct page *frames_alloc(struct domain *domain, unsigned order,
                                 uintptr_t site)
{
    if (order >= FRAME_ORDERS) {
        return NULL;
    }
    if (domain == NULL || !domain->live) {
        misuse_alloc(domain, site);
    }
    uint64_t lock = mm_lock();
    uint64_t frame = domain_take_locked(domain, order);
    if (frame == 0) {
        mm_unlock(lock);
        return NULL;
    }
    struct page *page = frame_page(frame);
    for (uint64_t i = 0; i < BIT(order); i++) {
        page[i].private_state = (page[i].private_state & FRAME_POISONED) |
                                FRAME_ALLOCATED | (i == 0 ? FRAME_HEAD : 0);
        page[i].private_order = order;
        page[i].private_domain = domain->id;
        page[i].private_next = page[i].private_prev = 0;
    }
    domain->frames += BIT(order);
    mm_unlock(lock);

    for (uint64_t i = 0; i < BIT(order); i++) {
        if (page[i].private_state & FRAME_POISONED) {
            poison_check(domain, &page[i]);
            page[i].private_state &= ~FRAME_POISONED;
        }
        page[i].private_site = site_pack(site);
    }
    block_fill(domain, page, order, 0);
    return page;
}

// Whatever is wrong with this free; does not return if anything is.
static void free_check(const struct page *page, unsigned order, uintptr_t site)
{
    struct misuse misuse = {
        .page = page,
        .site = {{"this free", site}},
    };
    uint8_t state = page->private_state;
    const struct bracket *bracket;
    if (state & FRAME_POISONED) {
        misuse.what = "frame freed twice";
        misuse.site[1].what = "freed before";
        misuse.site[1].ip = site_unpack(page->private_site);
    } else if (!(state & FRAME_ALLOCATED)) {
        misuse.what = "free of a frame that alloc_pages() did not give";
    } else if (!(state & FRAME_HEAD)) {
        misuse.what = "free of a frame inside a block";
        misuse.site[1].what = "block allocated";
        misuse.site[1].ip = site_unpack(page->private_site);
    } else if (page->private_order != order) {
        misuse.what = "free with another order than the block has";
        misuse.site[1].what = "block allocated";
        misuse.site[1].ip = site_unpack(page->private_site);
    } else if ((bracket = bracket_find_open(page, BIT(order))) != NULL) {
        misuse.what = "frame freed while a bracket on it is open";
        misuse.address = (const void *)bracket->address;
        misuse.site[1].what = "mapped";
        misuse.site[1].ip = site_unpack(bracket->map_site);
    } else {
        return;
    }
    misuse_report(&misuse);
}

// No kmap() and no vmap() may have the block's frames open either.
static void free_check_long(const struct page *page, unsigned order,
                            uintptr_t site)
{
    for (uint64_t i = 0; i < BIT(order); i++) {
        uint32_t maps = page[i].private_prev;
        if (likely(maps == 0)) {
            continue;
        }
        misuse_report(&(struct misuse){
            .what = maps & LONG_KMAP_MASK
                        ? "frame freed while kmap() has it open"
                        : "frame freed while vmap() has it open",
            .page = &page[i],
            .site = {{"this free", site},
                     {"mapped", maps & LONG_KMAP_MASK
                                    ? site_unpack(page[i].private_next)
                                    : vmap_site_of(&page[i])}},
        });
    }
}

static void frames_free(struct page *page, unsigned order, uintptr_t site)
{
    free_check(page, order, site);
    free_check_long(page, order, site);
    struct domain *domain = domain_of_id(page->private_domain);
    block_fill(domain, page, order, FRAME_POISON);

    uint64_t lock = mm_lock();
    for (uint64_t i = 0; i < BIT(order); i++) {
        page[i].private_state = FRAME_FREE | FRAME_POISONED;
        page[i].private_domain = DOMAIN_NONE;
        page[i].private_site = site_pack(site);
    }
    domain->frames -= BIT(order);
    uint64_t frame = page_frame(page);
    // Keep one whole block for the next allocation, give others back.
    bool spare = (domain->area.nonempty >> BLOCK_ORDER) != 0;
    unsigned merged = area_merge(&domain->area, &frame, order, domain->id);
    if (merged >= BLOCK_ORDER && spare) {
        domain_shrink_locked(domain, frame, merged);
    }
    mm_unlock(lock);
}

// ------------------------------------------------------------ Public contract

struct page *alloc_pages(struct domain *domain, unsigned order)
{
    return frames_alloc(domain, order, CALL_SITE());
}

struct page *alloc_page(struct domain *domain)
{
    return frames_alloc(domain, 0, CALL_SITE());
}

void free_pages(struct page *page, unsigned order)
{
    frames_free(page, order, CALL_SITE());
}

void free_page(struct page *page)
{
    frames_free(page, 0, CALL_SITE());
}

phys_addr_t page_to_phys(const struct page *page)
{
    return page_frame(page) * PAGE_SIZE;
}

struct page *phys_to_page(phys_addr_t address)
{
    if (!section_is_ready(address)) {
        uint64_t lock = mm_lock();
        bool ready = section_ensure_locked(address);
        mm_unlock(lock);
        if (!ready) {
            return NULL;
        }
    }
    return frame_page(address / PAGE_SIZE);
}

struct domain *page_domain(const struct page *page)
{
    return page->private_state & FRAME_ALLOCATED
               ? domain_of_id(page->private_domain)
               : NULL;
}

void *page_direct_map_address(const struct page *page)
{
    return (void *)page_direct_address(page);
}

uint64_t frames_total_bytes(void)
{
    return sections_ram_bytes();
}

uint64_t frames_free_bytes(void)
{
    return pool_bytes + sections_untouched_bytes();
}
