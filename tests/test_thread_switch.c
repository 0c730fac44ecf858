// SPDX-License-Identifier: MIT
//
// What a switch must not mix up: each thread's window, the keys of one that was
// preempted, and the rights of a handler that goes on after it was.
#include "arch/asm.h"
#include "arch/pks.h"
#include "kernel/misuse.h"
#include "kernel/thread.h"
#include "mm/domain.h"
#include "mm/keys.h"
#include "tests/breakpoint.h"
#include "tests/engines.h"
#include "tests/handlers.h"
#include "tests/threads.h"

static struct page *frames[4];
static volatile unsigned step; // what the two threads wait for

static bool frames_get(struct domain *domain)
{
    bool good = domain != NULL;
    for (unsigned i = 0; i < ARRAY_SIZE(frames); i++) {
        frames[i] = good ? alloc_page(domain) : NULL;
        good = frames[i] != NULL;
    }
    step = 0;
    return good;
}

static void frames_put(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(frames); i++) {
        free_page(frames[i]);
    }
}

static void yield_until(unsigned next)
{
    while (step != next) {
        thread_yield();
    }
}

// --------------------------------------------------------------------- Windows

static int hold_a_list(void *unused)
{
    (void)unused;
    volatile unsigned *p = kmap_local_pages(&frames[3], 1);
    *p = 7;
    step = 1;
    yield_until(2);
    bool same = *p == 7;
    kunmap_local((const void *)p);
    return same;
}

// Brackets of two threads that close in the order in which they were opened: in
// one window the second would lie in the way of the third.
TEST(thread, each_has_a_window)
{
    CHECK(frames_get(domain_ram));
    const void *first = kmap_local_pages(frames, 1);
    struct thread *thread = thread_here("holder", hold_a_list, NULL);
    CHECK(thread != NULL);
    yield_until(1);
    kunmap_local(first);
    volatile unsigned *p = kmap_local_pages(frames, 3);
    for (unsigned i = 0; i < 3; i++) {
        p[i * PAGE_SIZE / sizeof(*p)] = 9;
    }
    step = 2;
    CHECK_EQ(thread_join(thread), true);
    CHECK_EQ(p[2 * PAGE_SIZE / sizeof(*p)], 9);
    kunmap_local((const void *)p);
    frames_put();
}

// ------------------------------------------------------------------- Preempted

static void nothing(void *unused)
{
    (void)unused;
}

// The handler of an interrupt finds that the slice is over.
static void be_preempted(void)
{
    percpu.slice_over = true;
    cpu_call(cpu_id(), nothing, NULL);
}

// Where the next bracket of that thread goes, while it is preempted over and
// over; NULL before and after.
static struct bracket *volatile top;

static int be_preempted_in_brackets(void *unused)
{
    (void)unused;
    volatile unsigned *p = kmap_local_page(frames[0]);
    const volatile unsigned *list = kmap_local_pages_ro(&frames[1], 1);
    uint32_t rights = pks_rights();
    *p = 5;
    top = percpu.bracket_top;
    step = 1;
    while (step != 2) { // other slices may be over meanwhile
        be_preempted();
    }
    bool same = *p == 5 && *list == 0 && rights_are(rights) &&
                percpu.bracket_top == top;
    top = NULL;
    kunmap_local((const void *)list);
    kunmap_local((const void *)p);
    return same && rights_are(PKRS_CLOSED);
}

// A thread that is preempted right away, and stays so until step 2.
static struct thread *preempted_make(void)
{
    struct thread *thread =
        thread_here("preempted", be_preempted_in_brackets, NULL);
    if (thread != NULL) {
        yield_until(1);
    }
    return thread;
}

#define OTHERS (PKS_KEYS - KEY_DOMAINS + 1) // more than there are keys

// Brackets on so many domains that every key that may change hands does.
static bool take_all_keys(void)
{
    static struct page *pages[OTHERS];
    bool good = true;
    for (unsigned i = 0; i < OTHERS; i++) {
        struct domain *domain = domain_create("other");
        pages[i] = domain != NULL ? alloc_page(domain) : NULL;
        good = good && pages[i] != NULL;
    }
    for (unsigned i = 0; i < 2 * OTHERS && good; i++) {
        kunmap_local(kmap_local_page(pages[i % OTHERS]));
    }
    for (unsigned i = 0; i < OTHERS && good; i++) {
        struct domain *domain = page_domain(pages[i]);
        free_page(pages[i]);
        good = domain_destroy(domain) == 0;
    }
    return good;
}

TEST(thread, preempted_keeps_key_and_frames)
{
    NEEDS_ACCOUNT();
    struct domain *domain = domain_create("preempted");
    CHECK(frames_get(domain));
    struct thread *thread = preempted_make();
    CHECK(thread != NULL);
    int key = domain->key;
    CHECK(take_all_keys());
    CHECK_EQ(domain->key, key);
    for (unsigned i = 0; i < 2; i++) {
        CHECK_MISUSE(free_page(frames[i]));
        CHECK_EQ(strcmp(misuse_last()->what,
                        "frame freed while a bracket on it is open"),
                 0);
    }
    step = 2;
    CHECK_EQ(thread_join(thread), true);
    frames_put();
    CHECK_EQ(domain_destroy(domain), 0);
}

static struct thread *watched;
static unsigned handlers_that_went_on;

// A handler's last act in C is to lower the level. Here the thread's is to go
// on: every key is closed still, and what it interrupted is the thread.
static void level_written(void)
{
    struct bracket *first = percpu.handler_first;
    if (percpu.thread == watched && top != NULL && percpu.trap_level == 0 &&
        percpu.bracket_top == first + 1) {
        handlers_that_went_on++;
        HANDLER_CHECK(rights_are(PKRS_CLOSED));
        HANDLER_CHECK(first->interrupted == top);
    }
    breakpoint_set_write(&percpu.self->trap_level);
}

TEST(thread, preempted_handlers_go_on_closed)
{
    CHECK(frames_get(domain_ram));
    handlers_that_went_on = 0;
    watched = preempted_make();
    CHECK(watched != NULL);
    cpu_call(cpu_id(), nothing, NULL); // another handler, in the same slots
    breakpoints_begin(level_written);
    breakpoint_set_write(&percpu.self->trap_level);
    step = 2;
    int result = thread_join(watched);
    breakpoints_end();
    CHECK_EQ(result, true);
    CHECK(handlers_passed());
    CHECK(handlers_that_went_on > 0);
    frames_put();
}
