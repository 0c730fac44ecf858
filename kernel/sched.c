// SPDX-License-Identifier: MIT
//
// Queues, the switch, waiting and waking. What a switch does to brackets and
// rights is in mm/context.c.
#include "kernel/sched.h"

#include "arch/apic.h"
#include "arch/cpu.h"
#include "arch/switch.h"
#include "kernel/interrupt.h"
#include "kernel/sched_internal.h"
#include "kernel/timer.h"
#include "lib/panic.h"
#include "mm/misuse.h"

static struct sched_queue boot_queue;

// ------------------------------------------------------------------- The queue

// Somebody waits for the running thread's slice to end. Own queue.
static void slice_time(struct sched_queue *q)
{
    if (q->slice_timed) {
        return;
    }
    if (q->slice == 0) {
        q->slice = clock_ticks(SCHED_SLICE_US);
    }
    if (q->slice != 0) {
        queue_slice_timed_set(q, true);
        q->slice_switches = q->switches;
        timer_set(TIMER_SLICE, clock_now() + q->slice);
    }
}

// A thread stops to run, or another has come: what is seldom done then.
static __noinline void queue_unquiet_locked(struct sched_queue *q)
{
    slice_time(q);
    if (q->times_kept) {
        queue_time_note_locked(q);
    }
}

// One look tells that there is nothing else to do: times cost a yield nothing.
static inline void queue_add_locked(struct sched_queue *q,
                                    struct thread *thread)
{
    queue_append_locked(q, thread);
    if (unlikely(!q->quiet)) {
        queue_unquiet_locked(q);
    }
}

static struct thread *queue_next_locked(struct sched_queue *q)
{
    return q->first != NULL ? queue_take_locked(q) : q->idle;
}

// The timer is not set again at every switch. A slice during which there was
// one is not the running thread's alone: it gets another, a whole one.
static void slice_end(void)
{
    struct sched_queue *q = queue_lock_own();
    queue_slice_timed_set(q, false);
    if (q->first != NULL) {
        percpu.slice_over = q->switches == q->slice_switches;
        slice_time(q);
    }
    spin_unlock(&q->lock, 0);
}

void sched_slice_forget(void)
{
    uint64_t flags = cpu_interrupts_off();
    struct sched_queue *q = queue_lock_own();
    if (q->first == NULL && q->slice_timed) {
        queue_slice_timed_set(q, false);
        timer_set(TIMER_SLICE, 0);
    }
    spin_unlock(&q->lock, flags);
}

void sched_kicked(void)
{
    struct sched_queue *q = queue_lock_own();
    if (q->first != NULL && percpu.thread != q->idle) {
        slice_time(q);
    }
    spin_unlock(&q->lock, 0);
}

// A CPU whose queue has grown: it may halt, or run something without a slice.
static void queue_kick_locked(struct sched_queue *q)
{
    if (q->cpu == percpu.cpu) {
        slice_time(q);
    } else if (!q->slice_timed || queue_current_locked(q) == q->idle) {
        apic_send(cpu_data_of(q->cpu)->apic_id, VECTOR_SCHED);
    }
}

// ------------------------------------------------------------------ Placement

// A CPU that halts, which is not found again until it halts again. NULL: none
// does.
static struct sched_queue *idle_claim(void)
{
    uint64_t idle = __atomic_load_n(&sched_idle_cpus, __ATOMIC_SEQ_CST);
    while (idle != 0) {
        uint64_t bit = idle & -idle;
        idle = __atomic_fetch_and(&sched_idle_cpus, ~bit, __ATOMIC_SEQ_CST);
        if (idle & bit) {
            return queue_of(__builtin_ctzll(bit));
        }
    }
    return NULL;
}

void idle_wake(void)
{
    struct sched_queue *q = idle_claim();
    if (q != NULL) {
        apic_send(cpu_data_of(q->cpu)->apic_id, VECTOR_SCHED);
    }
}

static struct sched_queue *place_locked(struct sched_queue *q,
                                        const struct thread *thread)
{
    bool free = q->first == NULL && queue_current_locked(q) == q->idle;
    struct sched_queue *other =
        thread->pinned || free || cpus_count == 1 ? NULL : idle_claim();
    return other != NULL ? other : q;
}

// A CPU that begins to halt looks at the queues once more after it has said so,
// and here is a look at who halts after the queue has grown: one of the two
// sees the other.
void queue_ready(struct sched_queue *q, struct thread *thread)
{
    struct sched_queue *to = place_locked(q, thread);
    bool movable = !thread->pinned; // it may be gone when it is asked for
    thread->state = THREAD_READY;
    if (to != q) {
        thread->cpu = to->cpu;
        spin_unlock(&q->lock, 0);
        spin_lock_off(&to->lock);
    }
    queue_append_locked(to, thread);
    queue_kick_locked(to);
    bool busy = queue_current_locked(to) != to->idle;
    spin_unlock(&to->lock, 0);
    if (busy && movable) {
        idle_wake();
    }
}

