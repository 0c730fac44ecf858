// SPDX-License-Identifier: MIT
//
// Misuse at the edges: where one more does not fit, where only a part is wrong,
// and where a handler is at fault.
#include "arch/pks.h"
#include "kernel/misuse.h"
#include "kernel/symbols.h"
#include "keyhole.h"
#include "lib/types.h"
#include "mm/bracket.h"
#include "mm/domain.h"
#include "mm/local_window.h"
#include "mm/long_maps.h"
#include "tests/engines.h"
#include "tests/handlers.h"
#include "tests/scratch.h"

#define LENT (PKS_KEYS - KEY_DOMAINS) // keys for domains

SCRATCH_ARRAY(struct page *, list, LOCAL_WINDOW_FRAMES, 0);

static bool what_is(const char *want)
{
    if (strcmp(misuse_last()->what, want) == 0) {
        return true;
    }
    printf("# reported \"%s\", want \"%s\"\n", misuse_last()->what, want);
    return false;
}

static bool site_function_is(unsigned i, const char *want)
{
    uintptr_t ip = misuse_last()->site[i].ip;
    const char *name = ip != 0 ? symbol_find(ip - 1, NULL) : NULL;
    return name != NULL && strcmp(name, want) == 0;
}

// -------------------------------------------------------------------- Too many

TEST(misuse_corners, a_list_behind_the_last_bracket)
{
    NEEDS_ACCOUNT();
    struct page *page = alloc_page(domain_ram);
    CHECK(page != NULL);
    const void *open[BRACKETS_MAX];
    for (unsigned i = 0; i < BRACKETS_MAX; i++) {
        open[i] = kmap_local_page(page);
    }
    uint32_t rights = pks_rights();
    CHECK_MISUSE(kmap_local_pages(&page, 1));
    CHECK(what_is("too many nested brackets"));
    CHECK(site_function_is(0, __func__) && site_function_is(1, __func__));
    CHECK_MISUSE(kmap_local_pages_ro(&page, 1));
    CHECK(rights_are(rights));
    CHECK_EQ(brackets_depth(), BRACKETS_MAX);
    for (unsigned i = BRACKETS_MAX; i-- > 0;) {
        kunmap_local(open[i]);
    }
    CHECK(rights_are(PKRS_CLOSED));
    free_page(page);
}

static struct domain *domains[LENT + 1];
static struct page *pages[LENT];

// Domains that have every key, each with a frame, and one that has none.
static bool domains_make(void)
{
    for (unsigned i = 0; i <= LENT; i++) {
        domains[i] = domain_create("corner");
        if (domains[i] == NULL) {
            return false;
        }
    }
    for (unsigned i = 0; i < LENT; i++) {
        pages[i] = alloc_page(domains[i]);
        if (pages[i] == NULL) {
            return false;
        }
    }
    return true;
}

static void domains_unmake(void)
{
    for (unsigned i = 0; i <= LENT; i++) {
        if (i < LENT) {
            free_page(pages[i]);
        }
        CHECK_EQ(domain_destroy(domains[i]), 0);
    }
}

