// SPDX-License-Identifier: MIT
//
// The public allocator: frames of a domain, dealt out, checked and poisoned.
#include "mm/frames.h"

#include "arch/pks.h"
#include "lib/panic.h"
#include "mm/bracket.h"
#include "mm/context.h"
#include "mm/domain.h"
#include "mm/engine.h"
#include "mm/frame_cache.h"
#include "mm/frame_fill.h"
#include "mm/frames_internal.h"
#include "mm/lock.h"
#include "mm/long_maps.h"
#include "mm/misuse.h"
#include "mm/watch.h"

// A call that the hot paths seldom make, hidden from the compiler: so they are
// leaves, and keep no frame and no registers for it (docs/TRICKS.md). The
// function returns 64 bits.
#define COLD_CALL_3(function, a, b, c)                                         \
    ({                                                                         \
        uint64_t rax_, rdi_ = (uint64_t)(a), rsi_ = (uint64_t)(b);             \
        uint64_t rdx_ = (uint64_t)(c);                                         \
        __asm__ volatile("call " #function                                     \
                         : "=a"(rax_), "+D"(rdi_), "+S"(rsi_), "+d"(rdx_)      \
                         :                                                     \
                         : "rcx", "r8", "r9", "r10", "r11", "memory", "cc");   \
        rax_;                                                                  \
    })

// Fill the frames of a block with copies of a word, where frame_fill() will not
// do; with `check`, see first that those that were freed before are all poison
// still. Returns where in the direct map the first word is that is not, or 0.
static uintptr_t block_fill(struct page *page, unsigned order, uint64_t word,
                            bool check)
{
    struct frame_filler filler = {.page = NULL, .pinned = false};
    struct mm_context *context = mm_context_here();
    uintptr_t found = 0;
    context->filling = &filler;
    engine->fill_begin(&filler, domain_of_id(page->private_domain));
    for (struct page *end = page + BIT(order); page < end; page++) {
        filler.page = page;
        cpu_compiler_barrier();
        uint64_t *at = engine->fill_frame(&filler, page);
        const uint64_t *broken = NULL;
        if (FRAME_CHECKS && check && (page->private_state & FRAME_POISONED)) {
            broken = poison_broken(at);
        }
        if (broken != NULL && found == 0) {
            found = page_direct_address(page) + (broken - at) * sizeof(*at);
        }
        cpu_store_words((uintptr_t)at, word, PAGE_SIZE / sizeof(word));
        engine->fill_frame_end(&filler, at);
        cpu_compiler_barrier();
        filler.page = NULL;
    }
    engine->fill_end(&filler);
    context->filling = NULL;
    return found;
}

// --------------------------------------------------------------------- Giving

// Put a frame, poisoned by now, on its domain's list. Interrupts off.
static inline void page_put(struct page *page, uint64_t id, uint32_t owner,
                            uintptr_t site)
{
    page->private_site = site_pack(site);
    page_write_owner(page, owner);
    page->private_next = frame_cache_head(id);
    frame_cache_head(id) = page_link(page);
    frame_cache_count_add(id, 1);
}

#define OWNER_CACHED(id)                                                       \
    FRAME_OWNER((id) | DOMAIN_FREE, 0, FRAME_CACHED_STATE | FRAME_POISONED)

// Poison a frame that its caller has and put it on its domain's list, which may
// be full.
static __used __noinline uint64_t page_give(struct page *page, uintptr_t site)
{
    unsigned id = page->private_domain;
    block_fill(page, 0, FRAME_POISON_WORD, false);
    uint64_t flags = cpu_interrupts_off();
    if (frame_cache_is_full(id)) {
        frame_cache_spill(domain_of_id(id));
    }
    page_put(page, id, OWNER_CACHED(id), site);
    cpu_interrupts_restore(flags);
    return 0;
}

// The same where nothing is unusual. `owner` is what the frame says.
static inline __attribute__((always_inline)) void
page_give_quick(struct page *page, uint32_t owner, uintptr_t site)
{
    uint64_t id = (uint16_t)owner;
    uint64_t flags = cpu_interrupts_off();
    if (unlikely(frame_cache_is_full(id) ||
                 !frame_fill(page, id, FRAME_POISON_WORD, NULL))) {
        cpu_interrupts_restore(flags);
        COLD_CALL_3(page_give, page, site, 0);
        return;
    }
    page_put(page, id,
             owner ^ OWNER_CACHED(0) ^ FRAME_OWNER(0, 0, FRAME_BLOCK_STATE),
             site);
    cpu_interrupts_restore(flags);
}

