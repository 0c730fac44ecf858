// SPDX-License-Identifier: MIT
//
// Watching and freezing: who is let through, who is refused, by whatever maps
// the frame, and that everything is as before when it ends.
#include "arch/pks.h"
#include "mm/domain.h"
#include "mm/frames.h"
#include "mm/keys.h"
#include "mm/watch.h"
#include "tests/engines.h"
#include "tests/handlers.h"
#include "tests/planted.h"
#include "tests/threads.h"

static struct page *page, *other;

static bool frames_get(void)
{
    page = alloc_page(domain_ram);
    other = alloc_page(domain_ram);
    return page != NULL && other != NULL;
}

static void frames_put(void)
{
    free_page(page);
    free_page(other);
}

// ------------------------------------------------- What another thread may do

enum { MAY_READ = 1, MAY_WRITE = 2 };

// What somebody may do at an address, by probes.
static int allowed_at(void *at)
{
    uint64_t value;
    int may = probe_read(at, &value, sizeof(value), NULL) ? MAY_READ : 0;
    if (may != 0 && probe_write(at, &value, sizeof(value), NULL)) {
        may |= MAY_WRITE;
    }
    return may;
}

// The same inside a bracket of the caller's own on the frame.
static int bracket_allows(void *unused)
{
    (void)unused;
    void *at = kmap_local_page(page);
    int may = allowed_at(at);
    kunmap_local(at);
    return may;
}

static int list_allows(void *unused)
{
    (void)unused;
    struct page *const list[] = {other, page};
    char *at = kmap_local_pages(list, 2);
    int may = allowed_at(at + PAGE_SIZE);
    kunmap_local(at);
    return may;
}

static int kmap_allows(void *unused)
{
    (void)unused;
    void *at = kmap(page);
    int may = allowed_at(at);
    kunmap(page);
    return may;
}

static int vmap_allows(void *unused)
{
    (void)unused;
    struct page *const list[] = {other, page};
    char *at = vmap(list, 2, MAP_READ | MAP_WRITE);
    int may = at != NULL ? allowed_at(at + PAGE_SIZE) : -1;
    vunmap(at);
    return may;
}

static int range_allows(void *unused)
{
    (void)unused;
    void *at = vmap_range(page_to_phys(page), PAGE_SIZE, MAP_READ | MAP_WRITE);
    int may = at != NULL ? allowed_at(at) : -1;
    vunmap(at);
    return may;
}

static int (*const ways[])(void *unused) = {
    bracket_allows, list_allows, kmap_allows, vmap_allows, range_allows,
};

static int in_another_thread(int (*way)(void *unused))
{
    struct thread *thread = thread_create("other", way, NULL);
    return thread != NULL ? thread_join(thread) : -1;
}

static void check_ways(int wanted)
{
    for (unsigned i = 0; i < ARRAY_SIZE(ways); i++) {
        CHECK_EQ(in_another_thread(ways[i]), wanted);
        CHECK_EQ(in_another_thread(ways[i]), wanted); // slots used again
    }
}

static void check_all(enum fault_access access, int others)
{
    CHECK(frames_get());
    check_ways(MAY_READ | MAY_WRITE);
    CHECK_EQ(watch_page(page, access, FAULT_MODE_DEFAULT), 0);
    check_ways(others);
    CHECK(planted_audit_is_content());
    if (engine_keeps_account()) {
        CHECK_EQ(bracket_allows(NULL), MAY_READ | MAY_WRITE);
        CHECK_EQ(list_allows(NULL), MAY_READ | MAY_WRITE);
    }
    check_ways(others);
    CHECK(unwatch_page(page) > 0);
    check_ways(MAY_READ | MAY_WRITE);
    CHECK_EQ(bracket_allows(NULL), MAY_READ | MAY_WRITE);
    frames_put();
}

TEST(watch, every_access)
{
    check_all(ACCESS_READ, 0);
}

TEST(watch, writes_alone)
{
    check_all(ACCESS_WRITE, MAY_READ);
}

TEST(watch, frozen_for_everybody)
{
    CHECK(frames_get());
    CHECK_EQ(freeze_range(page, 1, FAULT_MODE_DEFAULT), 0);
    check_ways(MAY_READ);
    for (unsigned i = 0; i < ARRAY_SIZE(ways); i++) {
        CHECK_EQ(ways[i](NULL), MAY_READ);
    }
    CHECK(planted_audit_is_content());
    CHECK(thaw_range(page, 1) > 0);
    check_ways(MAY_READ | MAY_WRITE);
    for (unsigned i = 0; i < ARRAY_SIZE(ways); i++) {
        CHECK_EQ(ways[i](NULL), MAY_READ | MAY_WRITE);
    }
    frames_put();
}