// The queue of the CPU that a thread belongs to, locked.
static struct sched_queue *queue_lock_of(const struct thread *thread)
{
    for (;;) {
        unsigned cpu = __atomic_load_n(&thread->cpu, __ATOMIC_RELAXED);
        struct sched_queue *q = queue_of(cpu);
        spin_lock_off(&q->lock);
        if (thread->cpu == cpu) {
            return q;
        }
        spin_unlock(&q->lock, 0);
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

static inline void switch_to_locked(struct sched_queue *q, struct thread *to)
{
    struct thread *from = percpu.thread;
    percpu.slice_over = false;
    q->switches++;
    context_change(from, to);
    context_switch(&from->sp, to->sp);
}

// The same where the running thread is not put on the queue.
static inline void switch_away_locked(struct sched_queue *q, struct thread *to)
{
    if (unlikely(q->times_kept)) {
        queue_time_note_locked(q);
    }
    switch_to_locked(q, to);
}

void switch_locked(struct sched_queue *q, struct thread *to)
{
    switch_away_locked(q, to);
}

// Behind a switch: on whatever CPU this is now.
static inline void switch_finish(uint64_t flags)
{
    spin_unlock(&percpu.queue->lock, flags);
}

void sched_preempt(void)
{
    struct sched_queue *q = queue_lock_own();
    struct thread *current = percpu.thread;
    percpu.slice_over = false;
    // One that has said that it will wait goes on until it does.
    if (q->first != NULL && current->state == THREAD_READY &&
        current != q->idle) {
        queue_add_locked(q, current);
        switch_to_locked(q, queue_take_locked(q));
    }
    switch_finish(0);
}

void thread_yield(void)
{
    thread_wait_check("thread_yield in a handler", CALL_SITE());
    uint64_t flags = cpu_interrupts_off();
    struct sched_queue *q = queue_lock_own();
    if (q->first != NULL) {
        queue_add_locked(q, percpu.thread);
        switch_to_locked(q, queue_take_locked(q));
    }
    switch_finish(flags);
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
    uint64_t flags = cpu_interrupts_off();
    struct sched_queue *q = queue_lock_own();
    if (percpu.thread->state != THREAD_READY) {
        switch_away_locked(q, queue_next_locked(q));
    }
    switch_finish(flags);
}

// The list of sleepers is in the order of their times. Own queue.
static void sleepers_add_locked(struct sched_queue *q, struct thread *thread)
{
    struct thread **link = &q->sleepers;
    while (*link != NULL && (*link)->wake_at <= thread->wake_at) {
        link = &(*link)->next;
    }
    thread->next = *link;
    *link = thread;
    timer_set(TIMER_SLEEP, q->sleepers->wake_at);
}

static void sleepers_remove_locked(struct sched_queue *q, struct thread *thread)
{
    struct thread **link = &q->sleepers;
    while (*link != thread) {
        link = &(*link)->next;
    }
    *link = thread->next;
}

void sched_wait_until(uint64_t wake_at)
{
    uint64_t flags = cpu_interrupts_off();
    struct sched_queue *q = queue_lock_own();
    struct thread *current = percpu.thread;
    if (current->state != THREAD_READY) {
        current->state = THREAD_SLEEPING;
        current->wake_at = wake_at;
        sleepers_add_locked(q, current);
        switch_away_locked(q, queue_next_locked(q));
    }
    switch_finish(flags);
}

void sched_wake(struct thread *thread)
{
    uint64_t flags = cpu_interrupts_off();
    struct sched_queue *q = queue_lock_of(thread);
    if (thread->state == THREAD_SLEEPING) {
        sleepers_remove_locked(q, thread);
    }
    if (thread->state == THREAD_READY || thread->state == THREAD_ENDED) {
        spin_unlock(&q->lock, flags);
    } else if (thread == queue_current_locked(q)) {
        thread->state = THREAD_READY; // it has not begun to wait
        spin_unlock(&q->lock, flags);
    } else {
        queue_ready(q, thread);
        cpu_interrupts_restore(flags);
    }
}

// The first sleeper whose time has come, off the list; its queue is locked.
// NULL: nobody's has, and the timer is set for the next.
static struct thread *sleeper_due(struct sched_queue *q)
{
    spin_lock_off(&q->lock);
    struct thread *thread = q->sleepers;
    if (thread != NULL && thread->wake_at <= clock_now()) {
        q->sleepers = thread->next;
        return thread;
    }
    if (thread != NULL) {
        timer_set(TIMER_SLEEP, thread->wake_at);
    }
    spin_unlock(&q->lock, 0);
    return NULL;
}

// TIMER_SLEEP.
static void sleepers_wake(void)
{
    struct sched_queue *q = percpu.queue;
    for (struct thread *thread; (thread = sleeper_due(q)) != NULL;) {
        queue_ready(q, thread);
    }
}

// ------------------------------------------------------- Beginnings and ends

// The new thread gives back the lock that the switch to it took.
void sched_begin(void)
{
    switch_finish(RFLAGS_IF);
}

void sched_start(struct thread *thread)
{
    uint64_t flags = cpu_interrupts_off();
    if (!thread->pinned) {
        thread->cpu = percpu.cpu;
    }
    queue_ready(queue_lock_of(thread), thread);
    cpu_interrupts_restore(flags);
}

void sched_move(unsigned cpu)
{
    uint64_t flags = cpu_interrupts_off();
    struct sched_queue *q = queue_lock_own();
    if (percpu.cpu != cpu) {
        percpu.thread->cpu = cpu;
        q->leaving = percpu.thread;
        switch_away_locked(q, q->idle);
    }
    switch_finish(flags);
}

void sched_end(void)
{
    struct sched_queue *q = queue_lock_own();
    percpu.thread->state = THREAD_ENDED;
    q->leaving = percpu.thread;
    switch_away_locked(q, q->idle);
    panic("an ended thread runs");
}

__init struct sched_queue *sched_queue_create(void)
{
    return kzalloc(sizeof(struct sched_queue));
}

__init void sched_init(struct sched_queue *queue, struct thread *idle)
{
    if (queue == NULL) {
        queue = &boot_queue;
        timer_handler_set(TIMER_SLICE, slice_end);
        timer_handler_set(TIMER_SLEEP, sleepers_wake);
    }
    spin_init(&queue->lock, "run queue");
    queue->cpu = percpu.cpu;
    queue->idle = idle;
    idle->cpu = percpu.cpu;
    percpu.queue = queue;
}
