// SPDX-License-Identifier: MIT
//
// One queue of threads that are ready, first come, first served. What a switch
// does to brackets and rights is in mm/context.c.
#include "kernel/sched.h"

#include "arch/cpu.h"
#include "arch/spinlock.h"
#include "arch/switch.h"
#include "kernel/timer.h"
#include "lib/panic.h"
#include "mm/misuse.h"

static struct {
    struct spinlock lock;
    struct thread *first, *last; // ready, the running one not among them
    struct thread *sleepers;     // the earliest first
    uint64_t slice;              // ticks of the TSC; 0: no clock, no preemption
    uint64_t running_since;      // ticks of the TSC
    bool slice_timed;            // TIMER_SLICE is set
    bool halting;                // the running thread waits, and no other runs
} queue;

// ------------------------------------------------------------------- The queue

// Somebody waits for the running thread's slice to end.
static void slice_time(void)
{
    if (queue.slice_timed) {
        return;
    }
    if (queue.slice == 0) {
        queue.slice = clock_ticks(SCHED_SLICE_US);
    }
    if (queue.slice != 0) {
        queue.slice_timed = true;
        timer_set(TIMER_SLICE, clock_now() + queue.slice);
    }
}

static inline void queue_add_locked(struct thread *thread)
{
    thread->next = NULL;
    if (queue.first == NULL) {
        queue.first = thread;
    } else {
        queue.last->next = thread;
    }
    queue.last = thread;
    if (unlikely(!queue.slice_timed)) {
        slice_time();
    }
}

// The next thread to run. With none ready the CPU halts, here and now: whoever
// waits keeps its stack and its rights, and only handlers run, with every key
// closed. It may itself be the first that becomes ready.
static inline struct thread *queue_take_locked(void)
{
    while (unlikely(queue.first == NULL)) {
        queue.halting = true;
        spin_unlock(&queue.lock, 0);
        cpu_sti_hlt_cli();
        spin_lock(&queue.lock);
        queue.halting = false;
    }
    struct thread *thread = queue.first;
    queue.first = thread->next;
    return thread;
}

// The timer is not set again at every switch: it looks whether the slice was
// this thread's alone.
static void slice_end(void)
{
    uint64_t end = queue.running_since + queue.slice;
    queue.slice_timed = false;
    if (queue.first == NULL) {
        return;
    }
    if (clock_now() >= end) {
        percpu.slice_over = true;
        slice_time();
    } else {
        queue.slice_timed = true;
        timer_set(TIMER_SLICE, end);
    }
}

// ---------------------------------------------------------------- The switch

// What the CPU knows about the thread that ran here, and about the one that
// will.
static inline void context_change(struct thread *from, struct thread *to)
{
    from->in_trap = percpu.trap_level != 0;
    from->catches = percpu.catches;
    from->step = percpu.step;
    mm_context_switch(from->context, to->context, to->in_trap);
    percpu.catches = to->catches;
    percpu.step = to->step;
    percpu.thread = to;
}

// Interrupts off, and the lock held: whoever goes on gives it back.
static inline void switch_locked(struct thread *to)
{
    struct thread *from = percpu.thread;
    percpu.slice_over = false;
    queue.running_since = clock_now();
    context_change(from, to);
    context_switch(&from->sp, to->sp);
}

// The running thread is not ready: run another until it is.
static void wait_locked(void)
{
    struct thread *next = queue_take_locked();
    if (next != percpu.thread) {
        switch_locked(next);
    }
}

void sched_preempt(void)
{
    uint64_t lock = spin_lock(&queue.lock);
    struct thread *current = percpu.thread;
    // One that has said that it will wait goes on until it does; one that waits
    // looks at the queue itself.
    if (queue.first != NULL && current->state == THREAD_READY &&
        !queue.halting) {
        queue_add_locked(current);
        switch_locked(queue_take_locked());
    }
    spin_unlock(&queue.lock, lock);
}