// ------------------------------------------------- What is open when it begins

static struct {
    struct page *pages[2];
    volatile bool opened, watched, looked;
    int before, after, again;
    int (*way)(void *unused);
    void *at;
} open;

static int opened_by_bracket(void *unused)
{
    (void)unused;
    void *at = kmap_local_page(page);
    open.before = allowed_at(at);
    open.opened = true;
    while (!open.watched) {
        thread_yield();
    }
    open.after = allowed_at(at);
    open.looked = true;
    while (open.watched) {
        thread_yield();
    }
    open.again = allowed_at(at);
    kunmap_local(at);
    return 0;
}

static int opened_by_list(void *unused)
{
    (void)unused;
    struct page *const list[] = {other, page};
    char *at = kmap_local_pages(list, 2);
    open.before = allowed_at(at + PAGE_SIZE);
    open.opened = true;
    while (!open.watched) {
        thread_yield();
    }
    open.after = allowed_at(at + PAGE_SIZE);
    open.looked = true;
    while (open.watched) {
        thread_yield();
    }
    open.again = allowed_at(at + PAGE_SIZE);
    kunmap_local(at);
    return 0;
}

static void wait_for(volatile bool *what)
{
    while (!*what) {
        thread_yield();
    }
}

static void check_opened(int (*fn)(void *unused), bool freeze,
                         enum fault_access access, int wanted)
{
    open.opened = open.watched = open.looked = false;
    struct thread *thread = thread_create("opener", fn, NULL);
    CHECK(thread != NULL);
    wait_for(&open.opened);
    CHECK_EQ(freeze ? freeze_range(page, 1, FAULT_MODE_DEFAULT)
                    : watch_page(page, access, FAULT_MODE_DEFAULT),
             0);
    open.watched = true;
    wait_for(&open.looked);
    CHECK(planted_audit_is_content());
    int hits = freeze ? thaw_range(page, 1) : unwatch_page(page);
    open.watched = false;
    thread_join(thread);
    CHECK_EQ(open.before, MAY_READ | MAY_WRITE);
    CHECK_EQ(open.after, wanted);
    CHECK_EQ(open.again, MAY_READ | MAY_WRITE);
    CHECK_EQ(hits, 1);
}

TEST(watch, brackets_that_are_open)
{
    CHECK(frames_get());
    check_opened(opened_by_bracket, false, ACCESS_READ, 0);
    check_opened(opened_by_bracket, false, ACCESS_WRITE, MAY_READ);
    check_opened(opened_by_bracket, true, ACCESS_WRITE, MAY_READ);
    check_opened(opened_by_list, false, ACCESS_READ, 0);
    check_opened(opened_by_list, false, ACCESS_WRITE, MAY_READ);
    check_opened(opened_by_list, true, ACCESS_WRITE, MAY_READ);
    frames_put();
}

// kmap() and vmap() ranges, one of them with large leaves.
TEST(watch, mappings_that_are_open)
{
    struct page *block = alloc_pages(domain_ram, 9);
    CHECK(frames_get() && block != NULL);
    struct page *const list[] = {other, block + 7};
    char *kmapped = kmap(block + 7), *ranged;
    char *listed = vmap(list, 2, MAP_READ | MAP_WRITE);
    const char *read_only = vmap(list, 2, MAP_READ);
    ranged = vmap_range(page_to_phys(block), MIB(2), MAP_READ | MAP_WRITE);
    CHECK(kmapped != NULL && listed != NULL && read_only != NULL &&
          ranged != NULL);
    CHECK_EQ(freeze_range(block + 7, 2, FAULT_MODE_DEFAULT), 0);
    CHECK_EQ(allowed_at(kmapped), MAY_READ);
    CHECK_EQ(allowed_at(listed + PAGE_SIZE), MAY_READ);
    CHECK_EQ(allowed_at(listed), MAY_READ | MAY_WRITE);
    CHECK_EQ(allowed_at(ranged + 6 * PAGE_SIZE), MAY_READ | MAY_WRITE);
    CHECK_EQ(allowed_at(ranged + 7 * PAGE_SIZE), MAY_READ);
    CHECK_EQ(allowed_at(ranged + 8 * PAGE_SIZE), MAY_READ);
    CHECK_EQ(allowed_at(ranged + 9 * PAGE_SIZE), MAY_READ | MAY_WRITE);
    CHECK(planted_audit_is_content());
    CHECK_EQ(thaw_range(block + 7, 2), 4);
    CHECK_EQ(watch_page(block + 7, ACCESS_READ, FAULT_MODE_DEFAULT), 0);
    bool own = !engine_keeps_account(); // then all that this thread does is
    int all = own ? MAY_READ | MAY_WRITE : 0;
    CHECK_EQ(allowed_at(kmapped), all);
    CHECK_EQ(allowed_at(listed + PAGE_SIZE), all);
    CHECK_EQ(allowed_at((char *)read_only + PAGE_SIZE), own ? MAY_READ : 0);
    CHECK_EQ(allowed_at(ranged + 7 * PAGE_SIZE), all);
    CHECK(planted_audit_is_content());
    CHECK_EQ(unwatch_page(block + 7), own ? 1 : 4);
    CHECK_EQ(allowed_at(kmapped), MAY_READ | MAY_WRITE);
    CHECK_EQ(allowed_at(listed + PAGE_SIZE), MAY_READ | MAY_WRITE);
    CHECK_EQ(allowed_at((char *)read_only + PAGE_SIZE), MAY_READ);
    CHECK_EQ(allowed_at(ranged + 7 * PAGE_SIZE), MAY_READ | MAY_WRITE);
    vunmap(ranged);
    vunmap(read_only);
    vunmap(listed);
    kunmap(block + 7);
    free_pages(block, 9);
    frames_put();
}

