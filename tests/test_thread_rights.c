// SPDX-License-Identifier: MIT
//
// Whose rights are whose: brackets of threads that take turns, by themselves or
// because the timer says so, and of threads that end.
#include "arch/asm.h"
#include "arch/pks.h"
#include "kernel/misuse.h"
#include "kernel/timer.h"
#include "tests/engines.h"
#include "tests/framework.h"
#include "tests/handlers.h"
#include "tests/threads.h"

static struct page *frames[3];

static bool frames_get(void)
{
    for (unsigned i = 0; i < 3; i++) {
        struct domain *domain = domain_create("thread");
        frames[i] = domain != NULL ? alloc_pages(domain, 1) : NULL;
        if (frames[i] == NULL) {
            return false;
        }
    }
    return true;
}

static void frames_put(void)
{
    for (unsigned i = 0; i < 3; i++) {
        struct domain *domain = page_domain(frames[i]);
        free_pages(frames[i], 1);
        domain_destroy(domain);
    }
}

static bool reaches(struct page *page)
{
    char byte;
    return probe_read(page_direct_map_address(page), &byte, 1, NULL);
}

static int look(void *address)
{
    return reaches(frames[0]) + 2 * reaches(frames[1]) +
           4 * !rights_are(PKRS_CLOSED) + 8 * (brackets_depth() != 0) +
           16 * probe_read(address, &(char){0}, 1, NULL);
}

// What a thread sees of another that has frames[0] open.
static int sight(void)
{
    return test_engine()->others_stay_out ? 0 : engine_refuses() ? 17 : 19;
}

TEST(thread, starts_with_every_key_closed)
{
    CHECK(frames_get());
    volatile char *p = kmap_local_page(frames[0]);
    struct thread *thread = thread_here("look", look, (void *)p);
    CHECK(thread != NULL);
    CHECK_EQ(thread_join(thread), sight());
    *p = 1; // this thread's right is as it was
    kunmap_local((const void *)p);
    CHECK(rights_are(PKRS_CLOSED));
    frames_put();
}

static unsigned wrong;
static volatile char *open_at[3]; // where each has its frame, or had it

// Whether a thread's frame is in reach of another, and must not be.
static bool exposed(unsigned other)
{
    volatile char *at = open_at[other];
    return test_engine()->others_stay_out &&
           (reaches(frames[other]) ||
            (at != NULL && probe_read((char *)at, &(char){0}, 1, NULL)));
}

// Brackets on one's own frame, with a turn for the others at each step: nobody
// else's frame is in reach, one's own always is.
static int bracket_and_yield(void *number)
{
    unsigned own = (unsigned)(uintptr_t)number, other = (own + 1) % 3;
    for (unsigned i = 0; i < 20; i++) {
        volatile char *p = kmap_local_page(frames[own]);
        uint32_t rights = pks_rights();
        *p = (char)i;
        open_at[own] = p;
        thread_yield();
        wrong += *p != (char)i || exposed(other) || !rights_are(rights);
        const volatile char *q = kmap_local_page_ro(frames[own] + 1);
        struct page *list[] = {frames[own] + 1, frames[own]};
        volatile char *r = kmap_local_pages(list, 2);
        thread_yield();
        wrong += *q != 0 || r[PAGE_SIZE] != (char)i;
        r[PAGE_SIZE] = 1;
        thread_yield();
        kunmap_local((const void *)r);
        thread_yield();
        wrong += probe_read((const void *)r, &(char){0}, 1, NULL);
        kunmap_local((const void *)q);
        wrong += *p != 1;
        kunmap_local((const void *)p);
        wrong += !rights_are(PKRS_CLOSED) ||
                 reaches(frames[own]) == engine_refuses();
    }
    return 0;
}

static void three_run(int (*fn)(void *))
{
    struct thread *threads[3];
    wrong = 0;
    memset((void *)open_at, 0, sizeof(open_at));
    for (uintptr_t i = 0; i < 3; i++) {
        threads[i] = thread_here("bracket", fn, (void *)i);
    }
    for (unsigned i = 0; i < 3; i++) {
        wrong += threads[i] == NULL || thread_join(threads[i]) != 0;
    }
}

TEST(thread, rights_are_the_threads_own)
{
    CHECK(frames_get());
    three_run(bracket_and_yield);
    CHECK_EQ(wrong, 0);
    CHECK(rights_are(PKRS_CLOSED));
    frames_put();
}

static bool yielding;

static int yield_until_told(void *unused)
{
    (void)unused;
    while (yielding) {
        thread_yield();
    }
    return 0;
}

// There and back, between threads of equal rights, and of others.
static uint64_t writes_of_a_yield(void)
{
    struct map_stats before, after;
    map_stats_read(&before);
    thread_yield();
    map_stats_read(&after);
    return test_engine()->keys ? after.pkrs_writes - before.pkrs_writes
                               : after.pte_writes - before.pte_writes;
}

TEST(thread, switch_writes_what_it_must)
{
    CHECK(frames_get());
    yielding = true;
    struct thread *thread = thread_here("other", yield_until_told, NULL);
    CHECK(thread != NULL);
    uint64_t equal = writes_of_a_yield();
    const void *p = kmap_local_page(frames[0]);
    uint64_t different = writes_of_a_yield();
    kunmap_local(p);
    yielding = false;
    CHECK_EQ(thread_join(thread), 0);
    if (engine->switch_from == NULL) {
        CHECK_EQ(equal, 0);
        CHECK(different >= (test_engine()->keys ? 2 : 0)); // or the timer's
    } else {
        // A link away and a link there, each way, whatever is open.
        CHECK(equal >= 4 && different >= equal);
    }
    frames_put();
}

