// SPDX-License-Identifier: MIT
//
// The window for scattered frames is the thread's, and its handlers use what is
// behind the thread's part. Neither gets in the other's way.
#include "kernel/misuse.h"
#include "mm/engine.h"
#include "mm/layout.h"
#include "tests/engines.h"
#include "tests/handlers.h"
#include "tests/threads.h"

static struct page *frames[4];

static bool frames_get(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(frames); i++) {
        frames[i] = alloc_page(domain_ram);
        if (frames[i] == NULL) {
            return false;
        }
        memset_page(frames[i], 0, (int)i + 1, 1);
    }
    return true;
}

static void frames_put(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(frames); i++) {
        free_page(frames[i]);
    }
}

static bool mapped(const volatile void *address)
{
    struct fault fault;
    return probe_read((const void *)address, &(char){0}, 1, &fault) ||
           fault.kind != FAULT_NOT_PRESENT;
}

// ------------------------------------------------------------------- Abandoned

static uintptr_t handlers_window;

static void open_and_fault(void *unused)
{
    (void)unused;
    handlers_window = (uintptr_t)kmap_local_pages(frames + 2, 2);
    *(volatile char *)TEST_REGION_BASE = 1;
}

static void fault_inside_a_handler(void *unused)
{
    (void)unused;
    HANDLER_CHECK(!run_protected(open_and_fault, NULL, NULL));
    HANDLER_CHECK(!mapped((const char *)handlers_window));
}

static void map_bad_list(void *gone)
{
    struct page *list[] = {frames[2], frames[3], gone};
    (void)kmap_local_pages(list, 3);
}

static void bad_list_in_a_handler(void *gone)
{
    const char *before = kmap_local_pages_ro(frames + 2, 1);
    kunmap_local(before);
    HANDLER_CHECK(!run_protected(map_bad_list, gone, NULL));
    HANDLER_CHECK(!mapped(before) && !mapped(before + PAGE_SIZE));
    const char *after = kmap_local_pages_ro(frames + 2, 1);
    HANDLER_CHECK(after == before);
    kunmap_local(after);
}

// A list that is refused gives its room back in a handler too, where nobody
// tidies up behind it.
TEST(pages, a_list_that_ends_badly_in_a_handler)
{
    CHECK(frames_get());
    struct page *gone = alloc_page(domain_ram);
    CHECK(gone != NULL);
    free_page(gone);
    volatile char *p = kmap_local_pages(frames, 1);
    cpu_call(cpu_id(), bad_list_in_a_handler, gone);
    cpu_nmi(cpu_id(), bad_list_in_a_handler, gone);
    CHECK(handlers_passed());
    CHECK_EQ(*p, 1);
    kunmap_local((const void *)p);
    frames_put();
}

static void leave_open(void *unused)
{
    (void)unused;
    handlers_window = (uintptr_t)kmap_local_pages(frames + 2, 2);
}

// Where a handler's window begins, if the thread's has room from `behind` on:
// there, or, where handlers have windows of their own, far from it.
static uintptr_t handlers_room(uintptr_t behind)
{
    if (engine->root == NULL) {
        return behind;
    }
    cpu_call(cpu_id(), fault_inside_a_handler, NULL);
    return handlers_window / GIB(1) == behind / GIB(1) ? 0 : handlers_window;
}

// Of what a handler leaves behind nothing stays; of the thread's, everything.
TEST(pages, a_handler_that_is_abandoned)
{
    CHECK(frames_get());
    volatile char *p = kmap_local_pages(frames, 2);
    uintptr_t behind = (uintptr_t)p + 3 * PAGE_SIZE;
    static uintptr_t handlers;
    handlers = handlers_room(behind);
    for (unsigned i = 0; i < 2; i++) {
        cpu_call(cpu_id(), fault_inside_a_handler, NULL);
        CHECK(handlers_passed());
        CHECK_EQ(handlers_window, handlers);
        CHECK_EQ(p[0], 1);
        CHECK_EQ(p[PAGE_SIZE], 2);
        CHECK_MISUSE(cpu_nmi(cpu_id(), leave_open, NULL));
        CHECK_EQ(handlers_window, handlers);
        CHECK(!mapped((const char *)handlers_window));
        CHECK_EQ(p[0], 1);
        CHECK_EQ(p[PAGE_SIZE], 2);
    }
    const volatile char *q = kmap_local_pages_ro(frames + 2, 2);
    CHECK_EQ((uintptr_t)q, behind);
    CHECK_EQ(q[PAGE_SIZE], 4);
    kunmap_local((const void *)q);
    kunmap_local((const void *)p);
    frames_put();
}

