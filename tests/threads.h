// SPDX-License-Identifier: MIT
//
// Threads for tests.
#pragma once

#include "kernel/thread.h"

// A thread on the CPU of the test, with which it takes turns.
static inline struct thread *thread_here(const char *name, int (*fn)(void *arg),
                                         void *arg)
{
    return thread_create_on(cpu_id(), name, fn, arg);
}

// What fn gives in a thread made for it; -1: there is none.
static inline int in_another_thread(int (*fn)(void *unused))
{
    struct thread *thread = thread_create("other", fn, NULL);
    return thread != NULL ? thread_join(thread) : -1;
}
