// SPDX-License-Identifier: MIT
//
// The owner is set by whoever gives the mutex back, so nobody who comes later
// can be faster than who was woken.
#include "kernel/mutex.h"

#include "kernel/lock_order.h"
#include "kernel/thread.h"
#include "mm/misuse.h"

void mutex_init(struct mutex *mutex, const char *name)
{
    *mutex = (struct mutex)MUTEX(name);
}

bool mutex_is_held(const struct mutex *mutex)
{
    return __atomic_load_n(&mutex->owner, __ATOMIC_RELAXED) == thread_current();
}

static __cold __noreturn void misuse_lock(const struct mutex *mutex,
                                          uintptr_t site)
{
    misuse_report(&(struct misuse){
        .what = "mutex taken by the thread that holds it",
        .address = mutex,
        .site = {{"this call", site}, {"taken", mutex->site}},
    });
}

static void order_check(const struct mutex *mutex, uintptr_t site)
{
    const struct mutex *held = thread_current()->mutexes;
    for (; held != NULL; held = held->next) {
        lock_order_check(held->waiters.name, held, mutex->waiters.name, mutex,
                         site);
    }
}

// The calling thread has got it.
static void note_taken(struct mutex *mutex, uintptr_t site)
{
    struct thread *current = thread_current();
    mutex->site = site;
    mutex->next = current->mutexes;
    current->mutexes = mutex;
}

void mutex_lock(struct mutex *mutex)
{
    thread_wait_check("mutex_lock in a handler", CALL_SITE());
    if (mutex_is_held(mutex)) {
        misuse_lock(mutex, CALL_SITE());
    }
    order_check(mutex, CALL_SITE());
    uint64_t flags = spin_lock(&mutex->waiters.lock);
    if (mutex->owner == NULL) {
        mutex->owner = thread_current();
    } else {
        wait_locked(&mutex->waiters, WAITS_MUTEX, mutex);
    }
    spin_unlock(&mutex->waiters.lock, flags);
    note_taken(mutex, CALL_SITE());
}

bool mutex_trylock(struct mutex *mutex)
{
    thread_context_check("mutex_trylock in a handler", CALL_SITE());
    uint64_t flags = spin_lock(&mutex->waiters.lock);
    bool taken = mutex->owner == NULL;
    if (taken) {
        mutex->owner = thread_current();
    }
    spin_unlock(&mutex->waiters.lock, flags);
    if (taken) {
        note_taken(mutex, CALL_SITE());
    }
    return taken;
}

// In any order.
static void note_released(struct mutex *mutex)
{
    struct mutex **link = &thread_current()->mutexes;
    while (*link != mutex) {
        link = &(*link)->next;
    }
    *link = mutex->next;
}

void mutex_unlock(struct mutex *mutex)
{
    thread_context_check("mutex_unlock in a handler", CALL_SITE());
    if (!mutex_is_held(mutex)) {
        misuse_report(&(struct misuse){
            .what = "release of a mutex that the thread does not hold",
            .address = mutex,
            .site = {{"this call", CALL_SITE()}},
        });
    }
    note_released(mutex);
    uint64_t flags = spin_lock(&mutex->waiters.lock);
    mutex->owner = wait_take_locked(&mutex->waiters);
    spin_unlock(&mutex->waiters.lock, flags);
}
