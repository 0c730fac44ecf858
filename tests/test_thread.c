// SPDX-License-Identifier: MIT
//
// Threads: what they give back, how they take turns, and wrong calls.
#include "kernel/thread.h"

#include "arch/cpu.h"
#include "kernel/misuse.h"
#include "kernel/sched.h"
#include "kernel/timer.h"
#include "mm/audit.h"
#include "tests/threads.h"

#define MANY 40

static int give_back(void *arg)
{
    return (int)(intptr_t)arg;
}

TEST(thread, gives_its_result)
{
    struct thread *thread = thread_here("one", give_back, (void *)42);
    CHECK(thread != NULL);
    CHECK_EQ(thread_join(thread), 42);
    thread = thread_here("two", give_back, (void *)-7);
    CHECK(thread != NULL);
    thread_yield(); // it has ended before it is joined
    CHECK_EQ(thread_join(thread), -7);
}

TEST(thread, many)
{
    static struct thread *threads[MANY];
    size_t before = threads_count();
    for (intptr_t i = 0; i < MANY; i++) {
        threads[i] = thread_here("many", give_back, (void *)i);
        CHECK(threads[i] != NULL);
    }
    CHECK_EQ(threads_count(), before + MANY);
    for (unsigned i = 0; i < MANY; i++) {
        unsigned k = i * 77 % MANY; // another order
        CHECK_EQ(thread_join(threads[k]), k);
    }
    CHECK_EQ(threads_count(), before);
    static struct audit_report report;
    CHECK(audit_run(&report));
}

// ---------------------------------------------------------------------- Turns

static char turns[64];
static unsigned turns_taken;

static int take_turns(void *name)
{
    for (unsigned i = 0; i < 5; i++) {
        turns[turns_taken++] = (char)(intptr_t)name;
        thread_yield();
    }
    return 0;
}

TEST(thread, yield_lets_each_have_its_turn)
{
    turns_taken = 0;
    memset(turns, 0, sizeof(turns));
    struct thread *a = thread_here("a", take_turns, (void *)'a');
    struct thread *b = thread_here("b", take_turns, (void *)'b');
    struct thread *c = thread_here("c", take_turns, (void *)'c');
    CHECK(a != NULL && b != NULL && c != NULL);
    CHECK_EQ(thread_join(a) | thread_join(b) | thread_join(c), 0);
    CHECK_EQ(strcmp(turns, "abcabcabcabcabc"), 0);
}

TEST(thread, sleep_takes_its_time)
{
    uint64_t start = clock_now();
    thread_sleep_ms(3);
    uint64_t slept = clock_now() - start;
    CHECK(slept >= clock_ticks(3000));
    CHECK(slept < clock_ticks(1000000)); // an emulator may be slow
}

static int sleep_long(void *unused)
{
    (void)unused;
    thread_sleep_ms(30000);
    return 0;
}

// How late an emulator is says nothing: this is what the thread waits for.
TEST(thread, sleeps_until_then)
{
    uint64_t start = clock_now(), length = clock_ticks(30000000);
    struct thread *thread = thread_here("sleeper", sleep_long, NULL);
    CHECK(thread != NULL);
    while (thread->state != THREAD_SLEEPING) {
        thread_yield();
    }
    uint64_t until = thread->wake_at;
    uint64_t latest = clock_now() + length;
    sched_wake(thread);
    CHECK_EQ(thread_join(thread), 0);
    CHECK(until >= start + length);
    CHECK(until <= latest);
}

static uint64_t dawn; // before any of the times at which they wake
static bool in_bed;   // all of them slept before it

static int sleep_and_note(void *ms)
{
    uint64_t until = dawn + clock_ticks(1000 * (uintptr_t)ms);
    sched_prepare();
    in_bed = in_bed && clock_now() < dawn;
    sched_wait_until(until);
    turns[turns_taken++] = (char)('0' + (uintptr_t)ms);
    return clock_now() >= until ? 0 : -1;
}

