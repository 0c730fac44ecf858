// SPDX-License-Identifier: MIT
//
// Who runs next. Threads take turns; one that has run for a slice while others
// wait is preempted by the timer. With nobody ready the CPU halts in the
// context of the thread that waits.
#pragma once

#include "kernel/thread.h"

#define SCHED_SLICE_US 10000

// Boot, with the boot thread running.
void sched_init(void);

// Let a new thread run; and the first that it must call.
void sched_start(struct thread *thread);
void sched_begin(void);

// To wait for something: say so, look whether it has happened, and wait until
// sched_wake(), which may have come since the first. Thread context.
void sched_prepare(void);
void sched_wait(void);
// The same, but no longer than until a time (ticks of the TSC).
void sched_wait_until(uint64_t wake_at);
// It has happened: no waiting.
void sched_forget(void);

// Let a thread that waits, or is about to, go on. Any context but NMI.
void sched_wake(struct thread *thread);

// The running thread has ended: switch away for good, and wake `joiner` (NULL:
// nobody), who may then free it.
__noreturn void sched_end(struct thread *joiner);

// At the end of an interrupt's handler that interrupted a thread, with
// percpu.slice_over set: let another run.
void sched_preempt(void);

// Whether code is between the two halves of a switch, and cannot be abandoned.
bool sched_lock_held(void);
