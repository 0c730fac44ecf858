// SPDX-License-Identifier: MIT
//
// What threads must not do to each other's brackets, to themselves, and inside
// handlers; each is reported with both call sites.
#include "kernel/misuse.h"
#include "kernel/symbols.h"
#include "keyhole.h"
#include "lib/types.h"
#include "tests/engines.h"
#include "tests/framework.h"
#include "tests/handlers.h"
#include "tests/threads.h"

static struct page *pair[2];

static bool frames_get(void)
{
    pair[0] = alloc_page(domain_ram);
    pair[1] = alloc_page(domain_ram);
    return pair[0] != NULL && pair[1] != NULL;
}

static void frames_put(void)
{
    free_page(pair[0]);
    free_page(pair[1]);
}

static bool what_is(const char *want)
{
    if (strcmp(misuse_last()->what, want) == 0) {
        return true;
    }
    printf("# reported \"%s\", want \"%s\"\n", misuse_last()->what, want);
    return false;
}

static bool site_is(unsigned i, const char *function)
{
    uintptr_t ip = misuse_last()->site[i].ip;
    const char *name = ip != 0 ? symbol_find(ip - 1, NULL) : NULL;
    if (name != NULL && strcmp(name, function) == 0) {
        return true;
    }
    printf("# site %u is in %s, want %s\n", i, name != NULL ? name : "nothing",
           function);
    return false;
}

// ---------------------------------------------------- Other threads' brackets

static void unmap(void *address)
{
    kunmap_local(address);
}

static int unmap_it(void *address)
{
    return run_protected(unmap, address, NULL);
}

static __noinline void *map_one(void)
{
    return kmap_local_page(pair[0]);
}

static __noinline void *map_list(void)
{
    return kmap_local_pages(pair, 2);
}

TEST(thread_misuse, unmap_names_both_threads)
{
    NEEDS_ACCOUNT();
    static const struct {
        void *(*map)(void);
        const char *name;
    } maps[] = {{map_one, "map_one"}, {map_list, "map_list"}};
    CHECK(frames_get());
    for (unsigned i = 0; i < ARRAY_SIZE(maps); i++) {
        volatile char *p = maps[i].map();
        struct thread *thread = thread_here("thief", unmap_it, (void *)p);
        CHECK(thread != NULL);
        CHECK_EQ(thread_join(thread), 0);
        CHECK(what_is("unmap by another thread"));
        CHECK(site_is(0, "unmap") && site_is(1, maps[i].name));
        *p = 1;
        kunmap_local((const void *)p);
    }
    CHECK(rights_are(PKRS_CLOSED));
    frames_put();
}

static bool sleeps;

static int hold_and_yield(void *list)
{
    volatile char *p = list != NULL ? map_list() : map_one();
    sleeps = true;
    while (sleeps) {
        thread_yield();
    }
    *p = 1;
    kunmap_local((const void *)p);
    return 0;
}

// What a thread that does not run has open is not freed.
TEST(thread_misuse, free_names_the_sleepers_map)
{
    NEEDS_ACCOUNT();
    CHECK(frames_get());
    for (unsigned list = 0; list < 2; list++) {
        struct thread *thread =
            thread_here("holder", hold_and_yield, list ? pair : NULL);
        CHECK(thread != NULL);
        while (!sleeps) {
            thread_yield();
        }
        CHECK_MISUSE(free_page(pair[list]));
        CHECK(what_is("frame freed while a bracket on it is open"));
        CHECK(site_is(0, __func__));
        CHECK(site_is(1, list ? "map_list" : "map_one"));
        sleeps = false;
        CHECK_EQ(thread_join(thread), 0);
    }
    frames_put();
}

// A thread's brackets of the past are nobody's memory but its own.
static int map_and_end(void *address)
{
    kunmap_local(kmap_local_page(pair[0]));
    *(const void **)address = page_direct_map_address(pair[0]);
    return 0;
}

TEST(thread_misuse, nobody_remembers_another_threads_past)
{
    NEEDS_ACCOUNT();
    CHECK(frames_get());
    const void *address = NULL;
    struct thread *first = thread_here("first", map_and_end, &address);
    CHECK(first != NULL);
    CHECK_EQ(thread_join(first), 0);
    struct thread *second = thread_here("second", unmap_it, (void *)address);
    CHECK(second != NULL);
    CHECK_EQ(thread_join(second), 0);
    CHECK(what_is("unmap of an address that was never mapped"));
    CHECK(misuse_last()->site[1].what == NULL);
    frames_put();
}

