// SPDX-License-Identifier: MIT
//
// The frames behind the direct map, block by block: who owns each, whether its
// leaf has that owner's key, and whether lists and counts agree with it.
#include "arch/pte.h"
#include "arch/trap.h"
#include "mm/audit_internal.h"
#include "mm/domain.h"
#include "mm/engine.h"
#include "mm/frame_cache.h"
#include "mm/frames_internal.h"
#include "mm/image.h"
#include "mm/keys.h"
#include "mm/layout.h"
#include "mm/long_maps.h"
#include "mm/section.h"
#include "mm/stack.h"
#include "mm/vmap_slots.h"

// A frame that contradicts itself: address, state, and order and domain.
static void frame_find(struct audit *audit, const struct page *page)
{
    audit_find(audit, AUDIT_FRAME, page_to_phys(page), page->private_state,
               (uint64_t)page->private_order << 16 | page->private_domain);
}

static bool block_is_sound(const struct page *page)
{
    return page->private_order < FRAME_ORDERS &&
           IS_ALIGNED(page_frame(page), BIT(page->private_order));
}

static uint64_t block_hash(uint64_t frame, unsigned order, unsigned owner)
{
    return audit_hash(frame << 20 | order << 16 | owner);
}

// ------------------------------------------------------------------- Blocks

static void block_allocated(struct audit *audit, const struct page *page)
{
    unsigned id = page->private_domain;
    uint64_t count = BIT(page->private_order);
    audit->block_key = domain_leaf_key(domain_of_id(id));
    audit->domain.mapped += audit_hash(id) * count;
    for (uint64_t i = 0; i < count; i++) {
        const struct page *at = &page[i];
        unsigned wanted = FRAME_ALLOCATED | (i == 0 ? FRAME_HEAD : 0);
        if ((at->private_state & ~(FRAME_POISONED | FRAME_WATCHED)) != wanted ||
            at->private_domain != id ||
            at->private_order != page->private_order) {
            frame_find(audit, at);
        }
        uint32_t counts = long_counts(at);
        if (counts != 0) {
            uint64_t hash = audit_hash(page_frame(at));
            uint64_t vmaps = (counts & LONG_VMAP_MASK) / LONG_VMAP_ONE;
            audit->kmap.counted += long_kmap_is_open(at) ? hash : 0;
            audit->vmap.counted += hash * vmaps;
        }
    }
}

static void block_free(struct audit *audit, const struct page *page)
{
    unsigned owner = page->private_domain & ~DOMAIN_FREE;
    uint64_t count = BIT(page->private_order);
    audit->block_key = owner < DOMAIN_BUILT_IN && owner != DOMAIN_RAM
                           ? KEY_CLOSED
                           : domain_leaf_key(domain_of_id(owner));
    audit->free_blocks++;
    audit->free.mapped +=
        block_hash(page_frame(page), page->private_order, owner);
    if (owner == DOMAIN_POOL) {
        audit->pool_bytes += count * PAGE_SIZE;
    }
    for (uint64_t i = 1; i < count; i++) {
        if (page[i].private_state & ~(FRAME_FREE | FRAME_POISONED)) {
            frame_find(audit, &page[i]);
        }
    }
}

// One on a list of single frames: it is free, and the domain counts it.
static void frame_cached(struct audit *audit, const struct page *page)
{
    block_free(audit, page);
    audit->domain.mapped += audit_hash(page->private_domain & ~DOMAIN_FREE);
}

static bool owner_is_sound(const struct page *page)
{
    unsigned owner = page->private_domain & ~DOMAIN_FREE;
    return (page->private_domain & DOMAIN_FREE) &&
           (owner == DOMAIN_POOL || owner == DOMAIN_KERNEL ||
            domain_is_live(owner));
}

// The block that begins at a frame: how long it is, and which key it must have.
static void block_begin(struct audit *audit, const struct page *page)
{
    unsigned state = page->private_state & ~(FRAME_POISONED | FRAME_WATCHED);
    uint64_t frames = 1;
    audit->block_key = KEY_CLOSED;
    audit->block_rule = AUDIT_DIRECT_KEY;
    if (state == FRAME_KERNEL) {
        audit->own.counted += audit_hash(page_frame(page));
    } else if (state == FRAME_TABLE) {
        audit->block_key = KEY_TABLES;
        audit->block_rule = AUDIT_TABLE_KEY;
    } else if (state == (FRAME_HEAD | FRAME_ALLOCATED) &&
               block_is_sound(page) && domain_is_live(page->private_domain)) {
        frames = BIT(page->private_order);
        block_allocated(audit, page);
    } else if (state == FRAME_CACHED_STATE && page->private_order == 0 &&
               page->private_prev == 0 && owner_is_sound(page)) {
        frame_cached(audit, page);
    } else if (state == (FRAME_HEAD | FRAME_FREE) && block_is_sound(page) &&
               owner_is_sound(page)) {
        frames = BIT(page->private_order);
        block_free(audit, page);
    } else if (state != 0) { // 0: reserved since boot
        frame_find(audit, page);
    }
    audit->block_end = page_to_phys(page) + frames * PAGE_SIZE;
    audit->report->frames += frames;
}

void audit_frames(struct audit *audit, const struct audit_leaf *leaf)
{
    phys_addr_t at = leaf->physical, end = leaf->physical + leaf->size;
    while (at < end) {
        if (!section_is_ready(at)) {
            at = ALIGN_DOWN(at, SECTION_SIZE) + SECTION_SIZE;
            continue;
        }
        if (at >= audit->block_end) {
            block_begin(audit, frame_page(at / PAGE_SIZE));
        }
        if (!engine->direct_leaf_is_right(leaf->entry, audit->block_key)) {
            audit_find(audit, audit->block_rule,
                       leaf->address + (at - leaf->physical), leaf->entry,
                       PTE_KEY(audit->block_key));
        }
        at = audit->block_end;
    }
}

