// SPDX-License-Identifier: MIT
//
// Watches: who is the watcher, which keys they get, what is refused, and what
// happens at any moment.
#include "arch/pks.h"
#include "mm/domain.h"
#include "mm/frames.h"
#include "mm/keys.h"
#include "mm/watch.h"
#include "tests/engines.h"
#include "tests/handlers.h"
#include "tests/planted.h"
#include "tests/watch_ways.h"

// ---------------------------------------------------------- The watcher's own

// Code of the watcher's own, inside brackets and outside of them, in a handler
// of its thread too.
TEST(watch, own_brackets_alone)
{
    NEEDS_ACCOUNT();
    CHECK(watched_get());
    void *direct = page_direct_map_address(watched);
    CHECK_EQ(watch_page(watched, ACCESS_READ, FAULT_MODE_DEFAULT), 0);
    volatile uint64_t *near = kmap_local_page(neighbour);
    CHECK_EQ(allowed_at(direct), 0); // another frame's bracket
    volatile uint64_t *at = kmap_local_page(watched);
    for (unsigned i = 0; i < PAGE_SIZE / sizeof(*at); i++) {
        at[i] = i;
    }
    CHECK_EQ(at[511], 511);
    memset((void *)at, 7, PAGE_SIZE);
    CHECK_EQ(at[5], 0x0707070707070707);
    kunmap_local((const void *)at);
    CHECK_EQ(allowed_at((void *)at), 0);
    *near = 1;
    kunmap_local((const void *)near);
    CHECK(unwatch_page(watched) >= 1);
    watched_put();
}

static void handler_looks(void *way)
{
    HANDLER_CHECK(((int (*)(void *))way)(NULL) == 0);
}

TEST(watch, handlers_are_not_the_watcher)
{
    NEEDS_ACCOUNT();
    CHECK(watched_get());
    CHECK_EQ(watch_page(watched, ACCESS_READ, FAULT_MODE_DEFAULT), 0);
    void *at = kmap_local_page(watched);
    CHECK_EQ(allowed_at(at), MAY_READ | MAY_WRITE);
    cpu_call(cpu_id(), handler_looks, (void *)bracket_allows);
    cpu_call(cpu_id(), handler_looks, (void *)list_allows);
    cpu_nmi(cpu_id(), handler_looks, (void *)bracket_allows);
    CHECK_EQ(allowed_at(at), MAY_READ | MAY_WRITE);
    kunmap_local(at);
    CHECK(handlers_passed());
    CHECK_EQ(unwatch_page(watched), 3);
    watched_put();
}

// A bracket that the watch finds open, and one that outlives it.
TEST(watch, own_bracket_across)
{
    NEEDS_ACCOUNT();
    CHECK(watched_get());
    volatile uint64_t *at = kmap_local_page(watched);
    *at = 1;
    CHECK_EQ(watch_page(watched, ACCESS_READ, FAULT_MODE_DEFAULT), 0);
    *at = 2;
    CHECK_EQ(*at, 2);
    CHECK_EQ(unwatch_page(watched), 0);
    *at = 3;
    CHECK_EQ(*at, 3);
    kunmap_local((const void *)at);
    watched_put();
}

// ------------------------------------------------------------------ Wrong use

TEST(watch, errors)
{
    CHECK(watched_get());
    CHECK_EQ(watch_page(NULL, ACCESS_READ, FAULT_MODE_DEFAULT), -EINVAL);
    CHECK_EQ(watch_page(watched, ACCESS_EXECUTE, FAULT_MODE_DEFAULT), -EINVAL);
    CHECK_EQ(freeze_range(watched, 0, FAULT_MODE_DEFAULT), -EINVAL);
    CHECK_EQ(unwatch_page(watched), -ENOENT);
    CHECK_EQ(watch_page(watched, ACCESS_WRITE, FAULT_MODE_DEFAULT), 0);
    CHECK_EQ(watch_page(watched, ACCESS_READ, FAULT_MODE_DEFAULT), -EEXIST);
    CHECK_EQ(freeze_range(watched, 1, FAULT_MODE_DEFAULT), -EEXIST);
    CHECK_EQ(thaw_range(watched, 1), -ENOENT);
    CHECK_MISUSE(free_page(watched));
    CHECK_EQ(unwatch_page(watched), 0);
    watched_put();
}

