// SPDX-License-Identifier: MIT
//
// The idle thread. It is also what a CPU runs between a thread that ends, or
// moves to another CPU, and the next: on the idle thread's stack nobody is on
// the other's any more, so that may be freed, or run elsewhere.
#include "arch/cpu.h"
#include "arch/tlb.h"
#include "kernel/sched_internal.h"
#include "kernel/timer.h"
#include "kernel/watchdog.h"

uint64_t sched_idle_cpus;

// A thread that has left this CPU. No lock held.
static void leave(struct thread *thread)
{
    if (thread->state == THREAD_ENDED) {
        thread_gone(thread);
        return;
    }
    struct sched_queue *to = queue_of(thread->cpu);
    spin_lock_off(&to->lock);
    queue_ready(to, thread);
}

// Take the first thread that may go elsewhere off another CPU's queue. NULL:
// there is none, or somebody is at the queue just now.
static struct thread *queue_rob(struct sched_queue *from, unsigned cpu)
{
    uint64_t flags;
    if (*(struct thread *volatile *)&from->first == NULL ||
        !spin_trylock(&from->lock, &flags)) {
        return NULL;
    }
    struct thread *before = NULL, *thread = from->first;
    while (thread != NULL && thread->pinned) {
        before = thread;
        thread = thread->next;
    }
    if (thread != NULL) {
        *(before != NULL ? &before->next : &from->first) = thread->next;
        from->last = thread == from->last ? before : from->last;
        thread->cpu = cpu;
    }
    spin_unlock(&from->lock, 0);
    return thread;
}

// Look for work on the other CPUs. False: there is none.
static bool steal(struct sched_queue *q)
{
    for (unsigned i = 1; i < cpus_count; i++) {
        unsigned cpu = (q->cpu + i) % cpus_count;
        struct thread *thread = queue_rob(queue_of(cpu), q->cpu);
        if (thread != NULL) {
            spin_lock_off(&q->lock);
            queue_append_locked(q, thread);
            spin_unlock(&q->lock, 0);
            return true;
        }
    }
    return false;
}

// A timer's handler may wake somebody, too.
static bool stands_still(const struct cpu_data *cpu)
{
    const struct sched_queue *q = cpu->queue;
    return q->first == NULL && q->sleepers == NULL && q->leaving == NULL &&
           cpu->timer[TIMER_USER].at == 0;
}

bool sched_stands_still(uint32_t *switches)
{
    uint64_t all = ~0ull >> (64 - cpus_count);
    bool still = __atomic_load_n(&sched_idle_cpus, __ATOMIC_SEQ_CST) == all;
    *switches = 0;
    for (unsigned cpu = 0; cpu < cpus_count && still; cpu++) {
        still = stands_still(cpu_data_of(cpu));
        *switches += queue_of(cpu)->switches;
    }
    return still;
}

bool sched_lock_held(void)
{
    return percpu.queue != NULL && spin_is_held_here(&percpu.queue->lock);
}

// Halt until an interrupt, if there is nothing to do. It is looked for once
// more after the CPU can be seen to halt (queue_ready()); what comes to its own
// queue comes with an interrupt.
static void halt(struct sched_queue *q)
{
    uint64_t bit = BIT(q->cpu);
    __atomic_fetch_or(&sched_idle_cpus, bit, __ATOMIC_SEQ_CST);
    if (!steal(q)) {
        watchdog_idle();
        tlb_idle();
        cpu_sti_hlt_cli();
        if (percpu.tlb_lazy) { // an NMI woke it
            tlb_wake(false);
        }
    }
    __atomic_fetch_and(&sched_idle_cpus, ~bit, __ATOMIC_SEQ_CST);
}

void sched_idle(void)
{
    struct sched_queue *q = percpu.queue;
    if (!spin_is_held_here(&q->lock)) { // else by the switch to here
        spin_lock_off(&q->lock);
    }
    for (;;) {
        if (q->first != NULL && q->leaving == NULL) {
            switch_locked(q, queue_take_locked(q));
            continue;
        }
        struct thread *leaving = q->leaving;
        q->leaving = NULL;
        spin_unlock(&q->lock, 0);
        if (leaving != NULL) {
            leave(leaving);
        } else {
            halt(q);
        }
        spin_lock_off(&q->lock);
    }
}