void audit_ram(struct audit *audit)
{
    for (uint64_t section = 0; section < SECTIONS; section++) {
        phys_addr_t at = section * SECTION_SIZE, end = at + SECTION_SIZE;
        while (section_is_set_up(section * SECTION_SIZE) && at < end) {
            if (at < audit->block_end || !section_is_ready(at)) {
                at += PAGE_SIZE;
            } else {
                block_begin(audit, frame_page(at / PAGE_SIZE));
                at = audit->block_end;
            }
        }
    }
}

// ----------------------------------------------------------------------- Lists

// Whether a block is what a list says; it can be read then.
static bool listed_is_sound(uint64_t frame, uint64_t before, unsigned order,
                            unsigned owner, unsigned state)
{
    const struct page *page = frame_page(frame);
    return IS_ALIGNED(frame, BIT(order)) &&
           section_is_ready(frame * PAGE_SIZE) &&
           (page->private_state & ~FRAME_POISONED) == state &&
           page->private_order == order &&
           page->private_domain == (owner | DOMAIN_FREE) &&
           page->private_prev == before;
}

static void area_check(struct audit *audit, const struct free_area *area,
                       unsigned owner)
{
    for (unsigned order = 0; order < FRAME_ORDERS; order++) {
        uint64_t before = 0, frame = area->head[order];
        if ((area->nonempty >> order & 1) != (frame != 0)) {
            audit_find(audit, AUDIT_FREE_LIST, 0, area->nonempty, order);
        }
        while (frame != 0) {
            // More blocks on lists than there are: a list that is a ring.
            if (audit->listed_blocks++ >= audit->free_blocks ||
                !listed_is_sound(frame, before, order, owner,
                                 FRAME_HEAD | FRAME_FREE)) {
                audit_find(audit, AUDIT_FREE_LIST, frame * PAGE_SIZE, order,
                           owner);
                break;
            }
            audit->free.counted += block_hash(frame, order, owner);
            before = frame;
            frame = frame_page(frame)->private_next;
        }
    }
}

// A CPU's list of single frames of a domain.
static void cache_check(struct audit *audit, unsigned owner,
                        const struct frame_cache *cache)
{
    uint64_t frame = cache->head;
    uint32_t count = 0;
    while (frame != 0 && count <= cache->count &&
           listed_is_sound(frame, 0, 0, owner, FRAME_CACHED_STATE)) {
        audit->free.counted += block_hash(frame, 0, owner);
        audit->listed_blocks++;
        count++;
        frame = frame_page(frame)->private_next;
    }
    if (frame != 0 || count != cache->count || count > FRAME_CACHE_MAX) {
        audit_find(audit, AUDIT_FREE_LIST, frame * PAGE_SIZE, count,
                   cache->count);
    }
}

static void domain_check(struct audit *audit, const struct domain *domain)
{
    audit->domain.counted += audit_hash(domain->id) * domain->frames;
    area_check(audit, &domain->area, domain->id);
    for (unsigned cpu = 0; cpu < cpus_count; cpu++) {
        cache_check(audit, domain->id,
                    &cpu_data_of(cpu)->frame_cache[domain->id]);
    }
    if (!engine->domain_is_right(domain)) {
        audit_find(audit, AUDIT_DOMAIN_KEY, (uintptr_t)domain, domain->key,
                   domain->open_write);
    }
}

// Rights are kept for live domains only: a frame that is free or nobody's opens
// nothing.
static void rights_check(struct audit *audit)
{
    unsigned live = 0, kept = 0;
    for (const struct domain *d = domain_next(DOMAIN_NONE); d != NULL;
         d = domain_next(d->id)) {
        live += domain_write_[d->id].keep != 0; // the parked have none to give
    }
    for (unsigned i = 0; i < domain_numbers(); i++) {
        unsigned j = i | DOMAIN_FREE;
        kept += (domain_write_[i].keep | domain_read_[i].keep) != 0;
        kept += (domain_write_[j].keep | domain_read_[j].keep) != 0;
    }
    if (live != kept) {
        audit_find(audit, AUDIT_DOMAIN_KEY, 0, kept, live);
    }
}

// Destroyed stacks whose frames are kept have no mapping.
static void stacks_count(struct audit *audit)
{
    unsigned slot = 0;
    uint32_t frame;
    while (stack_kept_next(&slot, &frame)) {
        for (; frame != 0; frame = frame_page(frame)->private_next) {
            for (uint64_t i = 0; i < BIT(frame_page(frame)->private_order);
                 i++) {
                audit->own.mapped += audit_hash(frame + i);
            }
        }
    }
}

void audit_lists(struct audit *audit)
{
    stacks_count(audit);
    rights_check(audit);
    area_check(audit, pool_area(), DOMAIN_POOL);
    area_check(audit, kernel_free_area(), DOMAIN_KERNEL);
    for (const struct domain *d = domain_next(DOMAIN_NONE); d != NULL;
         d = domain_next(d->id)) {
        domain_check(audit, d);
    }
    const struct vmap_slot *slot = NULL;
    while ((slot = slot_next_locked(slot)) != NULL) {
        audit->areas.counted += slot_pages(slot) * audit_hash((uintptr_t)slot);
    }
    // Guard pages have frames of the image behind them, and no mapping.
    for (uintptr_t at = (uintptr_t)__data_start; at < (uintptr_t)__data_end;
         at += PAGE_SIZE) {
        if (stack_is_guard(at)) {
            audit->own.mapped += audit_hash((at - KERNEL_BASE) / PAGE_SIZE);
        }
    }
}