// The same without a yield: the timer interrupts at any instruction.
static int bracket_and_spin(void *number)
{
    unsigned own = (unsigned)(uintptr_t)number, other = (own + 1) % 3;
    uint64_t end = clock_now() + clock_ticks(60000);
    unsigned rounds = 0;
    while (clock_now() < end || rounds < 50) {
        volatile unsigned *p = kmap_local_page(frames[own]);
        *p = ++rounds;
        open_at[own] = (volatile char *)p;
        volatile unsigned *q = kmap_local_page(frames[own]);
        wrong += *q != rounds || exposed(other);
        kunmap_local((const void *)q);
        wrong += *p != rounds;
        kunmap_local((const void *)p);
        wrong += !rights_are(PKRS_CLOSED);
    }
    return 0;
}

TEST(thread, preempted_inside_brackets)
{
    CHECK(frames_get());
    three_run(bracket_and_spin);
    CHECK_EQ(wrong, 0);
    CHECK(rights_are(PKRS_CLOSED));
    frames_put();
}

static int sleep_in_bracket(void *page)
{
    volatile char *p = kmap_local_page(page);
    thread_sleep_ms(5);
    *p = 2;
    kunmap_local((const void *)p);
    return 0;
}

// Its frame must not be freed and its key not be lent while it sleeps.
TEST(thread, keeps_its_key_while_it_sleeps)
{
    NEEDS_ACCOUNT();
    static struct page *others[16];
    CHECK(frames_get());
    struct page *page = alloc_page(page_domain(frames[0]));
    CHECK(page != NULL);
    struct thread *thread = thread_here("sleeper", sleep_in_bracket, page);
    CHECK(thread != NULL);
    thread_yield();
    CHECK_MISUSE(free_page(page));
    CHECK_EQ(strcmp(misuse_last()->what,
                    "frame freed while a bracket on it is open"),
             0);
    for (unsigned i = 0; i < 16; i++) {
        struct domain *domain = domain_create("other");
        others[i] = domain != NULL ? alloc_page(domain) : NULL;
        CHECK(others[i] != NULL);
        kunmap_local(kmap_local_page(others[i]));
    }
    CHECK_EQ(thread_join(thread), 0);
    free_page(page);
    for (unsigned i = 0; i < 16; i++) {
        struct domain *domain = page_domain(others[i]);
        free_page(others[i]);
        CHECK_EQ(domain_destroy(domain), 0);
    }
    frames_put();
}

// ---------------------------------------------------------------------- Misuse

static int unmap_it(void *address)
{
    bool caught = false;
    struct catch_frame frame;
    if (catch_enter(&frame) == 0) {
        kunmap_local(address);
        catch_leave(&frame);
    } else {
        caught = frame.misuse;
    }
    return caught;
}

TEST(thread, unmap_by_another_thread)
{
    NEEDS_ACCOUNT();
    CHECK(frames_get());
    volatile char *p = kmap_local_page(frames[0]);
    struct thread *thread = thread_here("thief", unmap_it, (void *)p);
    CHECK(thread != NULL);
    CHECK_EQ(thread_join(thread), 1);
    CHECK_EQ(strcmp(misuse_last()->what, "unmap by another thread"), 0);
    CHECK_EQ(strcmp(misuse_last()->site[1].what, "mapped"), 0);
    *p = 1;
    kunmap_local((const void *)p);
    frames_put();
}

static int fault_at_once(void *address)
{
    *(volatile char *)address = 1;
    return 0;
}

static int end_open(void *page)
{
    (void)kmap_local_page(page);
    return 0;
}

static unsigned failures;

static void count_failure(const struct thread *thread)
{
    (void)thread;
    failures++;
}

// What nobody catches ends the thread alone, and its brackets are closed. The
// test catches what would fail it otherwise.
TEST(thread, ends_alone)
{
    NEEDS_ACCOUNT();
    CHECK(frames_get());
    failures = 0;
    thread_failures_to(count_failure);
    struct thread *a = thread_here("fault", fault_at_once, (void *)8);
    struct thread *b = thread_here("open", end_open, frames[0]);
    int results[2] = {thread_join(a), thread_join(b)};
    thread_failures_to(test_thread_failed);
    CHECK_EQ(results[0], -EFAULT);
    CHECK_EQ(results[1], -EFAULT);
    CHECK_EQ(failures, 2);
    CHECK_EQ(strcmp(misuse_last()->what, "thread ends with a bracket open"), 0);
    frames_put(); // no bracket on frames[0] is open any more
}

// ------------------------------------------------------------- What is counted

static int bracket_five_times(void *page)
{
    for (unsigned i = 0; i < 5; i++) {
        memzero_page(page, 0, 1);
    }
    return 0;
}

// Brackets of a thread that has ended were not nested after all.
TEST(thread, counts_outlive_it)
{
    struct page *page = alloc_page(domain_ram);
    CHECK(page != NULL);
    struct map_stats before, after;
    map_stats_read(&before);
    struct thread *thread = thread_create("counted", bracket_five_times, page);
    CHECK(thread != NULL);
    CHECK_EQ(thread_join(thread), 0);
    map_stats_read(&after);
    uint64_t brackets = after.brackets - before.brackets;
    CHECK(brackets >= 5 || !engine_keeps_account());
    CHECK_EQ(after.nested - before.nested, 0);
    free_page(page);
}
