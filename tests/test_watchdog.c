// SPDX-License-Identifier: MIT
//
// Machines in which nothing goes on. Each test but the first never ends, and so
// is run only when asked for by its name; tests/matrix has what must be said
// then.
#include "arch/cpu.h"
#include "arch/spinlock.h"
#include "kernel/config.h"
#include "kernel/mutex.h"
#include "kernel/sched.h"
#include "tests/framework.h"
#include "tests/threads.h"

// One that waits for another's time, or for an interrupt, is not standing
// still.
TEST(watchdog, sees_no_deadlock_where_there_is_none)
{
    uint32_t switches;
    if (config.brief) {
        SKIP("waits for 1.5 s, which effort=brief has no time for");
    }
    thread_sleep_ms(1500); // longer than its patience
    CHECK(!sched_stands_still(&switches));
}

static struct mutex one = MUTEX("one"), two = MUTEX("two");
static volatile unsigned have_one;

static __noinline int cross(struct mutex *mine, struct mutex *other)
{
    mutex_lock(mine);
    __atomic_fetch_add(&have_one, 1, __ATOMIC_SEQ_CST);
    while (have_one != 2) {
        thread_yield();
    }
    mutex_lock(other);
    mutex_unlock(other);
    mutex_unlock(mine);
    return 0;
}

static int first(void *unused)
{
    (void)unused;
    return cross(&one, &two);
}

static int second(void *unused)
{
    (void)unused;
    return cross(&two, &one);
}

TEST(watchdog, deadlock)
{
    ONLY_WHEN_ASKED_FOR("watchdog.deadlock");
    struct thread *a = thread_create("first", first, NULL);
    struct thread *b = thread_create("second", second, NULL);
    CHECK(a != NULL && b != NULL);
    CHECK_EQ(thread_join(a) | thread_join(b), 0);
}

static struct wait_queue nobody = WAIT_QUEUE("nobody");
static volatile bool never;

static int sleep_on(void *unused)
{
    (void)unused;
    wait_event(&nobody, never);
    return 0;
}

TEST(watchdog, lost_wake_up)
{
    ONLY_WHEN_ASKED_FOR("watchdog.lost_wake_up");
    struct thread *thread = thread_create("sleeper", sleep_on, NULL);
    CHECK(thread != NULL);
    CHECK_EQ(thread_join(thread), 0);
}

static struct spinlock held = SPINLOCK("held by a test");

static int spin_locked(void *unused)
{
    (void)unused;
    spin_lock(&held);
    while (!never) {
        cpu_pause();
    }
    return 0;
}

TEST(watchdog, spins_with_interrupts_off)
{
    ONLY_WHEN_ASKED_FOR("watchdog.spins_with_interrupts_off");
    struct thread *thread = thread_create_on(1, "spinner", spin_locked, NULL);
    CHECK(thread != NULL);
    CHECK_EQ(thread_join(thread), 0);
}

static __noinline void hang_on(void)
{
    while (!never) {
        cpu_pause();
    }
}

TEST(watchdog, hangs)
{
    ONLY_WHEN_ASKED_FOR("watchdog.hangs");
    hang_on();
}