// -------------------------------------------------------------------------
// Ends

static int end_open(void *unused)
{
    (void)unused;
    (void)map_one();
    return 0;
}

static unsigned failures;

static void count_failure(const struct thread *thread)
{
    (void)thread;
    failures++;
}

TEST(thread_misuse, end_with_a_bracket_names_the_map)
{
    NEEDS_ACCOUNT();
    CHECK(frames_get());
    failures = 0;
    thread_failures_to(count_failure);
    printf("# a report that this test asks for:\n");
    struct thread *thread = thread_here("open", end_open, NULL);
    int result = thread != NULL ? thread_join(thread) : 0;
    thread_failures_to(test_thread_failed);
    CHECK_EQ(result, -EFAULT);
    CHECK_EQ(failures, 1);
    CHECK(what_is("thread ends with a bracket open"));
    CHECK(site_is(0, "map_one") && site_is(1, "end_open"));
    CHECK(rights_are(PKRS_CLOSED));
    frames_put();
}

// ------------------------------------------------------------------------
// Calls

static int give_back(void *number)
{
    return (int)(uintptr_t)number;
}

static struct thread *joined;

static void join_it(void *unused)
{
    (void)unused;
    (void)thread_join(joined);
}

static volatile bool join_is_over;

static int join_protected(void *unused)
{
    bool joined_it = run_protected(join_it, unused, NULL);
    join_is_over = true;
    return joined_it;
}

static int wait_for_it(void *unused)
{
    (void)unused;
    return thread_join(joined);
}

TEST(thread_misuse, joins)
{
    joined = thread_here("gone", give_back, NULL);
    CHECK(joined != NULL);
    CHECK_EQ(thread_join(joined), 0);
    CHECK_MISUSE(thread_join(joined));
    CHECK(what_is("join of a thread that there is not"));
    CHECK(site_is(0, __func__));

    join_is_over = false;
    joined = thread_here("self", join_protected, NULL);
    CHECK(joined != NULL);
    for (unsigned i = 0; i < 1000 && !join_is_over; i++) {
        thread_yield(); // nobody waits for it yet
    }
    CHECK(what_is("join of the thread itself"));
    CHECK(site_is(0, "join_it"));
    CHECK_EQ(thread_join(joined), 0);

    sleeps = false;
    CHECK(frames_get());
    joined = thread_here("holder", hold_and_yield, NULL);
    CHECK(joined != NULL);
    struct thread *waiter = thread_here("waiter", wait_for_it, NULL);
    CHECK(waiter != NULL);
    while (!sleeps) {
        thread_yield();
    }
    thread_yield();
    CHECK_MISUSE(thread_join(joined));
    CHECK(what_is("join of a thread that another waits for"));
    sleeps = false;
    CHECK_EQ(thread_join(waiter), 0);
    frames_put();
}

static void create_in_handler(void *unused)
{
    (void)thread_create("none", give_back, unused);
}

static void yield_in_handler(void *unused)
{
    (void)unused;
    thread_yield();
}

static void sleep_in_handler(void *unused)
{
    (void)unused;
    thread_sleep_ms(1);
}

static void pin_in_handler(void *unused)
{
    (void)unused;
    (void)thread_pin(0);
}

TEST(thread_misuse, calls_in_handlers)
{
    static const struct {
        void (*fn)(void *);
        const char *what, *name;
    } calls[] = {
        {create_in_handler, "thread_create in a handler", "create_in_handler"},
        {join_it, "thread_join in a handler", "join_it"},
        {yield_in_handler, "thread_yield in a handler", "yield_in_handler"},
        {sleep_in_handler, "thread_sleep_ms in a handler", "sleep_in_handler"},
        {pin_in_handler, "thread_pin in a handler", "pin_in_handler"},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(calls); i++) {
        CHECK_MISUSE(cpu_call(cpu_id(), calls[i].fn, NULL));
        CHECK(what_is(calls[i].what));
        CHECK(site_is(0, calls[i].name));
        CHECK_EQ(percpu.trap_level, 0);
    }
}