TEST(watch, as_many_as_there_is_room_for)
{
    static struct page *many[WATCHES_MAX + 1];
    for (unsigned i = 0; i <= WATCHES_MAX; i++) {
        many[i] = alloc_page(domain_ram);
        CHECK(many[i] != NULL);
        CHECK_EQ(watch_page(many[i], ACCESS_WRITE, FAULT_MODE_DEFAULT),
                 i < WATCHES_MAX ? 0 : -ENOSPC);
    }
    CHECK(planted_audit_is_content());
    for (unsigned i = 0; i < WATCHES_MAX; i++) {
        watched = many[i];
        neighbour = many[WATCHES_MAX];
        if (i % 8 == 0) {
            CHECK_EQ(in_another_thread(bracket_allows), MAY_READ);
        }
        CHECK_EQ(unwatch_page(watched), i % 8 == 0);
    }
    for (unsigned i = 0; i <= WATCHES_MAX; i++) {
        free_page(many[i]);
    }
    CHECK(planted_audit_is_content());
}

// ----------------------------------------------------------------------- Keys

#define LENT (PKS_KEYS - KEY_DOMAINS)

// More domains than keys, one after the other: the frame's own has several in
// turn, and none at times.
static void change_keys(void)
{
    static struct domain *domains[2 * LENT];
    static struct page *pages[2 * LENT];
    for (unsigned i = 0; i < ARRAY_SIZE(domains); i++) {
        domains[i] = domain_create("more");
        pages[i] = domains[i] != NULL ? alloc_page(domains[i]) : NULL;
        CHECK(pages[i] != NULL);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(domains); i++) {
        CHECK_EQ(in_another_thread(bracket_allows), MAY_READ);
        kunmap_local(kmap_local_page(pages[i]));
    }
    CHECK(planted_audit_is_content());
    CHECK_EQ(in_another_thread(bracket_allows), MAY_READ);
    for (unsigned i = 0; i < ARRAY_SIZE(domains); i++) {
        free_page(pages[i]);
        CHECK_EQ(domain_destroy(domains[i]), 0);
    }
}

TEST(watch, keys_that_change)
{
    CHECK(watched_get());
    CHECK_EQ(watch_page(watched, ACCESS_WRITE, FAULT_MODE_DEFAULT), 0);
    change_keys();
    CHECK(unwatch_page(watched) > 0);
    CHECK_EQ(freeze_range(watched, 1, FAULT_MODE_DEFAULT), 0);
    change_keys();
    CHECK(thaw_range(watched, 1) > 0);
    CHECK_EQ(bracket_allows(NULL), MAY_READ | MAY_WRITE);
    watched_put();
}

// A bracket that got the watch's key outlives it: nobody else gets the key, and
// the next watch finds it closed to that bracket.
TEST(watch, key_lingers)
{
    if (protect_engine() != PROTECT_PKS) {
        SKIP("needs pks");
    }
    CHECK(watched_get());
    unsigned free = keys_free();
    CHECK_EQ(watch_page(watched, ACCESS_READ, FAULT_MODE_DEFAULT), 0);
    unsigned key = watch_of(watched)->own->key;
    volatile uint64_t *at = kmap_local_page(watched);
    *at = 1;
    CHECK_EQ(unwatch_page(watched), 0);
    CHECK_EQ(watch_page(neighbour, ACCESS_READ, FAULT_MODE_DEFAULT), 0);
    CHECK(watch_of(neighbour)->own->key != key);
    CHECK_EQ(allowed_at(page_direct_map_address(neighbour)), 0);
    kunmap_local((const void *)at);
    CHECK_EQ(unwatch_page(neighbour), 1);
    CHECK_EQ(keys_free(), free);
    watched_put();
}

