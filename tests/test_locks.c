// SPDX-License-Identifier: MIT
//
// Mutexes and wait queues: one at a time, in order, no wake-up lost, and
// brackets that stay open meanwhile.
#include "arch/cpu.h"
#include "kernel/misuse.h"
#include "kernel/mutex.h"
#include "kernel/timer.h"
#include "tests/framework.h"
#include "tests/handlers.h"
#include "tests/threads.h"

#define THREADS 6
#define ROUNDS 200

static struct mutex mutex = MUTEX("test");
static struct wait_queue queue = WAIT_QUEUE("test");
static struct thread *threads[THREADS];
static volatile unsigned inside, wrong, shared;
static char order[THREADS + 1];
static volatile unsigned ordered;

// `here`: all on the CPU of the test, so that they begin one after the other.
static bool threads_make(int (*fn)(void *arg), bool here)
{
    inside = wrong = shared = ordered = 0;
    memset(order, 0, sizeof(order));
    for (uintptr_t i = 0; i < THREADS; i++) {
        threads[i] = here ? thread_here("locker", fn, (void *)i)
                          : thread_create("locker", fn, (void *)i);
        if (threads[i] == NULL) {
            return false;
        }
    }
    return true;
}

static int threads_join(void)
{
    int results = 0;
    for (unsigned i = 0; i < THREADS; i++) {
        results |= thread_join(threads[i]);
    }
    return results;
}

// ----------------------------------------------------------------------
// Mutexes

static int count_inside(void *unused)
{
    (void)unused;
    for (unsigned i = 0; i < ROUNDS; i++) {
        mutex_lock(&mutex);
        unsigned before = shared;
        wrong += ++inside != 1;
        if (i % 8 == 0) {
            thread_yield();
        }
        wrong += !mutex_is_held(&mutex);
        shared = before + 1;
        inside--;
        mutex_unlock(&mutex);
    }
    return 0;
}

TEST(locks, a_mutex_lets_one_in)
{
    CHECK(threads_make(count_inside, false));
    CHECK_EQ(threads_join(), 0);
    CHECK_EQ(wrong, 0);
    CHECK_EQ(shared, THREADS * ROUNDS);
    CHECK(mutex.owner == NULL && mutex.waiters.first == NULL);
}

static int lock_and_note(void *number)
{
    mutex_lock(&mutex);
    order[ordered++] = (char)('a' + (uintptr_t)number);
    mutex_unlock(&mutex);
    return 0;
}

// The first to come is the first in, even before one that never waited.
TEST(locks, a_mutex_is_handed_over_in_order)
{
    mutex_lock(&mutex);
    CHECK(threads_make(lock_and_note, true));
    thread_yield(); // each begins, and waits
    CHECK_EQ(ordered, 0);
    mutex_unlock(&mutex);
    CHECK(!mutex_is_held(&mutex));
    CHECK(!mutex_trylock(&mutex)); // it is another's already
    mutex_lock(&mutex);
    CHECK_EQ(ordered, THREADS);
    mutex_unlock(&mutex);
    CHECK_EQ(threads_join(), 0);
    CHECK_EQ(strcmp(order, "abcdef"), 0);
}

static int lock_in_bracket(void *page)
{
    volatile unsigned *p = kmap_local_page(page);
    mutex_lock(&mutex);
    ++*p;
    mutex_unlock(&mutex);
    *p += 10;
    kunmap_local((const void *)p);
    return !rights_are(PKRS_CLOSED);
}

TEST(locks, brackets_stay_open_in_a_wait)
{
    struct page *page = alloc_page(domain_ram);
    CHECK(page != NULL);
    mutex_lock(&mutex);
    struct thread *thread = thread_here("bracket", lock_in_bracket, page);
    CHECK(thread != NULL);
    thread_yield();
    CHECK(rights_are(PKRS_CLOSED));
    mutex_unlock(&mutex);
    CHECK_EQ(thread_join(thread), 0);
    unsigned found = 0;
    memcpy_from_page(&found, page, 0, sizeof(found));
    CHECK_EQ(found, 11);
    free_page(page);
}

// ------------------------------------------------------------------ Wait
// queues

static volatile unsigned turn;

static int take_turns(void *number)
{
    unsigned own = (unsigned)(uintptr_t)number;
    for (unsigned i = 0; i < ROUNDS; i++) {
        wait_event(&queue, turn % THREADS == own);
        turn++;
        wake_all(&queue);
    }
    return 0;
}

// A single wake-up that is lost would stop all of them.
TEST(locks, no_wake_up_is_lost)
{
    turn = 0;
    CHECK(threads_make(take_turns, false));
    CHECK_EQ(threads_join(), 0);
    CHECK_EQ(turn, THREADS * ROUNDS);
    CHECK(queue.first == NULL);
}

static volatile int tokens;

