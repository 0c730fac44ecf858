// SPDX-License-Identifier: MIT
//
// The kernel's mutex as the host's tests have it: the same calls, by pthreads.
// Misuse ends the program.
#pragma once

#include <pthread.h>
#include <stdbool.h>

struct mutex {
    pthread_mutex_t lock;
    pthread_t owner;
    bool held; // atomic
};

#define MUTEX(mutex_name)                                                      \
    {                                                                          \
        .lock = PTHREAD_MUTEX_INITIALIZER                                      \
    }

void mutex_init(struct mutex *mutex, const char *name);
void mutex_lock(struct mutex *mutex);
bool mutex_trylock(struct mutex *mutex);
void mutex_unlock(struct mutex *mutex);
bool mutex_is_held(const struct mutex *mutex);
