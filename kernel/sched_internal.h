// SPDX-License-Identifier: MIT
//
// The parts of the scheduler among themselves.
//
//   sched.c       queues, the switch, waiting and waking
//   sched_times.c how long each thread ran
//   sched_idle.c  the idle thread of each CPU: stealing, halting, and what can
//                 be done only when nobody is on a thread's stack any more
#pragma once

#include "arch/percpu.h"
#include "arch/spinlock.h"
#include "kernel/sched.h"

// Threads that are ready on one CPU, first come, first served. The lock is held
// across a switch: whoever goes on gives it back.
struct sched_queue {
    struct spinlock lock;
    bool slice_timed;            // TIMER_SLICE is set
    bool times_kept;             // whose time it is, is noted (sched_times.c)
    bool quiet;                  // the first of these, and not the second
    unsigned cpu;                // whose it is
    struct thread *first, *last; // ready, the running one not among them
    struct thread *sleepers;     // the earliest first
    struct thread *idle;         // runs when no other does
    struct thread *leaving;      // has just been switched out, see sched_idle.c
    uint64_t slice;              // ticks of the TSC; 0: no clock, no preemption
    uint32_t switches;           // how many there were
    uint32_t slice_switches;     // and when TIMER_SLICE was set
    uint64_t noted; // until when the running thread's time is, while times_kept
};

// The CPUs that halt, by number.
extern uint64_t sched_idle_cpus;

static inline struct sched_queue *queue_of(unsigned cpu)
{
    return cpu_data_of(cpu)->queue;
}

// The thread that a queue's CPU runs. Lock held.
static inline struct thread *queue_current_locked(const struct sched_queue *q)
{
    return *(struct thread *volatile *)&cpu_data_of(q->cpu)->thread;
}

// The lock of this CPU's queue. Interrupts off.
static inline struct sched_queue *queue_lock_own(void)
{
    struct sched_queue *q = percpu.queue;
    spin_lock_off(&q->lock);
    return q;
}

static inline void queue_append_locked(struct sched_queue *q,
                                       struct thread *thread)
{
    thread->next = NULL;
    if (q->first == NULL) {
        q->first = thread;
    } else {
        q->last->next = thread;
    }
    q->last = thread;
}

static inline struct thread *queue_take_locked(struct sched_queue *q)
{
    struct thread *thread = q->first;
    q->first = thread->next;
    return thread;
}

// Both, and `quiet`, are set by these. Lock held.
static inline void queue_slice_timed_set(struct sched_queue *q, bool timed)
{
    q->slice_timed = timed;
    q->quiet = timed && !q->times_kept;
}

static inline void queue_times_kept_set(struct sched_queue *q, bool kept)
{
    q->times_kept = kept;
    q->quiet = q->slice_timed && !kept;
}

// The running thread of a queue's CPU gets what has passed since this was last
// called. Any CPU; lock held, times_kept set.
void queue_time_note_locked(struct sched_queue *q);

// Run `to` on this CPU, whose queue it is, until somebody runs the current
// thread again, perhaps on another CPU: percpu.queue's lock is held then.
void switch_locked(struct sched_queue *q, struct thread *to);

// Put a thread that runs nowhere on its CPU's queue, or on that of a CPU that
// idles. Interrupts off; q is the queue of thread->cpu, and is unlocked.
void queue_ready(struct sched_queue *q, struct thread *thread);

// Send a CPU that halts to look for work.
void idle_wake(void);
