// SPDX-License-Identifier: MIT
//
// What each thread is at, for people.
#pragma once

#include "kernel/thread.h"

// As far as one can tell while it runs.
struct thread_look {
    char name[THREAD_NAME_SIZE];
    enum thread_state state;
    unsigned cpu;
    bool running;
    uint64_t ran;               // ticks of the TSC since the last look
    unsigned brackets;          // that are open
    size_t stack, stack_size;   // bytes in use, 0: not known; and all
    const struct thread *which; // to compare: it may be gone
};

// Look at all threads, idle ones excepted, and keep those that ran the longest,
// these first: `room` of them at most. How many there are. Thread context, one
// caller at a time; sched_times_look() comes before.
size_t thread_look_all(struct thread_look *looks, size_t room);
