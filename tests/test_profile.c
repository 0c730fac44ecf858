// SPDX-License-Identifier: MIT
//
// How long brackets were open, by call site, and how many each operation takes.
#include "kernel/symbols.h"
#include "kernel/timer.h"
#include "mm/bracket.h"
#include "mm/misuse.h"
#include "mm/profile.h"
#include "mm/trace.h"
#include "tests/engines.h"
#include "tests/scratch.h"
#include "tests/threads.h"

static struct page *page;
SCRATCH_ARRAY(struct profile_site, sites, PROFILE_SITES, 0);

static bool is_clock_there(void)
{
    return clock_ticks(1000) != 0;
}

// What is known of the brackets that a function opens.
static const struct profile_site *site_in(const char *function)
{
    size_t used = profile_collect(sites, PROFILE_SITES);
    for (size_t i = 0; i < used; i++) {
        const char *name = symbol_find(site_unpack(sites[i].site) - 1, NULL);
        if (name != NULL && strcmp(name, function) == 0) {
            return &sites[i];
        }
    }
    return NULL;
}

static __noinline void open_shortly(void)
{
    for (unsigned i = 0; i < 10; i++) {
        kunmap_local(kmap_local_page(page));
    }
}

static __noinline void open_across_sleep(void)
{
    const void *at = kmap_local_page_ro(page);
    thread_sleep_ms(5);
    kunmap_local(at);
}

static __noinline void open_a_list(void)
{
    struct page *const list[] = {page, page};
    kunmap_local(kmap_local_pages(list, 2));
}

TEST(profile, knows_who_held_it_long)
{
    NEEDS_ACCOUNT();
    if (!trace_is_on || !is_clock_there()) {
        SKIP("needs trace=on, and a clock");
    }
    page = alloc_page(domain_ram);
    CHECK(page != NULL);
    profile_clear();
    uint64_t sleep = UINT32_MAX; // what one is on this machine, at least
    const struct profile_site *at;
    for (unsigned i = 0; i < 3; i++) {
        open_across_sleep();
        at = site_in("open_across_sleep");
        CHECK(at != NULL && at->longest != 0);
        sleep = MIN(sleep, at->longest);
        profile_clear();
    }
    profile_limit = (uint32_t)sleep / 4;
    open_shortly();
    open_across_sleep();
    open_a_list();
    profile_limit = 0;
    at = site_in("open_across_sleep");
    CHECK(at != NULL);
    CHECK_EQ(at->count, 1);
    CHECK_EQ(at->waited, 1);
    CHECK_EQ(at->slow, 1);
    CHECK_EQ(at->total, at->longest);
    const char *end = symbol_find(site_unpack(at->longest_end) - 1, NULL);
    CHECK(end != NULL && strcmp(end, "open_across_sleep") == 0);
    uint64_t longest = at->longest;
    at = site_in("open_shortly");
    CHECK(at != NULL);
    CHECK_EQ(at->count, 10);
    CHECK_EQ(at->waited, 0);
    CHECK(at->longest < longest && at->total >= at->longest);
    at = site_in("open_a_list");
    CHECK(at != NULL);
    CHECK_EQ(at->count, 1);
    free_page(page);
}

static __noinline void sleep_one(unsigned ms)
{
    const void *at = kmap_local_page_ro(page);
    thread_sleep_ms(ms);
    kunmap_local(at);
}

static __noinline void sleep_two(unsigned ms)
{
    const void *at = kmap_local_page_ro(page);
    thread_sleep_ms(ms);
    kunmap_local(at);
}

// Who is first in the list when one sleeps so long, and then the other.
static const char *first_of(unsigned one, unsigned two)
{
    profile_clear();
    sleep_one(one);
    sleep_two(two);
    profile_collect(sites, PROFILE_SITES);
    return symbol_find(site_unpack(sites[0].site) - 1, NULL);
}

TEST(profile, the_longest_first)
{
    NEEDS_ACCOUNT();
    if (!trace_is_on || !is_clock_there()) {
        SKIP("needs trace=on, and a clock");
    }
    page = alloc_page(domain_ram);
    CHECK(page != NULL);
    const char *first = first_of(1, 40);
    CHECK(first != NULL && strcmp(first, "sleep_two") == 0);
    first = first_of(40, 1);
    CHECK(first != NULL && strcmp(first, "sleep_one") == 0);
    free_page(page);
}

static const struct map_operation *operation_find(const char *name)
{
    const struct map_operation *operation = map_operations;
    while (operation != NULL && strcmp(operation->name, name) != 0) {
        operation = operation->next;
    }
    return operation;
}

static void operate(unsigned brackets, bool early)
{
    MAP_OPERATION("an operation of a test");
    while (brackets-- > 0) {
        kunmap_local(kmap_local_page_ro(page));
    }
    if (early) {
        return;
    }
    kunmap_local(kmap_local_page(page));
}

static int operates(void *unused)
{
    (void)unused;
    operate(3, true);
    return 0;
}

TEST(profile, brackets_of_an_operation)
{
    NEEDS_ACCOUNT();
    page = alloc_page(domain_ram);
    CHECK(page != NULL);
    operate(0, true);
    const struct map_operation *operation =
        operation_find("an operation of a test");
    CHECK(operation != NULL);
    struct map_operation before = *operation;
    void *outer = kmap_local_page(page);
    operate(5, false);
    kunmap_local(outer);
    struct thread *thread = thread_create("operator", operates, NULL);
    CHECK(thread != NULL && thread_join(thread) == 0);
    CHECK_EQ(operation->calls - before.calls, 2);
    CHECK_EQ(operation->brackets - before.brackets, 9);
    CHECK(operation->most >= 6);
    CHECK(operation->next != operation);
    free_page(page);
}
