// SPDX-License-Identifier: MIT
//
// The list of free single frames that each domain has: its frames are free in
// every respect, are never lost, and have the key that their domain has.
#include "arch/pks.h"
#include "kernel/misuse.h"
#include "keyhole.h"
#include "mm/audit.h"
#include "mm/frame_cache.h"
#include "mm/frames.h"
#include "mm/keys.h"
#include "mm/layout.h"
#include "mm/lock.h"
#include "mm/memory.h"
#include "mm/pagetable.h"
#include "tests/alias.h"
#include "tests/engines.h"
#include "tests/scratch.h"

static struct audit_report report;

static unsigned leaf_key(const struct page *page)
{
    struct pt_walk walk;
    pt_walk((uintptr_t)page_direct_map_address(page), &walk);
    return pte_key(walk.entry[walk.level]);
}

static bool is_cached(const struct page *page)
{
    return (page->private_state & ~FRAME_POISONED) == FRAME_CACHED_STATE;
}

TEST(frame_cache, its_frames_are_free)
{
    NEEDS_ACCOUNT();
    struct domain *domain = domain_create("cached");
    struct page *page = alloc_page(domain);
    CHECK(page != NULL);
    free_page(page);
    CHECK(is_cached(page));
    CHECK_EQ(frame_cache_of(domain)->head, page_frame(page));
    CHECK_EQ(domain_frames(domain), 0);
    CHECK(page_domain(page) == NULL);
    volatile char *at = page_direct_map_address(page);
    if (engine_refuses()) {
        CHECK_REFUSED(ACCESS_WRITE, *at = 1);
    }
    CHECK_MISUSE(kmap_local_page(page));
    CHECK_MISUSE(kmap_local_range(page, 0, 1));
    CHECK_MISUSE(kmap_local_pages(&page, 1));
    CHECK_MISUSE(kmap(page));
    CHECK_MISUSE(vmap(&page, 1, MAP_READ));
    CHECK(vmap_range(page_to_phys(page), PAGE_SIZE, MAP_READ) == NULL);
    CHECK_MISUSE(free_pages(page, 0));
    CHECK(audit_run(&report));
    CHECK(alloc_page(domain) == page); // the last that was freed
    memset_page(page, 0, 1, 1);
    free_page(page);
    CHECK_EQ(domain_destroy(domain), 0);
    CHECK(!is_cached(page));
    CHECK(audit_run(&report));
}

// free_page() is quick only where nobody has the frame open, in any way.
static void free_open_frame(struct page *page, const char *what)
{
    CHECK_MISUSE(free_page(page));
    CHECK_EQ((uintptr_t)misuse_last()->page, (uintptr_t)page);
    CHECK_EQ(strcmp(misuse_last()->what, what), 0);
    CHECK(page_domain(page) == domain_ram);
}

TEST(frame_cache, no_open_frame_gets_in)
{
    static const char *const bracket =
        "frame freed while a bracket on it is open";
    struct page *page = alloc_page(domain_ram), *other = alloc_page(domain_ram);
    CHECK(page != NULL && other != NULL);
    const void *p = kmap_local_page(page);
    if (engine_refuses()) {
        free_open_frame(page, bracket);
    }
    free_page(other); // another may go
    CHECK(is_cached(other));
    kunmap_local(p);
    if (engine_refuses()) {
        p = kmap_local_page_ro(page);
        free_open_frame(page, bracket);
        kunmap_local(p);
    }
    p = kmap_local_pages_ro(&page, 1);
    free_open_frame(page, bracket);
    kunmap_local(p);
    kmap(page);
    free_open_frame(page, "frame freed while kmap() has it open");
    kunmap(page);
    p = vmap(&page, 1, MAP_READ);
    free_open_frame(page, "frame freed while vmap() has it open");
    vunmap(p);
    free_page(page);
    CHECK(is_cached(page));
}

// Change a member, see that the audit says so, and change it back.
#define CHANGED_IS_FOUND(member, value, rule)                                  \
    ({                                                                         \
        __typeof__(member) old_ = (member);                                    \
        (member) = (value);                                                    \
        audit_run(&report);                                                    \
        (member) = old_;                                                       \
        audit_found(&report, rule);                                            \
    })