static bool five_sleep(void)
{
    static const uintptr_t ms[] = {9, 1, 5, 3, 7};
    struct thread *threads[5];
    bool late_enough = true;
    turns_taken = 0;
    memset(turns, 0, sizeof(turns));
    in_bed = true;
    dawn = clock_now() + clock_ticks(10000);
    for (unsigned i = 0; i < 5; i++) {
        threads[i] = thread_here("sleeper", sleep_and_note, (void *)ms[i]);
    }
    for (unsigned i = 0; i < 5; i++) {
        late_enough =
            threads[i] != NULL && thread_join(threads[i]) == 0 && late_enough;
    }
    return late_enough;
}

// An emulator may be stopped for longer than all of it takes: then once more.
TEST(thread, sleepers_wake_in_the_order_of_their_times)
{
    unsigned tries = 0;
    do {
        CHECK(five_sleep());
    } while (!in_bed && ++tries < 20);
    CHECK(in_bed);
    CHECK_EQ(strcmp(turns, "13579"), 0);
}

// The CPU halts in the context of one of them; the other is ready as well when
// it goes on.
TEST(thread, sleepers_of_one_time_all_wake)
{
    struct thread *threads[3];
    turns_taken = 0;
    dawn = clock_now() + clock_ticks(10000);
    for (unsigned i = 0; i < 3; i++) {
        threads[i] = thread_here("sleeper", sleep_and_note, (void *)1);
    }
    for (unsigned i = 0; i < 3; i++) {
        CHECK(threads[i] != NULL);
        CHECK_EQ(thread_join(threads[i]), 0);
    }
    CHECK_EQ(turns_taken, 3);
}

// Two that never yield, and a third that has to get a turn all the same.
static volatile bool spinning_ends;

static int spin(void *rounds)
{
    while (!spinning_ends) {
        ++*(volatile uint64_t *)rounds;
    }
    return 0;
}

TEST(thread, preempted_when_its_slice_is_over)
{
    uint64_t rounds[2] = {0};
    spinning_ends = false;
    struct thread *a = thread_here("spin", spin, &rounds[0]);
    struct thread *b = thread_here("spin", spin, &rounds[1]);
    CHECK(a != NULL && b != NULL);
    while (rounds[0] == 0 || rounds[1] == 0) {
        cpu_pause();
    }
    spinning_ends = true;
    CHECK_EQ(thread_join(a) | thread_join(b), 0);
}

// ---------------------------------------------------------------------- Misuse

static void join(void *thread)
{
    thread_join(thread);
}

static int join_oneself(void *unused)
{
    (void)unused;
    return run_protected(join, thread_current(), NULL);
}

static void yield_in_handler(void *unused)
{
    (void)unused;
    thread_yield();
}

TEST(thread, misuse)
{
    struct thread *thread = thread_here("self", join_oneself, NULL);
    CHECK(thread != NULL);
    CHECK_EQ(thread_join(thread), 0);
    CHECK_MISUSE(thread_join(thread));
    CHECK_MISUSE(cpu_call(cpu_id(), yield_in_handler, NULL));
    CHECK_EQ(thread_pin(cpus_online()), -EINVAL);
    CHECK_EQ(thread_pin(0), 0);
}

static int yield_for_ever(void *unused)
{
    (void)unused;
    while (!spinning_ends) {
        thread_yield();
    }
    return 0;
}

static void bench_yield(void)
{
    BENCH_LOOP (n) {
        thread_yield();
    }
}

// Two switches: there and back.
BENCH(thread, yield_round_trip)
{
    spinning_ends = false;
    struct thread *other = thread_here("other", yield_for_ever, NULL);
    if (other != NULL) {
        bench_yield();
        spinning_ends = true;
        thread_join(other);
    }
}

BENCH(thread, create_and_join)
{
    BENCH_LOOP (n) {
        thread_join(thread_here("short", give_back, NULL));
    }
}