// A domain without a key opens through the window, which may be full.
TEST(misuse_corners, a_range_longer_than_the_window)
{
    const void *open[LENT];
    CHECK(domains_make());
    struct page *block = alloc_pages(domains[LENT], 9);
    if (block == NULL) {
        domains_unmake();
        SKIP("no 2 MiB of contiguous memory");
    }
    for (unsigned i = 0; i < LENT; i++) {
        open[i] = kmap_local_page(pages[i]);
    }
    CHECK_EQ(domains[LENT]->key, 0);
    for (unsigned i = 0; i < LOCAL_WINDOW_FRAMES; i++) {
        list[i] = pages[0];
    }
    volatile char *all = kmap_local_pages(list, LOCAL_WINDOW_FRAMES);
    const void *more = NULL;
    if (engine_window_room() >= LOCAL_WINDOW_FRAMES) {
        more = kmap_local_pages(list, LOCAL_WINDOW_FRAMES);
    }
    uint32_t rights = pks_rights();
    if (test_engine()->keys || !test_engine()->brackets_are_direct) {
        CHECK_MISUSE(kmap_local_range(block, 0, PAGE_SIZE << 9));
        CHECK(what_is("too many scattered frames in open brackets"));
        CHECK(site_function_is(0, __func__));
    }
    CHECK(rights_are(rights));
    all[0] = 1;
    volatile char *some = kmap_local_range(block, PAGE_SIZE, 2 * PAGE_SIZE);
    some[2 * PAGE_SIZE - 1] = 1;
    kunmap_local((const void *)some);
    if (more != NULL) {
        kunmap_local(more);
    }
    kunmap_local((const void *)all);
    for (unsigned i = LENT; i-- > 0;) {
        kunmap_local(open[i]);
    }
    CHECK(rights_are(PKRS_CLOSED));
    free_pages(block, 9);
    domains_unmake();
}

#define KMAPS_MAX (LONG_KMAP_MASK / LONG_KMAP_ONE)
#define KMAPS_MADE 8u // one by one; the count says that there are more

// The count of kmap()s must not wrap to "none".
TEST(misuse_corners, as_many_kmaps_as_can_be_counted)
{
    struct page *page = alloc_page(domain_ram);
    CHECK(page != NULL);
    volatile char *p = kmap(page);
    CHECK(p != NULL);
    page->private_next += (KMAPS_MAX - KMAPS_MADE) * LONG_KMAP_ONE;
    for (unsigned i = 1; i < KMAPS_MADE; i++) {
        CHECK(kmap(page) == p);
    }
    CHECK_MISUSE(kmap(page));
    CHECK(what_is("too many kmaps of a frame"));
    CHECK(site_function_is(0, __func__) && site_function_is(1, __func__));
    *p = 1;
    page->private_next -= (KMAPS_MAX - KMAPS_MADE) * LONG_KMAP_ONE;
    for (unsigned i = 0; i < KMAPS_MADE; i++) {
        CHECK_EQ(*p, 1);
        kunmap(page);
    }
    CHECK_FAULT(FAULT_NOT_PRESENT, ACCESS_READ, (void)*p);
    CHECK_MISUSE(kunmap(page));
    free_page(page);
}

// --------------------------------------------------------------- Only in part

// A map that is refused never was: its address is not one that was unmapped.
TEST(misuse_corners, unmap_of_a_refused_map)
{
    NEEDS_ACCOUNT();
    struct page *block = alloc_pages(domain_ram, 5);
    CHECK(block != NULL);
    free_pages(block, 5);
    CHECK_MISUSE(kmap_local_page(block + 27));
    CHECK(what_is("map of a frame that was freed"));
    CHECK_MISUSE(kunmap_local(page_direct_map_address(block + 27)));
    CHECK(what_is("unmap of an address that was never mapped"));
    CHECK(misuse_last()->site[1].what == NULL);
    CHECK(rights_are(PKRS_CLOSED));
}

// Two frames side by side, in *first and the one behind it; false: none among
// those that the allocator gave.
static bool neighbours_find(struct page *const frames[], size_t count,
                            struct page **first)
{
    for (size_t i = 0; i < count * count; i++) {
        *first = frames[i / count];
        if (frames[i % count] == *first + 1) {
            return true;
        }
    }
    return false;
}

static __noinline void *border_open(struct page *first, size_t length)
{
    return kmap_local_range(first, PAGE_SIZE - 1, length);
}

