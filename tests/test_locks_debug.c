// SPDX-License-Identifier: MIT
//
// What debug builds see of locks: each wrong use, once, with both call sites.
#include "arch/cpu.h"
#include "arch/spinlock.h"
#include "kernel/config.h"
#include "kernel/lock_check.h"
#include "kernel/lock_order.h"
#include "kernel/misuse.h"
#include "kernel/mutex.h"
#include "kernel/symbols.h"
#include "tests/threads.h"

#ifdef KEYHOLE_DEBUG

static const char class_a[] = "a", class_b[] = "b", class_c[] = "c";
static struct spinlock a = SPINLOCK(class_a), b = SPINLOCK(class_b),
                       c = SPINLOCK(class_c);

static void orders_forget(void)
{
    lock_order_forget(class_a);
    lock_order_forget(class_b);
    lock_order_forget(class_c);
}

// The last misuse: what, and which function its call sites lie in.
static bool last_is(const char *what, const char *first, const char *second)
{
    const struct misuse *last = misuse_last();
    const char *want[2] = {first, second};
    bool same = strcmp(last->what, what) == 0;
    for (unsigned i = 0; i < 2; i++) {
        uintptr_t ip = last->site[i].ip;
        const char *name = ip != 0 ? symbol_find(ip - 1, NULL) : "";
        same = same && name != NULL && strcmp(name, want[i]) == 0;
    }
    if (!same) {
        printf("# reported \"%s\"\n", last->what);
    }
    return same;
}

// ------------------------------------------------------------------- The order

static __noinline void take_two(struct spinlock *first, struct spinlock *second)
{
    uint64_t flags = spin_lock(first);
    spin_unlock(second, spin_lock(second));
    spin_unlock(first, flags);
}

// The first is given back whatever becomes of the second.
static __noinline bool take_other_way(struct spinlock *first,
                                      struct spinlock *second)
{
    struct catch_frame frame;
    uint64_t flags = spin_lock(first);
    if (catch_enter(&frame) == 0) {
        spin_unlock(second, spin_lock(second));
        catch_leave(&frame);
    }
    spin_unlock(first, flags);
    return frame.misuse;
}

TEST(locks_debug, two_the_other_way_round)
{
    orders_forget();
    take_two(&a, &b);
    take_two(&a, &b);
    CHECK(take_other_way(&b, &a));
    CHECK(last_is("locks taken in an order that can deadlock", "take_other_way",
                  "take_two"));
    CHECK(misuse_last()->address == &a);
    CHECK(!take_other_way(&b, &a)); // once is enough
    CHECK_EQ(lock_check_count(), 0);
    orders_forget();
    take_two(&b, &a);
    CHECK(take_other_way(&a, &b));
    orders_forget();
}

TEST(locks_debug, three_in_a_circle)
{
    orders_forget();
    take_two(&a, &b);
    take_two(&b, &c);
    CHECK(take_other_way(&c, &a));
    CHECK(last_is("locks taken in an order that can deadlock", "take_other_way",
                  "take_two"));
    orders_forget();
}

TEST(locks_debug, a_try_cannot_deadlock)
{
    orders_forget();
    take_two(&a, &b);
    uint64_t flags = spin_lock(&b), inner;
    bool got = spin_trylock(&a, &inner);
    if (got) {
        spin_unlock(&a, inner);
    }
    spin_unlock(&b, flags);
    CHECK(got);
    take_two(&a, &b);
    orders_forget();
}

TEST(locks_debug, one_class_by_addresses)
{
    static struct spinlock two[2] = {SPINLOCK(class_a), SPINLOCK(class_a)};
    take_two(&two[0], &two[1]);
    CHECK(take_other_way(&two[1], &two[0]));
    CHECK(last_is("locks of one class not taken in the order of addresses",
                  "take_other_way", ""));
}

static struct mutex m = MUTEX(class_a), n = MUTEX(class_b);

static __noinline void take_mutexes(struct mutex *first, struct mutex *second)
{
    mutex_lock(first);
    mutex_lock(second);
    mutex_unlock(first);
    mutex_unlock(second);
}