// With brackets on as many domains as there are keys, none is left for a watch.
TEST(watch, no_key_to_be_had)
{
    NEEDS_ACCOUNT();
    static struct domain *domains[LENT];
    static struct page *pages[LENT];
    static const void *at[LENT];
    CHECK(watched_get());
    for (unsigned i = 0; i < LENT; i++) {
        domains[i] = domain_create("held");
        pages[i] = domains[i] != NULL ? alloc_page(domains[i]) : NULL;
        CHECK(pages[i] != NULL);
        at[i] = kmap_local_page(pages[i]);
    }
    CHECK_EQ(watch_page(watched, ACCESS_READ, FAULT_MODE_DEFAULT), 0);
    CHECK(watch_of(watched)->own == NULL);
    CHECK_EQ(in_another_thread(bracket_allows), 0);
    CHECK_EQ(in_another_thread(list_allows), 0);
    CHECK_EQ(bracket_allows(NULL), MAY_READ | MAY_WRITE);
    CHECK(planted_audit_is_content());
    for (unsigned i = LENT; i-- > 0;) {
        kunmap_local(at[i]);
        free_page(pages[i]);
        CHECK_EQ(domain_destroy(domains[i]), 0);
    }
    CHECK_EQ(in_another_thread(bracket_allows), 0);
    CHECK_EQ(bracket_allows(NULL), MAY_READ | MAY_WRITE);
    CHECK_EQ(unwatch_page(watched), 3);
    watched_put();
}

// The watcher's bracket to read gives no write because of the watch.
TEST(watch, own_read_only_bracket)
{
    if (!engine_refuses()) {
        SKIP("needs an engine that refuses");
    }
    CHECK(watched_get());
    CHECK_EQ(watch_page(watched, ACCESS_READ, FAULT_MODE_DEFAULT), 0);
    const void *at = kmap_local_page_ro(watched);
    CHECK_EQ(allowed_at((void *)at), MAY_READ);
    kunmap_local(at);
    CHECK(unwatch_page(watched) >= 0);
    watched_put();
}

static int watches_and_ends(void *unused)
{
    (void)unused;
    return watch_page(watched, ACCESS_READ, FAULT_MODE_DEFAULT);
}

// Who gets the ended thread's place in the kernel gets nothing of its watch.
TEST(watch, watcher_that_ended)
{
    CHECK(watched_get());
    CHECK_EQ(in_another_thread(watches_and_ends), 0);
    CHECK_EQ(in_another_thread(bracket_allows), 0);
    CHECK_EQ(in_another_thread(bracket_allows), 0);
    CHECK_EQ(unwatch_page(watched), 2);
    watched_put();
}

// ------------------------------------------------------------------ At any
// time

static volatile unsigned epoch; // of 4: open, changing, watched, changing
static volatile bool storm_ends;

// Inside one bracket, opened at any moment, as the watch comes and goes.
static int looks_all_the_time(void *unused)
{
    (void)unused;
    int wrong = 0;
    for (unsigned i = 0; !storm_ends; i++) {
        struct page *const list[] = {neighbour, watched};
        bool scattered = i % 4 == 3;
        char *at = scattered ? kmap_local_pages(list, 2)
                             : kmap_local_range(watched, 0, PAGE_SIZE);
        for (unsigned j = 0; j < 1 + i % 8; j++) {
            unsigned before = epoch;
            int may = allowed_at(scattered ? at + PAGE_SIZE : at);
            wrong += epoch == before && before % 2 == 0 &&
                     may != (before % 4 ? 0 : MAY_READ | MAY_WRITE);
        }
        kunmap_local(at);
        if (cpus_online() == 1) {
            thread_yield();
        }
    }
    return wrong;
}

TEST(watch, storm)
{
    struct thread *threads[2];
    unsigned count = cpus_online() < 2 ? cpus_online() : 2;
    // Emulated CPUs are slow to come to rest.
    unsigned rounds = cpus_online() == 1 ? 100 : 10;
    CHECK(watched_get());
    epoch = 0;
    storm_ends = false;
    for (unsigned i = 0; i < count; i++) {
        threads[i] = thread_create("looker", looks_all_the_time, NULL);
        CHECK(threads[i] != NULL);
    }
    int failed = 0;
    for (unsigned i = 0; i < rounds; i++) {
        epoch++;
        failed += watch_page(watched, ACCESS_READ, FAULT_MODE_DEFAULT) != 0;
        epoch++;
        thread_yield();
        epoch++;
        failed += unwatch_page(watched) < 0;
        epoch++;
        thread_yield();
    }
    storm_ends = true;
    for (unsigned i = 0; i < count; i++) {
        CHECK_EQ(thread_join(threads[i]), 0);
    }
    CHECK_EQ(failed, 0);
    CHECK(planted_audit_is_content());
    watched_put();
}