// Of blocks that one range spans, the second cannot be freed either.
TEST(misuse_corners, free_of_the_end_of_a_range)
{
    NEEDS_REFUSALS();
    struct page *frames[32], *first;
    for (unsigned i = 0; i < ARRAY_SIZE(frames); i++) {
        frames[i] = alloc_page(domain_ram);
        CHECK(frames[i] != NULL);
    }
    bool found = neighbours_find(frames, ARRAY_SIZE(frames), &first);
    if (found) {
        volatile char *p = border_open(first, 2);
        CHECK_MISUSE(free_page(first + 1));
        CHECK(what_is("frame freed while a bracket on it is open"));
        CHECK(site_function_is(1, "border_open"));
        CHECK_MISUSE(free_page(first));
        p[1] = 1;
        kunmap_local((const void *)p);
        p = border_open(first, 1);
        free_page(first + 1); // not in this one
        CHECK_MISUSE(border_open(first, 2));
        CHECK(what_is("map of a range that leaves its frames"));
        struct page *again = alloc_page(domain_ram);
        kunmap_local((const void *)p);
        CHECK(again != NULL);
        for (unsigned i = 0; i < ARRAY_SIZE(frames); i++) {
            frames[i] = frames[i] == first + 1 ? again : frames[i];
        }
    }
    for (unsigned i = 0; i < ARRAY_SIZE(frames); i++) {
        free_page(frames[i]);
    }
    if (!found) {
        SKIP("the allocator gave no neighbours");
    }
}

static __noinline const void *map_from_0(struct page *first, size_t length)
{
    return kmap_local_range_ro(first, 0, length);
}

static __noinline const void *map_known(struct page *first)
{
    return kmap_local_range_ro(first, 0, 4 * PAGE_SIZE);
}

// The size of a block says nothing of a range that begins in its middle. A
// domain of its own makes the allocator's choices known: behind the block of 8
// frames nothing is allocated.
TEST(misuse_corners, range_from_inside_a_block)
{
    NEEDS_ACCOUNT();
    struct domain *domain = domain_create("inside");
    struct page *whole = alloc_pages(domain, 4);
    CHECK(whole != NULL);
    free_pages(whole, 4);
    struct page *block = alloc_pages(domain, 3);
    CHECK_EQ(block, whole);
    CHECK_MISUSE(map_from_0(block + 5, 4 * PAGE_SIZE));
    CHECK(what_is("map of a range that leaves its frames"));
    CHECK_MISUSE(map_from_0(block, 9 * PAGE_SIZE));
    CHECK(what_is("map of a range that leaves its frames"));
    CHECK_MISUSE(map_known(block + 5));
    CHECK(what_is("map of a range that leaves its frames"));
    kunmap_local(map_from_0(block + 4, 4 * PAGE_SIZE));
    kunmap_local(map_known(block + 4));
    free_pages(block, 3);
    CHECK_EQ(domain_destroy(domain), 0);
}

// -------------------------------------------------------------------- Handlers

// A handler has no business with this at all.
static void free_it(void *page)
{
    free_pages(page, 0);
}

// What the interrupted thread has open is not freed under it.
TEST(misuse_corners, free_by_a_handler)
{
    NEEDS_ACCOUNT();
    static void (*const senders[])(unsigned cpu, void (*fn)(void *),
                                   void *arg) = {cpu_call, cpu_nmi};
    struct page *page = alloc_page(domain_ram), *other = alloc_page(domain_ram);
    CHECK(page != NULL && other != NULL);
    for (unsigned i = 0; i < ARRAY_SIZE(senders); i++) {
        volatile char *p = kmap_local_page(page);
        const void *inner = kmap_local_page_ro(other);
        CHECK_MISUSE(senders[i](cpu_id(), free_it, page));
        CHECK(what_is("frame freed while a bracket on it is open"));
        CHECK(site_function_is(0, "free_it") && site_function_is(1, __func__));
        kunmap_local(inner);
        *p = 1;
        kunmap_local((const void *)p);
    }
    free_page(page);
    free_page(other);
}

static void no_call(void *unused)
{
    (void)unused;
}

TEST(misuse_corners, calls_name_their_caller)
{
    CHECK_MISUSE(cpu_call(cpus_online(), no_call, NULL));
    CHECK(what_is("call of a CPU that is not there"));
    CHECK(site_function_is(0, __func__));
    CHECK_MISUSE(cpu_nmi(cpus_online(), no_call, NULL));
    CHECK(site_function_is(0, __func__));
}
