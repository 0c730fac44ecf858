// SPDX-License-Identifier: MIT
//
// The list of spinlocks that this CPU holds, innermost last. An NMI or a debug
// exception may come at any instruction, and its handler may take locks and
// give them back. So a place in the list is taken before it is filled.
#include "kernel/lock_check.h"

#ifdef KEYHOLE_DEBUG

#include "arch/percpu.h"
#include "arch/spinlock.h"
#include "kernel/backtrace.h"
#include "kernel/console.h"
#include "kernel/lock_order.h"
#include "lib/log.h"
#include "lib/panic.h"
#include "mm/misuse.h"

static bool stopped;

unsigned lock_check_count(void)
{
    return percpu.locks_held;
}

void lock_check_stop(void)
{
    stopped = true;
}

static const char *name_of(const struct spinlock *lock)
{
    return lock->name != NULL ? lock->name : "without a name";
}

// NULL: it is not in this CPU's list.
static volatile struct lock_held *find(const struct spinlock *lock)
{
    volatile struct lock_held *all = percpu.self->locks;
    for (unsigned i = percpu.locks_held; i-- > 0;) {
        if (all[i].lock == lock) {
            return &all[i];
        }
    }
    return NULL;
}

static __cold __noreturn void lock_misuse(const char *text,
                                          const struct spinlock *lock,
                                          uintptr_t site,
                                          const volatile struct lock_held *held)
{
    struct misuse misuse = {
        .what = text,
        .address = lock,
        .site = {{"this call", site}},
    };
    if (held != NULL) {
        misuse.site[1].what = "taken";
        misuse.site[1].ip = held->site;
    }
    misuse_report(&misuse);
}

// ------------------------------------------------------- Hooks of spinlocks

void lock_check_before(const struct spinlock *lock)
{
    if (unlikely(stopped)) {
        return;
    }
    uintptr_t site = CALL_SITE();
    if (percpu.nmi_level != 0) {
        lock_misuse("spinlock taken in the handler of an NMI", lock, site,
                    NULL);
    }
    if (spin_is_held_here(lock)) {
        lock_misuse("spinlock taken by the CPU that holds it", lock, site,
                    find(lock));
    }
    const volatile struct lock_held *all = percpu.self->locks;
    for (unsigned i = 0; i < percpu.locks_held; i++) {
        const struct spinlock *first = all[i].lock;
        if (first != NULL) {
            lock_order_check(first->name, first, lock->name, lock, site);
        }
    }
}

void lock_check_taken(const struct spinlock *lock)
{
    if (unlikely(stopped)) {
        return;
    }
    ASSERT(!(cpu_read_flags() & RFLAGS_IF));
    ASSERT(percpu.locks_held < PERCPU_LOCKS);
    volatile struct lock_held *held = &percpu.self->locks[percpu.locks_held];
    percpu_add32(locks_held, 1);
    held->site = CALL_SITE();
    held->since = cpu_read_tsc();
    held->lock = lock;
}

// The others move over it.
static void take_out(volatile struct lock_held *held)
{
    volatile struct lock_held *last =
        &percpu.self->locks[percpu.locks_held - 1];
    for (; held < last; held++) {
        held->site = held[1].site;
        held->since = held[1].since;
        held->lock = held[1].lock;
    }
    last->lock = NULL;
    percpu_add32(locks_held, -1);
}

// Whoever writes to the console, or is stepped through, may take his time.
static void duration_check(const struct spinlock *lock,
                           const volatile struct lock_held *held)
{
    uint64_t ticks = cpu_read_tsc() - held->since;
    if (unlikely(ticks > LOCK_TICKS_MAX) && !console_is_held() &&
        percpu.step == NULL && log_shows(LOG_WARN)) {
        printf("keyhole: spinlock %s was held for %llu million ticks, from ",
               name_of(lock), (unsigned long long)ticks / 1000000);
        print_call_site(held->site);
        printf("\n");
    }
}

void lock_check_release(const struct spinlock *lock)
{
    if (unlikely(stopped)) {
        return;
    }
    volatile struct lock_held *held = find(lock);
    if (held == NULL || !spin_is_held_here(lock)) {
        lock_misuse("release of a spinlock that this CPU does not hold", lock,
                    CALL_SITE(), NULL);
    }
    duration_check(lock, held);
    take_out(held);
}

// ------------------------------------------------------------- Where none is

static const volatile struct lock_held *innermost(void)
{
    return &percpu.self->locks[percpu.locks_held - 1];
}

void lock_check_abandon(unsigned before)
{
    if (percpu.locks_held > before && !stopped) {
        panic("abandoned with the spinlock %s held, for good (report above)",
              name_of(innermost()->lock));
    }
}

void lock_check_handler(unsigned before, uintptr_t interrupted)
{
    if (unlikely(percpu.locks_held > before) && !stopped) {
        lock_misuse("handler ends with a spinlock held", innermost()->lock,
                    interrupted, innermost());
    }
}

void lock_check_wait(uintptr_t site)
{
    if (unlikely(percpu.locks_held != 0)) {
        lock_misuse("thread waits or ends with a spinlock held",
                    innermost()->lock, site, innermost());
    }
    if (unlikely(!(cpu_read_flags() & RFLAGS_IF))) {
        lock_misuse("thread waits or ends with interrupts off", NULL, site,
                    NULL);
    }
}

void lock_check_print(unsigned cpu)
{
    const struct cpu_data *data = cpu_data_of(cpu);
    for (unsigned i = 0; i < MIN(data->locks_held, PERCPU_LOCKS); i++) {
        const struct lock_held *held = &data->locks[i];
        if (held->lock != NULL) {
            printf("    holds the spinlock %s, taken at ", name_of(held->lock));
            print_call_site(held->site);
            printf("\n");
        }
    }
}

#endif
