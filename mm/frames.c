// SPDX-License-Identifier: MIT
//
// The public allocator: frames of a domain, dealt out, checked and poisoned.
#include "mm/frames.h"

#include "arch/pks.h"
#include "lib/panic.h"
#include "mm/bracket.h"
#include "mm/domain.h"
#include "mm/frames_internal.h"
#include "mm/keys.h"
#include "mm/lock.h"
#include "mm/long_maps.h"
#include "mm/misuse.h"
#include "mm/section.h"

// Fill a block of a domain, under its key, with one byte. Where every key is
// open already, frame by frame through the window.
static void block_fill(struct domain *domain, struct page *page, unsigned order,
                       int value)
{
    if (key_pin(domain)) {
        uint32_t rights = pks_rights();
        pks_set_rights(rights & ~domain->open_write);
        memset((void *)page_direct_address(page), value, PAGE_SIZE << order);
        pks_set_rights(rights);
        key_unpin(domain);
        return;
    }
    for (uint64_t i = 0; i < BIT(order); i++) {
        memset_page(page + i, 0, value, PAGE_SIZE);
    }
}

#ifdef KEYHOLE_DEBUG
// A frame that was freed must still hold nothing but poison.
static void poison_check(struct page *page)
{
    const uint64_t *start = kmap_local_page_ro(page);
    const uint64_t *word = start, *end = start + PAGE_SIZE / sizeof(*word);
    while (word < end && *word == FRAME_POISON * 0x0101010101010101ull) {
        word++;
    }
    kunmap_local(start);
    if (word < end) {
        misuse_report(&(struct misuse){
            .what = "frame written to after it was freed",
            .page = page,
            .address =
                (const char *)page_direct_address(page) + (word - start) * 8,
            .site = {{"freed", site_unpack(page->private_site)}},
        });
    }
}
#else
static void poison_check(struct page *page)
{
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
            poison_check(&page[i]);
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
    domain_give_locked(domain, page_frame(page), order);
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