static __noinline void block_give(struct page *page, unsigned order,
                                  uintptr_t site)
{
    if (order == 0) {
        page_give(page, site);
        return;
    }
    struct domain *domain = domain_of_id(page->private_domain);
    block_fill(page, order, FRAME_POISON_WORD, false);
    uint64_t lock = mm_lock();
    for (uint64_t i = 0; i < BIT(order); i++) {
        page_set_owner(&page[i], DOMAIN_NONE, order,
                       FRAME_FREE | FRAME_POISONED);
        page[i].private_site = site_pack(site);
    }
    domain->frames -= BIT(order);
    domain_give_locked(domain, page_frame(page), order);
    mm_unlock(lock);
}

// --------------------------------------------------------------------- Taking

static __used __cold __noreturn void misuse_alloc(struct domain *domain,
                                                  uintptr_t site)
{
    misuse_report(&(struct misuse){
        .what = "allocation for a domain that does not exist",
        .address = domain,
        .site = {{"this allocation", site}},
    });
}

// A block that was just taken was written to after it was freed. Nobody gets
// it, and nobody keeps it.
static __used __cold __noreturn void misuse_poison(struct page *page,
                                                   unsigned order,
                                                   uintptr_t broken,
                                                   uintptr_t freed)
{
    block_give(page, order, freed);
    misuse_report(&(struct misuse){
        .what = "frame written to after it was freed",
        .page = frame_page((broken - DIRECT_MAP_BASE) / PAGE_SIZE),
        .address = (const void *)broken,
        .site = {{"freed", freed}},
    });
}

// From the domain's blocks; a single frame comes with others for the list.
static __used __noinline struct page *block_take(struct domain *domain,
                                                 unsigned order, uintptr_t site)
{
    if (order >= FRAME_ORDERS) {
        return NULL;
    }
    if (domain == NULL || !domain->live) {
        misuse_alloc(domain, site);
    }
    if (domain->fixed) {
        return NULL;
    }
    uint64_t lock = mm_lock();
    uint64_t frame = domain_take_locked(domain, order);
    if (frame == 0) {
        mm_unlock(lock);
        return NULL;
    }
    struct page *page = frame_page(frame);
    for (uint64_t i = 0; i < BIT(order); i++) {
        unsigned poisoned = page[i].private_state & FRAME_POISONED;
        page_set_owner(&page[i], domain->id, order,
                       FRAME_ALLOCATED | (i == 0 ? FRAME_HEAD : 0) | poisoned);
        page[i].private_prev = 0;
    }
    domain->frames += BIT(order);
    if (order == 0 && frame_cache_of(domain)->head == 0) {
        frame_cache_refill_locked(domain);
    }
    mm_unlock(lock);

    uintptr_t broken = block_fill(page, order, 0, true);
    if (unlikely(broken != 0)) {
        const struct page *at =
            frame_page((broken - DIRECT_MAP_BASE) / PAGE_SIZE);
        misuse_poison(page, order, broken, site_unpack(at->private_site));
    }
    for (uint64_t i = 0; i < BIT(order); i++) {
        page[i].private_state &= ~FRAME_POISONED;
        page[i].private_site = site_pack(site);
        page_note_birth(&page[i]);
    }
    return page;
}

// The rest of page_take() for a domain that has no key.
static __used __noinline struct page *page_take_parked(struct page *page,
                                                       uintptr_t site)
{
    uintptr_t freed = site_unpack(page->private_site);
    uintptr_t broken = block_fill(page, 0, 0, true);
    if (broken != 0) {
        misuse_poison(page, 0, broken, freed);
    }
    page->private_state = FRAME_BLOCK_STATE;
    page->private_site = site_pack(site);
    page_note_birth(page);
    return page;
}

// A single frame, from its domain's list if there is one. The order of stores:
// off the list, then the caller's, then filled.
static inline __attribute__((always_inline)) struct page *
page_take(struct domain *domain, uintptr_t site)
{
    if (unlikely(domain == NULL)) {
        COLD_CALL_3(misuse_alloc, domain, site, 0);
        __builtin_unreachable();
    }
    uint64_t id = domain->id;
    uint64_t flags = cpu_interrupts_off();
    uint32_t frame = frame_cache_head(id);
    if (unlikely(frame == 0)) {
        cpu_interrupts_restore(flags);
        return (struct page *)COLD_CALL_3(block_take, domain, 0, site);
    }
    struct page *page = frame_page(frame);
    unsigned poisoned = FRAME_CHECKS ? page->private_state & FRAME_POISONED : 0;
    frame_cache_head(id) = page->private_next;
    frame_cache_count_add(id, -1);
    page_set_owner(page, id, 0, FRAME_BLOCK_STATE | poisoned);
    uintptr_t broken = 0;
    if (unlikely(!frame_fill(page, id, 0, poisoned ? &broken : NULL))) {
        cpu_interrupts_restore(flags);
        return (struct page *)COLD_CALL_3(page_take_parked, page, site, 0);
    }
    if (FRAME_CHECKS) {
        page->private_state = FRAME_BLOCK_STATE;
        if (unlikely(broken != 0)) {
            cpu_interrupts_restore(flags);
            misuse_poison(page, 0, broken, site_unpack(page->private_site));
        }
    }
    page->private_site = site_pack(site);
    page_note_birth(page);
    cpu_interrupts_restore(flags);
    return page;
}