static bool token_take(void)
{
    int have = __atomic_load_n(&tokens, __ATOMIC_SEQ_CST);
    while (have > 0 &&
           !__atomic_compare_exchange_n(&tokens, &have, have - 1, false,
                                        __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
    }
    return have > 0;
}

static int tokens_take(void *number)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        wait_event(&queue, token_take());
    }
    order[ordered++ % THREADS] = (char)('a' + (uintptr_t)number);
    return 0;
}

static void token_give(void *unused)
{
    (void)unused;
    __atomic_fetch_add(&tokens, 1, __ATOMIC_SEQ_CST);
    wake_one(&queue);
}

// One for each, from threads and from interrupts.
TEST(locks, wake_one_is_enough_for_one)
{
    tokens = 0;
    CHECK(threads_make(tokens_take, false));
    for (unsigned i = 0; i < THREADS * ROUNDS; i++) {
        if (i % 16 == 0) {
            cpu_call(i / 16 % cpus_online(), token_give, NULL);
        } else {
            token_give(NULL);
        }
    }
    CHECK_EQ(threads_join(), 0);
    CHECK_EQ(tokens, 0);
}

static void (*wake)(struct wait_queue *queue);

// Looks, and then makes true what it has looked for: once.
static bool look_and_give(void)
{
    if (token_take()) {
        return true;
    }
    if (wake != NULL) {
        tokens = 1;
        wake(&queue);
        wake = NULL;
    }
    return false;
}

TEST(locks, a_wake_between_the_look_and_the_sleep)
{
    tokens = 0;
    wake = wake_one;
    wait_event(&queue, look_and_give());
    wake = wake_all;
    wait_event(&queue, look_and_give());
    CHECK_EQ(tokens, 0);
}

static int token_and_note(void *number)
{
    wait_event(&queue, token_take());
    order[ordered++] = (char)('a' + (uintptr_t)number);
    return 0;
}

// One that is woken in vain comes before the others the next time.
TEST(locks, the_first_to_wait_is_the_first_to_go)
{
    tokens = 0;
    CHECK(threads_make(token_and_note, true));
    thread_yield();
    wake_one(&queue);
    thread_yield();
    for (unsigned i = 0; i < THREADS; i++) {
        token_give(NULL);
        thread_yield();
    }
    CHECK_EQ(threads_join(), 0);
    CHECK_EQ(strcmp(order, "abcdef"), 0);
}

static int give_later(void *unused)
{
    thread_sleep_ms(2);
    token_give(unused);
    return 0;
}

TEST(locks, a_wait_ends_at_its_time)
{
    uint64_t until = clock_now() + clock_ticks(3000);
    CHECK(!wait_event_until(&queue, false, until));
    CHECK(clock_now() >= until);
    CHECK(queue.first == NULL);
    until = clock_now() + clock_ticks(60000000);
    tokens = 0;
    struct thread *thread = thread_here("giver", give_later, NULL);
    CHECK(thread != NULL);
    CHECK(wait_event_until(&queue, token_take(), until));
    CHECK_EQ(thread_join(thread), 0);
    CHECK(clock_now() < until);
}

// ---------------------------------------------------------------------- Misuse

static void lock_in_handler(void *unused)
{
    (void)unused;
    mutex_lock(&mutex);
}

static void unlock_it(void *unused)
{
    (void)unused;
    mutex_unlock(&mutex);
}

static int unlock_elsewhere(void *unused)
{
    (void)unused;
    return run_protected(unlock_it, NULL, NULL);
}

TEST(locks, misuse_of_a_mutex)
{
    CHECK_MISUSE(mutex_unlock(&mutex));
    CHECK_MISUSE(cpu_call(cpu_id(), lock_in_handler, NULL));
    mutex_lock(&mutex);
    CHECK_MISUSE(mutex_lock(&mutex));
    CHECK(misuse_last()->site[1].ip == mutex.site && mutex.site != 0);
    CHECK(!mutex_trylock(&mutex));
    struct thread *thread = thread_here("other", unlock_elsewhere, NULL);
    CHECK(thread != NULL);
    CHECK_EQ(thread_join(thread), 0);
    mutex_unlock(&mutex);
    CHECK(mutex_trylock(&mutex));
    mutex_unlock(&mutex);
}

// Not a failure of this test; and the mutex comes back.
static unsigned failed;

static void note_failure(const struct thread *thread)
{
    failed += strcmp(misuse_last()->what, "thread ends with a mutex held") == 0;
    mutex_init(&mutex, "test");
    (void)thread;
}

static int keep_it(void *unused)
{
    (void)unused;
    mutex_lock(&mutex);
    return 0;
}

TEST(locks, a_thread_ends_with_a_mutex_held)
{
    failed = 0;
    thread_failures_to(note_failure);
    struct thread *thread = thread_here("keeper", keep_it, NULL);
    int result = thread != NULL ? thread_join(thread) : 0;
    thread_failures_to(test_thread_failed);
    CHECK_EQ(result, -EFAULT);
    CHECK_EQ(failed, 1);
}