// ---------------------------------------------------------- The watcher's own

// Code of the watcher's own, inside brackets and outside of them, in a handler
// of its thread too.
TEST(watch, own_brackets_alone)
{
    NEEDS_ACCOUNT();
    CHECK(frames_get());
    void *direct = page_direct_map_address(page);
    CHECK_EQ(watch_page(page, ACCESS_READ, FAULT_MODE_DEFAULT), 0);
    volatile uint64_t *near = kmap_local_page(other);
    CHECK_EQ(allowed_at(direct), 0); // another frame's bracket
    volatile uint64_t *at = kmap_local_page(page);
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
    CHECK(unwatch_page(page) >= 1);
    frames_put();
}

static void handler_looks(void *way)
{
    HANDLER_CHECK(((int (*)(void *))way)(NULL) == 0);
}

TEST(watch, handlers_are_not_the_watcher)
{
    NEEDS_ACCOUNT();
    CHECK(frames_get());
    CHECK_EQ(watch_page(page, ACCESS_READ, FAULT_MODE_DEFAULT), 0);
    void *at = kmap_local_page(page);
    CHECK_EQ(allowed_at(at), MAY_READ | MAY_WRITE);
    cpu_call(cpu_id(), handler_looks, (void *)bracket_allows);
    cpu_call(cpu_id(), handler_looks, (void *)list_allows);
    cpu_nmi(cpu_id(), handler_looks, (void *)bracket_allows);
    CHECK_EQ(allowed_at(at), MAY_READ | MAY_WRITE);
    kunmap_local(at);
    CHECK(handlers_passed());
    CHECK_EQ(unwatch_page(page), 3);
    frames_put();
}

// A bracket that the watch finds open, and one that outlives it.
TEST(watch, own_bracket_across)
{
    NEEDS_ACCOUNT();
    CHECK(frames_get());
    volatile uint64_t *at = kmap_local_page(page);
    *at = 1;
    CHECK_EQ(watch_page(page, ACCESS_READ, FAULT_MODE_DEFAULT), 0);
    *at = 2;
    CHECK_EQ(*at, 2);
    CHECK_EQ(unwatch_page(page), 0);
    *at = 3;
    CHECK_EQ(*at, 3);
    kunmap_local((const void *)at);
    frames_put();
}

// ------------------------------------------------------------------ Wrong use

TEST(watch, errors)
{
    CHECK(frames_get());
    CHECK_EQ(watch_page(NULL, ACCESS_READ, FAULT_MODE_DEFAULT), -EINVAL);
    CHECK_EQ(watch_page(page, ACCESS_EXECUTE, FAULT_MODE_DEFAULT), -EINVAL);
    CHECK_EQ(freeze_range(page, 0, FAULT_MODE_DEFAULT), -EINVAL);
    CHECK_EQ(unwatch_page(page), -ENOENT);
    CHECK_EQ(watch_page(page, ACCESS_WRITE, FAULT_MODE_DEFAULT), 0);
    CHECK_EQ(watch_page(page, ACCESS_READ, FAULT_MODE_DEFAULT), -EEXIST);
    CHECK_EQ(freeze_range(page, 1, FAULT_MODE_DEFAULT), -EEXIST);
    CHECK_EQ(thaw_range(page, 1), -ENOENT);
    CHECK_MISUSE(free_page(page));
    CHECK_EQ(unwatch_page(page), 0);
    frames_put();
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
        page = many[i];
        other = many[WATCHES_MAX];
        if (i % 8 == 0) {
            CHECK_EQ(in_another_thread(bracket_allows), MAY_READ);
        }
        CHECK_EQ(unwatch_page(page), i % 8 == 0);
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
    CHECK(frames_get());
    CHECK_EQ(watch_page(page, ACCESS_WRITE, FAULT_MODE_DEFAULT), 0);
    change_keys();
    CHECK(unwatch_page(page) > 0);
    CHECK_EQ(freeze_range(page, 1, FAULT_MODE_DEFAULT), 0);
    change_keys();
    CHECK(thaw_range(page, 1) > 0);
    CHECK_EQ(bracket_allows(NULL), MAY_READ | MAY_WRITE);
    frames_put();
}

