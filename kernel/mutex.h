// SPDX-License-Identifier: MIT
//
// A lock that a thread may hold for long, and wait with. Who waits for it gets
// it in the order of coming: the holder hands it over. Nothing is allocated;
// local brackets may be open. Thread context, interrupts on, no spinlock held.
// What is wrong is a misuse; debug builds also see the order in which mutexes
// are taken (kernel/lock_order.h).
#pragma once

#include "kernel/wait_queue.h"

struct mutex {
    struct wait_queue waiters; // its lock guards the owner
    struct thread *owner;
    // The owner's own.
    struct mutex *next; // of those that it holds
    uintptr_t site;     // of the call that took it
};

#define MUTEX(mutex_name)                                                      \
    {                                                                          \
        .waiters = WAIT_QUEUE(mutex_name)                                      \
    }

void mutex_init(struct mutex *mutex, const char *name);

void mutex_lock(struct mutex *mutex);
// If nobody holds it. False: somebody does. Never waits, so interrupts may be
// off.
bool mutex_trylock(struct mutex *mutex);
void mutex_unlock(struct mutex *mutex);

// By the calling thread.
bool mutex_is_held(const struct mutex *mutex);