TEST(frame_cache, audit_finds_what_is_wrong)
{
    struct domain *domain = domain_create("audit");
    struct page *page = alloc_page(domain);
    CHECK(page != NULL);
    free_page(page);
    struct frame_cache *cache = frame_cache_of(domain);
    bool found =
        CHANGED_IS_FOUND(cache->head, 0, AUDIT_FREE_LIST) &&
        CHANGED_IS_FOUND(cache->head, page->private_next, AUDIT_FREE_LIST) &&
        CHANGED_IS_FOUND(cache->count, cache->count + 1, AUDIT_FREE_LIST) &&
        CHANGED_IS_FOUND(cache->count, FRAME_CACHE_MAX + 1, AUDIT_FREE_LIST) &&
        CHANGED_IS_FOUND(page->private_next, cache->head, AUDIT_FREE_LIST) &&
        CHANGED_IS_FOUND(page->private_prev, 1, AUDIT_FRAME) &&
        CHANGED_IS_FOUND(page->private_state, FRAME_HEAD | FRAME_FREE,
                         AUDIT_FREE_LIST) &&
        CHANGED_IS_FOUND(page->private_state, FRAME_HEAD | FRAME_ALLOCATED,
                         AUDIT_FRAME) &&
        CHANGED_IS_FOUND(domain->frames, 1, AUDIT_DOMAIN_FRAMES);
    CHECK_EQ(domain_destroy(domain), 0);
    CHECK(found);
    CHECK(audit_run(&report));
}

#define MANY 300
SCRATCH_ARRAY(struct page *, pages, MANY, 0);

// Whatever the order, the list stays short, and both ends add up.
TEST(frame_cache, fills_and_spills)
{
    struct domain *domain = domain_create("cached");
    const struct frame_cache *cache = frame_cache_of(domain);
    uint64_t state = test_seed() | 1;
    unsigned held = 0, longest = 0, spills = 0;
    for (unsigned i = 0; i < 4000; i++) {
        unsigned before = cache->count;
        state = state * 6364136223846793005ull + 1442695040888963407ull;
        bool coin = (state >> 40 & 3) != 0; // three times out of four
        bool more = coin == ((i & 256) == 0) ? held < MANY : held == 0;
        if (more) {
            pages[held] = alloc_page(domain);
            CHECK(pages[held] != NULL);
            held++;
        } else {
            unsigned which = (state >> 33) % held;
            free_page(pages[which]);
            pages[which] = pages[--held];
            spills += cache->count < before;
        }
        longest = cache->count > longest ? cache->count : longest;
        CHECK_EQ(domain_frames(domain), held);
        CHECK_EQ(domain->frames, held + cache->count);
    }
    CHECK(audit_run(&report));
    while (held > 0) {
        free_page(pages[--held]);
    }
    CHECK_EQ(longest, FRAME_CACHE_MAX);
    CHECK(spills > 0);
    CHECK_EQ(domain_destroy(domain), 0);
    CHECK(audit_run(&report));
}

TEST(frame_cache, goes_back_when_memory_is_wanted)
{
    struct domain *domain = domain_create("cached");
    uint64_t free = frames_free_bytes();
    struct page *page = alloc_page(domain);
    CHECK(page != NULL);
    free_page(page);
    CHECK(frame_cache_of(domain)->count > 0);
    uint64_t lock = mm_lock();
    domain_blocks_reclaim_locked(domain);
    mm_unlock(lock);
    CHECK_EQ(frame_cache_of(domain)->count, 0);
    CHECK_EQ(frame_cache_of(domain)->head, 0);
    CHECK_EQ(domain->frames, 0);
    CHECK_EQ(frames_free_bytes(), free);
    page = alloc_page(domain);
    CHECK(page != NULL);
    free_page(page);
    CHECK_EQ(domain_destroy(domain), 0);
}

// ------------------------------------------------------------------------ Keys

static void park(struct domain *domain)
{
    uint64_t lock = mm_lock();
    key_take_locked(domain);
    mm_unlock(lock);
}

static bool cached_follow_the_key(struct domain *domain)
{
    struct page *used = alloc_page(domain), *freed = alloc_page(domain);
    if (used == NULL || freed == NULL) {
        return false;
    }
    free_page(freed);
    unsigned key = domain->key;
    bool right = is_cached(freed) && leaf_key(freed) == domain_leaf_key(domain);
    park(domain);
    right = right && leaf_key(freed) == KEY_CLOSED && is_cached(freed);
    // Taken and given back with no key: the slow ways.
    right = right && alloc_page(domain) == freed && domain->key != 0;
    park(domain);
    free_page(freed);
    right = right && is_cached(freed) && domain->key != 0 &&
            leaf_key(freed) == domain->key;
    free_page(used);
    return right && key != 0;
}