// -------------------------------------------------------------- What is wrong

// Whatever is wrong with this free; does not return if anything is.
static void free_check(const struct page *page, unsigned order, uintptr_t site)
{
    struct misuse misuse = {
        .page = page,
        .site = {{"this free", site}},
    };
    uint8_t state = page->private_state;
    const struct bracket *bracket;
    const struct watch *watch;
    if (state & FRAME_POISONED) {
        misuse.what = "frame freed twice";
        misuse.site[1].what = "freed before";
        misuse.site[1].ip = site_unpack(page->private_site);
    } else if (!(state & FRAME_ALLOCATED)) {
        misuse.what = "free of a frame that alloc_pages() did not give";
    } else if (domain_of_id(page->private_domain)->fixed) {
        misuse.what = "free of persistent memory";
    } else if (!(state & FRAME_HEAD)) {
        misuse.what = "free of a frame inside a block";
        misuse.site[1].what = "block allocated";
        misuse.site[1].ip = site_unpack(page->private_site);
    } else if (page->private_order != order) {
        misuse.what = "free with another order than the block has";
        misuse.site[1].what = "block allocated";
        misuse.site[1].ip = site_unpack(page->private_site);
    } else if ((watch = watch_find(page, BIT(order))) != NULL) {
        misuse.what = watch->frozen ? "frame freed while it is frozen"
                                    : "frame freed while it is watched";
        misuse.site[1].what = watch->frozen ? "frozen" : "watched";
        misuse.site[1].ip = site_unpack(watch->site);
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
static void free_check_long(struct page *page, unsigned order, uintptr_t site)
{
    for (uint64_t i = 0; i < BIT(order); i++) {
        if (unlikely(long_maps_touched(&page[i]))) {
            long_maps_check_free(&page[i], site);
        }
    }
}

// A block of 2^order frames is the caller's to free, and nobody has it open.
static __used __noinline uint64_t block_free(struct page *page, unsigned order,
                                             uintptr_t site)
{
    free_check(page, order, site);
    free_check_long(page, order, site);
    block_give(page, order, site);
    return 0;
}

// ------------------------------------------------------------ Public contract

struct page *alloc_pages(struct domain *domain, unsigned order)
{
    return order == 0 ? page_take(domain, CALL_SITE())
                      : block_take(domain, order, CALL_SITE());
}

struct page *alloc_page(struct domain *domain)
{
    return page_take(domain, CALL_SITE());
}

void free_pages(struct page *page, unsigned order)
{
    block_free(page, order, CALL_SITE());
}

// Nothing is unusual: no state but that of a single frame, no kmap() or vmap(),
// and no bracket, of this thread (an open bracket is an open key, so the rights
// tell) or of one that waits.
void free_page(struct page *page)
{
    uint32_t owner = page_owner(page);
    if (unlikely(owner >> FRAME_OWNER_DOMAIN_BITS !=
                     FRAME_OWNER(0, 0, FRAME_BLOCK_STATE) >>
                         FRAME_OWNER_DOMAIN_BITS ||
                 page->private_prev != 0 || pks_rights() != PKRS_CLOSED ||
                 mm_contexts_holding != 0)) {
        COLD_CALL_3(block_free, page, 0, CALL_SITE());
        return;
    }
    page_give_quick(page, owner, CALL_SITE());
}

int64_t page_age(const struct page *page)
{
#ifdef KEYHOLE_DEBUG
    if (page_domain(page) != NULL && !long_maps_touched(page)) {
        uint32_t now = (uint32_t)(cpu_read_tsc() >> FRAME_BORN_SHIFT) | 1;
        return (int64_t)(now - page->private_next) << FRAME_BORN_SHIFT;
    }
#else
    (void)page;
#endif
    return -1;
}

phys_addr_t page_to_phys(const struct page *page)
{
    return page_frame(page) * PAGE_SIZE;
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