// A bracket that got the watch's key outlives it: nobody else gets the key, and
// the next watch finds it closed to that bracket.
TEST(watch, key_lingers)
{
    if (protect_engine() != PROTECT_PKS) {
        SKIP("needs pks");
    }
    CHECK(frames_get());
    unsigned free = keys_free();
    CHECK_EQ(watch_page(page, ACCESS_READ, FAULT_MODE_DEFAULT), 0);
    unsigned key = watch_of(page)->own->key;
    volatile uint64_t *at = kmap_local_page(page);
    *at = 1;
    CHECK_EQ(unwatch_page(page), 0);
    CHECK_EQ(watch_page(other, ACCESS_READ, FAULT_MODE_DEFAULT), 0);
    CHECK(watch_of(other)->own->key != key);
    CHECK_EQ(allowed_at(page_direct_map_address(other)), 0);
    kunmap_local((const void *)at);
    CHECK_EQ(unwatch_page(other), 1);
    CHECK_EQ(keys_free(), free);
    frames_put();
}

// With brackets on as many domains as there are keys, none is left for a watch.
TEST(watch, no_key_to_be_had)
{
    NEEDS_ACCOUNT();
    static struct domain *domains[LENT];
    static struct page *pages[LENT];
    static const void *at[LENT];
    CHECK(frames_get());
    for (unsigned i = 0; i < LENT; i++) {
        domains[i] = domain_create("held");
        pages[i] = domains[i] != NULL ? alloc_page(domains[i]) : NULL;
        CHECK(pages[i] != NULL);
        at[i] = kmap_local_page(pages[i]);
    }
    CHECK_EQ(watch_page(page, ACCESS_READ, FAULT_MODE_DEFAULT), 0);
    CHECK(watch_of(page)->own == NULL);
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
    CHECK_EQ(unwatch_page(page), 3);
    frames_put();
}

// The watcher's bracket to read gives no write because of the watch.
TEST(watch, own_read_only_bracket)
{
    if (!engine_refuses()) {
        SKIP("needs an engine that refuses");
    }
    CHECK(frames_get());
    CHECK_EQ(watch_page(page, ACCESS_READ, FAULT_MODE_DEFAULT), 0);
    const void *at = kmap_local_page_ro(page);
    CHECK_EQ(allowed_at((void *)at), MAY_READ);
    kunmap_local(at);
    CHECK(unwatch_page(page) >= 0);
    frames_put();
}

static int watches_and_ends(void *unused)
{
    (void)unused;
    return watch_page(page, ACCESS_READ, FAULT_MODE_DEFAULT);
}

// Who gets the ended thread's place in the kernel gets nothing of its watch.
TEST(watch, watcher_that_ended)
{
    CHECK(frames_get());
    CHECK_EQ(in_another_thread(watches_and_ends), 0);
    CHECK_EQ(in_another_thread(bracket_allows), 0);
    CHECK_EQ(in_another_thread(bracket_allows), 0);
    CHECK_EQ(unwatch_page(page), 2);
    frames_put();
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
        struct page *const list[] = {other, page};
        bool scattered = i % 4 == 3;
        char *at = scattered ? kmap_local_pages(list, 2)
                             : kmap_local_range(page, 0, PAGE_SIZE);
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
    CHECK(frames_get());
    epoch = 0;
    storm_ends = false;
    for (unsigned i = 0; i < count; i++) {
        threads[i] = thread_create("looker", looks_all_the_time, NULL);
        CHECK(threads[i] != NULL);
    }
    int failed = 0;
    for (unsigned i = 0; i < rounds; i++) {
        epoch++;
        failed += watch_page(page, ACCESS_READ, FAULT_MODE_DEFAULT) != 0;
        epoch++;
        thread_yield();
        epoch++;
        failed += unwatch_page(page) < 0;
        epoch++;
        thread_yield();
    }
    storm_ends = true;
    for (unsigned i = 0; i < count; i++) {
        CHECK_EQ(thread_join(threads[i]), 0);
    }
    CHECK_EQ(failed, 0);
    CHECK(planted_audit_is_content());
    frames_put();
}