static void open_inside(void *unused)
{
    (void)unused;
    (void)kmap_local_pages(frames + 2, 1);
    *(volatile char *)TEST_REGION_BASE = 1;
}

// Nor does a thread lose what it had before.
TEST(pages, abandoned_inside_another)
{
    CHECK(frames_get());
    volatile char *p = kmap_local_pages(frames, 2);
    for (unsigned i = 0; i < 3; i++) {
        CHECK(!run_protected(open_inside, NULL, NULL));
        CHECK_EQ(p[0], 1);
        CHECK_EQ(p[PAGE_SIZE], 2);
        CHECK(!mapped(p + 2 * PAGE_SIZE) && !mapped(p + 3 * PAGE_SIZE));
    }
    kunmap_local((const void *)p);
    CHECK(rights_are(PKRS_CLOSED));
    frames_put();
}

static void reach_for_it(void *address)
{
    struct fault fault;
    if (!test_engine()->others_stay_out) {
        HANDLER_CHECK(probe_read(address, &(char){0}, 1, NULL));
        return;
    }
    HANDLER_CHECK(!probe_read(address, &(char){0}, 1, &fault));
    HANDLER_CHECK(is_refusal(&fault, ACCESS_READ, address, frames[0]));
    HANDLER_CHECK(!probe_write(address, &(char){0}, 1, NULL));
}

static int reach_for_it_too(void *address)
{
    reach_for_it(address);
    return 0;
}

// An address of the window is as closed to others as the frame itself.
TEST(pages, closed_to_others)
{
    CHECK(frames_get());
    volatile char *p = kmap_local_pages(frames, 2);
    cpu_call(cpu_id(), reach_for_it, (void *)p);
    cpu_nmi(cpu_id(), reach_for_it, (void *)p);
    CHECK_EQ(thread_join(thread_here("other", reach_for_it_too, (void *)p)), 0);
    CHECK(handlers_passed());
    CHECK_EQ(p[0], 1);
    kunmap_local((const void *)p);
    frames_put();
}

// Each bracket that was opened is closed, refused or abandoned, and counted as
// that: a register write is not taken for one that was skipped.
TEST(pages, counts_of_refused_and_abandoned)
{
    NEEDS_ACCOUNT();
    CHECK(frames_get());
    struct page *gone = alloc_page(domain_ram);
    struct map_stats before, after;
    CHECK(gone != NULL);
    free_page(gone);
    map_stats_read(&before);
    CHECK_MISUSE(kmap_local_page(gone));
    map_stats_read(&after);
    CHECK_EQ(after.brackets - before.brackets, 1);
    CHECK_EQ(after.pkrs_writes_skipped, before.pkrs_writes_skipped);
    map_stats_read(&before);
    CHECK_MISUSE(cpu_call(cpu_id(), leave_open, NULL));
    map_stats_read(&after);
    CHECK_EQ(after.brackets - before.brackets, 1);
    CHECK_EQ(after.pkrs_writes_skipped, before.pkrs_writes_skipped);
    frames_put();
}

// ---------------------------------------------------------------------- Guards

static unsigned looks;

// A part of the window with a page of its own, and nothing behind that.
static void look_behind(void *unused)
{
    (void)unused;
    const volatile char *p = kmap_local_pages_ro(frames + 3, 1);
    HANDLER_CHECK(*p == 4);
    HANDLER_CHECK(!mapped(p + PAGE_SIZE));
    kunmap_local((const void *)p);
    looks++;
}

static void map_and_unmap(void *unused)
{
    (void)unused;
    const volatile char *p = kmap_local_pages_ro(frames, 3);
    HANDLER_CHECK(p[2 * PAGE_SIZE] == 3);
    kunmap_local((const void *)p);
}

// At every instruction: while the thread's part is filled it is not the
// handler's, and while it is emptied it is the thread's still.
TEST(pages, handlers_have_guards)
{
    CHECK(frames_get());
    looks = 0;
    step_through(map_and_unmap, NULL, look_behind, NULL);
    CHECK(handlers_passed());
    CHECK(looks > 100);
    const volatile char *p = kmap_local_pages_ro(frames, 1);
    const volatile char *q = kmap_local_pages_ro(frames + 1, 1);
    CHECK(!mapped(p + PAGE_SIZE));
    CHECK_EQ(q, p + 2 * PAGE_SIZE);
    kunmap_local((const void *)q);
    CHECK(!mapped(q));
    kunmap_local((const void *)p);
    frames_put();
}