TEST(frame_cache, follows_the_key)
{
    NEEDS_PKS();
    struct domain *domain = domain_create("cached");
    struct page *page = alloc_page(domain);
    CHECK(page != NULL);
    memset_page(page, 0, 1, 1); // has a key now
    CHECK(cached_follow_the_key(domain));
    CHECK(audit_run(&report));
    free_page(page);
    CHECK_EQ(domain_destroy(domain), 0);
}

// Blocks of the pool: a list, linked like that of an area.
static uint32_t hoard;

static bool hoard_one_locked(unsigned order)
{
    phys_addr_t block = pool_take_locked(order);
    if (block != 0) {
        struct page *page = frame_page(block / PAGE_SIZE);
        page->private_next = hoard;
        page->private_order = order;
        hoard = block / PAGE_SIZE;
    }
    return block != 0;
}

static void hoard_small_locked(void)
{
    for (unsigned order = 0; order < 9; order++) {
        while ((pool_area()->nonempty >> order & 1) &&
               hoard_one_locked(order)) {
        }
    }
}

// Make memory scarce, and leave nothing but whole blocks of 2 MiB.
static void memory_hoard(void)
{
    uint64_t lock = mm_lock();
    hoard_small_locked();
    while (frames_free_bytes() > frames_total_bytes() / 8 &&
           hoard_one_locked(9)) {
    }
    hoard_small_locked(); // those of sections that were set up for it
    mm_unlock(lock);
}

static void memory_release(void)
{
    uint64_t lock = mm_lock();
    while (hoard != 0) {
        struct page *page = frame_page(hoard);
        hoard = page->private_next;
        pool_give_locked(page_to_phys(page), page->private_order);
    }
    mm_unlock(lock);
}

// The same in a block of 2 MiB that is shared between domains, as they are when
// memory is scarce; its leaf, which is split for that, gets whole again.
TEST(frame_cache, follows_the_key_in_shared_blocks)
{
    uint64_t before[PT_LEVELS + 1], split[PT_LEVELS + 1], after[PT_LEVELS + 1];
    NEEDS_PKS();
    if (frames_total_bytes() > GIB(1)) {
        SKIP("it takes too long to make so much memory scarce");
    }
    memory_hoard();
    memory_leaf_bytes(before);
    struct domain *domain = domain_create("cached");
    struct page *page = alloc_page(domain);
    bool shared = page != NULL && domain->blocks == 0, right = false;
    memory_leaf_bytes(split);
    if (shared) {
        memset_page(page, 0, 1, 1); // has a key now
        right = cached_follow_the_key(domain);
    }
    if (page != NULL) {
        free_page(page);
    }
    int error = domain_destroy(domain);
    memory_leaf_bytes(after);
    memory_release();
    CHECK(shared && right);
    CHECK_EQ(error, 0);
    if (frames_total_bytes() >= MIB(128)) { // else there may be no whole leaf
        CHECK_EQ(split[1], before[1] + MIB(2));
        CHECK_EQ(after[1], before[1]);
    }
    CHECK(audit_run(&report));
}

// -------------------------------------------------------------- Broken poison

#ifdef KEYHOLE_DEBUG

static struct domain *broken_domain;
static unsigned broken_order;

static void take_one(void *unused)
{
    (void)unused;
    alloc_pages(broken_domain, broken_order);
}

// The frame is found out once, and nobody keeps it.
TEST(frame_cache, broken_poison_is_found_once)
{
    for (broken_order = 0; broken_order <= 3; broken_order += 3) {
        for (unsigned parked = 0; parked < 2; parked++) {
            broken_domain = domain_create("broken");
            struct page *page = alloc_pages(broken_domain, broken_order);
            CHECK(page != NULL);
            free_pages(page, broken_order);
            CHECK(alias_write_stale(page + (1 << broken_order) - 1, 100));
            if (parked && test_engine()->keys) {
                park(broken_domain);
            }
            CHECK(!run_protected(take_one, NULL, NULL));
            CHECK_EQ((uintptr_t)misuse_last()->page,
                     (uintptr_t)(page + (1 << broken_order) - 1));
            CHECK(page_domain(page) == NULL);
            CHECK_EQ(domain_frames(broken_domain), 0);
            struct page *again = alloc_pages(broken_domain, broken_order);
            CHECK(again == page);
            free_pages(again, broken_order);
            CHECK_EQ(domain_destroy(broken_domain), 0);
        }
    }
    CHECK(audit_run(&report));
}

#endif
