// SPDX-License-Identifier: MIT
//
// Who runs where, and who runs next. Each CPU has a queue of threads that are
// ready; they take turns. One that has run for a slice while others wait is
// preempted by the timer. A thread that becomes ready goes to the CPU that it
// ran on, or to one that idles if that is busy; a CPU without work takes a
// thread from another's queue, and else halts in its idle thread.
#pragma once

#include "kernel/thread.h"

#define SCHED_SLICE_US 10000

// Memory for another CPU's queue; NULL: none left. Boot.
struct sched_queue *sched_queue_create(void);

// Begin with a queue on this CPU (NULL: the boot CPU), whose idle thread is
// given. The boot CPU runs the boot thread. Boot.
void sched_init(struct sched_queue *queue, struct thread *idle);

// What an idle thread does. Interrupts off.
__noreturn void sched_idle(void);

// Let a new thread run; and the first that it must call.
void sched_start(struct thread *thread);
void sched_begin(void);

// Go on with the calling thread on another CPU. Thread context.
void sched_move(unsigned cpu);

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

// The running thread has ended: switch away for good, and call thread_gone()
// when nobody is on its stack any more. Interrupts off.
__noreturn void sched_end(void);

// If nobody else is ready on this CPU, have no timer interrupt for the end of a
// slice either. Thread context.
void sched_slice_forget(void);

// At the end of an interrupt's handler that interrupted a thread, with
// percpu.slice_over set: let another run.
void sched_preempt(void);

// Another CPU has put something on this one's queue. Interrupt context.
void sched_kicked(void);

// Whether every CPU halts, nobody is ready, and nobody sleeps until a time; and
// how many switches there were. A guess while others run. Any context but NMI.
bool sched_stands_still(uint32_t *switches);

// Whether this CPU is between the two halves of a switch, and what it runs
// cannot be abandoned.
bool sched_lock_held(void);

// ---- How long each thread runs: sched_times.c.

// Note it from now on, on all CPUs, or no more. Switches by yielding take
// longer while it is noted, and only then. Whether it was. Thread context, one
// caller at a time.
bool sched_times_keep(bool keep);

// What a CPU has done since times are kept, and what it does now.
struct sched_cpu_times {
    uint64_t now, idle; // ticks of the TSC
    uint32_t switches;
    const char *name; // of its thread
};

// Bring the time of the thread that a CPU runs up to date, and say what the CPU
// is at. While times are kept. Thread context.
void sched_times_look(unsigned cpu, struct sched_cpu_times *times);
