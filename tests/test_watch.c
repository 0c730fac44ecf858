// SPDX-License-Identifier: MIT
//
// Watching and freezing: whatever maps the frame is closed, and as before when
// the watch ends.
#include "tests/engines.h"
#include "tests/planted.h"
#include "tests/watch_ways.h"

static void check_ways(int wanted)
{
    for (unsigned i = 0; i < ARRAY_SIZE(ways); i++) {
        CHECK_EQ(in_another_thread(ways[i]), wanted);
        CHECK_EQ(in_another_thread(ways[i]), wanted); // slots used again
    }
}

static void check_all(enum fault_access access, int others)
{
    CHECK(watched_get());
    check_ways(MAY_READ | MAY_WRITE);
    CHECK_EQ(watch_page(watched, access, FAULT_MODE_DEFAULT), 0);
    check_ways(others);
    CHECK(planted_audit_is_content());
    if (engine_keeps_account()) {
        CHECK_EQ(bracket_allows(NULL), MAY_READ | MAY_WRITE);
        CHECK_EQ(list_allows(NULL), MAY_READ | MAY_WRITE);
    }
    check_ways(others);
    CHECK(unwatch_page(watched) > 0);
    check_ways(MAY_READ | MAY_WRITE);
    CHECK_EQ(bracket_allows(NULL), MAY_READ | MAY_WRITE);
    watched_put();
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
    CHECK(watched_get());
    CHECK_EQ(freeze_range(watched, 1, FAULT_MODE_DEFAULT), 0);
    check_ways(MAY_READ);
    for (unsigned i = 0; i < ARRAY_SIZE(ways); i++) {
        CHECK_EQ(ways[i](NULL), MAY_READ);
    }
    CHECK(planted_audit_is_content());
    CHECK(thaw_range(watched, 1) > 0);
    check_ways(MAY_READ | MAY_WRITE);
    for (unsigned i = 0; i < ARRAY_SIZE(ways); i++) {
        CHECK_EQ(ways[i](NULL), MAY_READ | MAY_WRITE);
    }
    watched_put();
}

// The entries of some frames are in one page table, those of the others in the
// next.
TEST(watch, frozen_across_tables)
{
    const unsigned order = 10, frames = 4;
    struct page *block = alloc_pages(domain_ram, order);
    if (block == NULL) {
        SKIP("needs 4 MiB in a row");
    }
    struct page *first = block + MIB(2) / PAGE_SIZE - frames / 2;
    char *around =
        kmap_local_range(first - 1, 0, (frames + 2) * (size_t)PAGE_SIZE);
    CHECK_EQ(freeze_range(first, frames, FAULT_MODE_DEFAULT), 0);
    for (unsigned i = 0; i < frames + 2; i++) {
        bool frozen = i != 0 && i != frames + 1;
        CHECK_EQ(allowed_at(around + i * PAGE_SIZE),
                 frozen ? MAY_READ : MAY_READ | MAY_WRITE);
    }
    CHECK(planted_audit_is_content());
    CHECK_EQ(thaw_range(first, frames), frames);
    for (unsigned i = 0; i < frames + 2; i++) {
        CHECK_EQ(allowed_at(around + i * PAGE_SIZE), MAY_READ | MAY_WRITE);
    }
    kunmap_local(around);
    free_pages(block, order);
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
    void *at = kmap_local_page(watched);
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
    struct page *const list[] = {neighbour, watched};
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
    CHECK_EQ(freeze ? freeze_range(watched, 1, FAULT_MODE_DEFAULT)
                    : watch_page(watched, access, FAULT_MODE_DEFAULT),
             0);
    open.watched = true;
    wait_for(&open.looked);
    CHECK(planted_audit_is_content());
    int hits = freeze ? thaw_range(watched, 1) : unwatch_page(watched);
    open.watched = false;
    thread_join(thread);
    CHECK_EQ(open.before, MAY_READ | MAY_WRITE);
    CHECK_EQ(open.after, wanted);
    CHECK_EQ(open.again, MAY_READ | MAY_WRITE);
    CHECK_EQ(hits, 1);
}

TEST(watch, brackets_that_are_open)
{
    CHECK(watched_get());
    check_opened(opened_by_bracket, false, ACCESS_READ, 0);
    check_opened(opened_by_bracket, false, ACCESS_WRITE, MAY_READ);
    check_opened(opened_by_bracket, true, ACCESS_WRITE, MAY_READ);
    check_opened(opened_by_list, false, ACCESS_READ, 0);
    check_opened(opened_by_list, false, ACCESS_WRITE, MAY_READ);
    check_opened(opened_by_list, true, ACCESS_WRITE, MAY_READ);
    watched_put();
}

// kmap() and vmap() ranges, one of them with large leaves.
TEST(watch, mappings_that_are_open)
{
    struct page *block = alloc_pages(domain_ram, 9);
    if (block == NULL) {
        SKIP("needs 2 MiB in a row");
    }
    CHECK(watched_get());
    struct page *const list[] = {neighbour, block + 7};
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
    watched_put();
}
