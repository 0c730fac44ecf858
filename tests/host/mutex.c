// SPDX-License-Identifier: MIT
//
// The kernel's mutex by pthreads.

#include "kernel/mutex.h"

#include <stdio.h>
#include <stdlib.h>

static void demand(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "mutex: %s\n", what);
        abort();
    }
}

static void taken(struct mutex *mutex)
{
    mutex->owner = pthread_self();
    __atomic_store_n(&mutex->held, true, __ATOMIC_RELEASE);
}

void mutex_init(struct mutex *mutex, const char *name)
{
    (void)name;
    mutex->held = false;
    demand(pthread_mutex_init(&mutex->lock, NULL) == 0, "init");
}

void mutex_lock(struct mutex *mutex)
{
    demand(!mutex_is_held(mutex), "taken twice");
    demand(pthread_mutex_lock(&mutex->lock) == 0, "lock");
    taken(mutex);
}

bool mutex_trylock(struct mutex *mutex)
{
    if (pthread_mutex_trylock(&mutex->lock) != 0) {
        return false;
    }
    taken(mutex);
    return true;
}

void mutex_unlock(struct mutex *mutex)
{
    demand(mutex_is_held(mutex), "given back by who does not hold it");
    __atomic_store_n(&mutex->held, false, __ATOMIC_RELEASE);
    demand(pthread_mutex_unlock(&mutex->lock) == 0, "unlock");
}

bool mutex_is_held(const struct mutex *mutex)
{
    return __atomic_load_n(&mutex->held, __ATOMIC_ACQUIRE) &&
           pthread_equal(mutex->owner, pthread_self());
}