TEST(locks_debug, mutexes_the_other_way_round)
{
    orders_forget();
    take_mutexes(&m, &n);
    mutex_lock(&n);
    CHECK_MISUSE(mutex_lock(&m));
    mutex_unlock(&n);
    CHECK(last_is("locks taken in an order that can deadlock",
                  "test_locks_debug_mutexes_the_other_way_round",
                  "take_mutexes"));
    orders_forget();
}

// ------------------------------------------------------------- By this CPU

static void lock_a(void *unused)
{
    (void)unused;
    spin_lock(&a);
}

static void wait_with_lock(void *unused)
{
    (void)unused;
    thread_yield();
}

// With a lock held, CHECK must not return.
static bool misused_with_lock(struct spinlock *lock, void (*fn)(void *arg))
{
    struct catch_frame frame;
    uint64_t flags = spin_lock(lock);
    if (catch_enter(&frame) == 0) {
        fn(NULL);
        catch_leave(&frame);
    }
    spin_unlock(lock, flags);
    return frame.misuse;
}

TEST(locks_debug, a_lock_taken_twice)
{
    CHECK(misused_with_lock(&a, lock_a));
    CHECK(last_is("spinlock taken by the CPU that holds it", "lock_a",
                  "misused_with_lock"));
}

TEST(locks_debug, a_lock_that_is_not_held)
{
    CHECK_MISUSE(spin_unlock(&a, 0));
    CHECK(last_is("release of a spinlock that this CPU does not hold",
                  "test_locks_debug_a_lock_that_is_not_held", ""));
}

TEST(locks_debug, a_wait_with_a_lock_held)
{
    CHECK(misused_with_lock(&a, wait_with_lock));
    CHECK(last_is("thread waits or ends with a spinlock held", "wait_with_lock",
                  "misused_with_lock"));
}

static __noinline void yield_with_interrupts_off(void)
{
    cpu_cli();
    thread_yield();
}

TEST(locks_debug, a_wait_with_interrupts_off)
{
    CHECK_MISUSE(yield_with_interrupts_off());
    CHECK(last_is("thread waits or ends with interrupts off",
                  "yield_with_interrupts_off", ""));
    CHECK(cpu_read_flags() & RFLAGS_IF);
}

static void try_a(void *unused)
{
    (void)unused;
    uint64_t flags;
    if (spin_trylock(&a, &flags)) {
        spin_unlock(&a, flags);
    }
}

TEST(locks_debug, in_an_nmi_only_tried)
{
    cpu_nmi(cpu_id(), try_a, NULL);
    CHECK_MISUSE(cpu_nmi(cpu_id(), lock_a, NULL));
    CHECK(last_is("spinlock taken in the handler of an NMI", "lock_a", ""));
    CHECK_EQ(lock_check_count(), 0);
}

// ------------------------------------------------------------ In the middle

static void try_and_step(void *unused)
{
    (void)unused;
    try_a(NULL);
}

static void at_each_try(void *unused)
{
    (void)unused;
    cpu_nmi(cpu_id(), try_a, NULL);
}

static void nested(void *unused)
{
    (void)unused;
    uint64_t flags = spin_lock(&b);
    spin_unlock(&c, spin_lock(&c));
    spin_unlock(&b, flags);
}

// An NMI at each instruction takes and gives back a lock of its own, those of
// the hooks included.
TEST(locks_debug, nmis_between_all_instructions_of_the_hooks)
{
    orders_forget();
    step_through(nested, NULL, at_each_try, NULL);
    step_through(try_and_step, NULL, at_each_try, NULL);
    CHECK_EQ(lock_check_count(), 0);
    CHECK(take_other_way(&c, &b)); // the order was seen all the same
    orders_forget();
}

// --------------------------------------------------------- Lost with its
// holder

static void keep_a(void *unused)
{
    (void)unused;
    spin_lock(&a);
}

// A panic, so it is run only when asked for by its name (tests/matrix).
TEST(locks_debug, kept_too_long_and_for_ever)
{
    if (config.test_globs == NULL ||
        strcmp(config.test_globs, "locks_debug.kept_too_long_and_for_ever") !=
            0) {
        SKIP("ends in a panic; ask for it by its name");
    }
    uint64_t flags = spin_lock(&b), start = cpu_read_tsc();
    while (cpu_read_tsc() - start <= LOCK_TICKS_MAX) {
        cpu_pause();
    }
    spin_unlock(&b, flags);
    cpu_call(cpu_id(), keep_a, NULL);
}

#endif