void thread_yield(void)
{
    thread_context_check("thread_yield in a handler", CALL_SITE());
    uint64_t lock = spin_lock(&queue.lock);
    if (queue.first != NULL) {
        queue_add_locked(percpu.thread);
        switch_locked(queue_take_locked());
    }
    spin_unlock(&queue.lock, lock);
}

// ------------------------------------------------------------ Waiting, waking

void sched_prepare(void)
{
    __atomic_store_n(&percpu.thread->state, THREAD_BLOCKED, __ATOMIC_SEQ_CST);
}

void sched_forget(void)
{
    percpu.thread->state = THREAD_READY;
}

void sched_wait(void)
{
    uint64_t lock = spin_lock(&queue.lock);
    if (percpu.thread->state != THREAD_READY) {
        wait_locked();
    }
    spin_unlock(&queue.lock, lock);
}

// The list of sleepers is in the order of their times.
static void sleepers_add_locked(struct thread *thread)
{
    struct thread **link = &queue.sleepers;
    while (*link != NULL && (*link)->wake_at <= thread->wake_at) {
        link = &(*link)->next;
    }
    thread->next = *link;
    *link = thread;
    timer_set(TIMER_SLEEP, queue.sleepers->wake_at);
}

static void sleepers_remove_locked(struct thread *thread)
{
    struct thread **link = &queue.sleepers;
    while (*link != thread) {
        link = &(*link)->next;
    }
    *link = thread->next;
}

void sched_wait_until(uint64_t wake_at)
{
    uint64_t lock = spin_lock(&queue.lock);
    struct thread *current = percpu.thread;
    if (current->state != THREAD_READY) {
        current->state = THREAD_SLEEPING;
        current->wake_at = wake_at;
        sleepers_add_locked(current);
        wait_locked();
    }
    spin_unlock(&queue.lock, lock);
}

static void ready_locked(struct thread *thread)
{
    thread->state = THREAD_READY;
    if (thread != percpu.thread || queue.halting) { // it has begun to wait
        queue_add_locked(thread);
    }
}

void sched_wake(struct thread *thread)
{
    uint64_t lock = spin_lock(&queue.lock);
    if (thread->state == THREAD_SLEEPING) {
        sleepers_remove_locked(thread);
    }
    if (thread->state != THREAD_READY && thread->state != THREAD_ENDED) {
        ready_locked(thread);
    }
    spin_unlock(&queue.lock, lock);
}

// TIMER_SLEEP.
static void sleepers_wake(void)
{
    uint64_t lock = spin_lock(&queue.lock);
    uint64_t now = clock_now();
    while (queue.sleepers != NULL && queue.sleepers->wake_at <= now) {
        struct thread *thread = queue.sleepers;
        queue.sleepers = thread->next;
        ready_locked(thread);
    }
    if (queue.sleepers != NULL) {
        timer_set(TIMER_SLEEP, queue.sleepers->wake_at);
    }
    spin_unlock(&queue.lock, lock);
}

// ------------------------------------------------------- Beginnings and ends

// The new thread gives back the lock that the switch to it took.
void sched_begin(void)
{
    spin_unlock(&queue.lock, RFLAGS_IF);
}

void sched_start(struct thread *thread)
{
    uint64_t lock = spin_lock(&queue.lock);
    thread->state = THREAD_READY;
    queue_add_locked(thread);
    spin_unlock(&queue.lock, lock);
}

void sched_end(struct thread *joiner)
{
    spin_lock(&queue.lock);
    percpu.thread->state = THREAD_ENDED;
    if (joiner != NULL && joiner->state == THREAD_BLOCKED) {
        ready_locked(joiner);
    }
    wait_locked();
    panic("an ended thread runs");
}

bool sched_lock_held(void)
{
    return spin_is_mine(&queue.lock);
}

__init void sched_init(void)
{
    timer_handler_set(TIMER_SLICE, slice_end);
    timer_handler_set(TIMER_SLEEP, sleepers_wake);
}
