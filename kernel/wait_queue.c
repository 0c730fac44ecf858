// SPDX-License-Identifier: MIT
//
// A thread that is taken from a queue is woken before the queue's lock is given
// back, and takes that lock before it goes on: so it is not gone when it is
// woken, and never woken from a later wait.
#include "kernel/wait_queue.h"

#include "kernel/sched.h"
#include "mm/misuse.h"

void wait_queue_init(struct wait_queue *queue, const char *name)
{
    *queue = (struct wait_queue)WAIT_QUEUE(name);
}

// ------------------------------------------------------------------- The list

static void add_locked(struct wait_queue *queue, struct thread *thread,
                       bool in_front)
{
    thread->woken = false;
    thread->wait_next = in_front ? queue->first : NULL;
    if (queue->first == NULL) {
        queue->first = queue->last = thread;
    } else if (in_front) {
        queue->first = thread;
    } else {
        queue->last->wait_next = thread;
        queue->last = thread;
    }
}

static void remove_locked(struct wait_queue *queue, struct thread *thread)
{
    struct thread *before = NULL, *at = queue->first;
    while (at != thread) {
        before = at;
        at = at->wait_next;
    }
    *(before != NULL ? &before->wait_next : &queue->first) = thread->wait_next;
    queue->last = thread == queue->last ? before : queue->last;
}

struct thread *wait_take_locked(struct wait_queue *queue)
{
    struct thread *thread = queue->first;
    if (thread != NULL) {
        queue->first = thread->wait_next;
        thread->woken = true;
        sched_wake(thread);
    }
    return thread;
}

// -------------------------------------------------------------------- Waiting

// Until the calling thread is taken, or (`wake_at` not 0) a time has come.
static void wait_until_locked(struct wait_queue *queue, uint64_t wake_at)
{
    const volatile bool *woken = &thread_current()->woken;
    while (!*woken && (wake_at == 0 || cpu_read_tsc() < wake_at)) {
        sched_prepare();
        spin_unlock(&queue->lock, RFLAGS_IF);
        if (wake_at == 0) {
            sched_wait();
        } else {
            sched_wait_until(wake_at);
        }
        spin_lock(&queue->lock);
    }
    thread_waits_for(WAITS_NOTHING, NULL);
}

void wait_locked(struct wait_queue *queue, enum wait_kind kind,
                 const void *what)
{
    add_locked(queue, thread_current(), false);
    thread_waits_for(kind, what);
    wait_until_locked(queue, 0);
}

static bool sleep_in(struct wait_queue *queue, uint32_t wakes, bool again,
                     uint64_t wake_at)
{
    struct thread *current = thread_current();
    uint64_t flags = spin_lock(&queue->lock);
    bool sleeps = queue->wakes == wakes;
    if (sleeps) {
        add_locked(queue, current, again);
        thread_waits_for(WAITS_QUEUE, queue);
        wait_until_locked(queue, wake_at);
        if (!current->woken) {
            remove_locked(queue, current);
        }
    }
    spin_unlock(&queue->lock, flags);
    return sleeps;
}

uint32_t wait_begin(const struct wait_queue *queue)
{
    return __atomic_load_n(&queue->wakes, __ATOMIC_ACQUIRE);
}

bool wait_sleep(struct wait_queue *queue, uint32_t wakes, bool again)
{
    thread_wait_check("wait_event in a handler", CALL_SITE());
    return sleep_in(queue, wakes, again, 0);
}

bool wait_sleep_until(struct wait_queue *queue, uint32_t wakes, bool again,
                      uint64_t wake_at)
{
    thread_wait_check("wait_event_until in a handler", CALL_SITE());
    return sleep_in(queue, wakes, again, wake_at);
}

// --------------------------------------------------------------------- Waking

void wake_one(struct wait_queue *queue)
{
    uint64_t flags = spin_lock(&queue->lock);
    __atomic_fetch_add(&queue->wakes, 1, __ATOMIC_SEQ_CST);
    wait_take_locked(queue);
    spin_unlock(&queue->lock, flags);
}

void wake_all(struct wait_queue *queue)
{
    uint64_t flags = spin_lock(&queue->lock);
    __atomic_fetch_add(&queue->wakes, 1, __ATOMIC_SEQ_CST);
    while (wait_take_locked(queue) != NULL) {
    }
    spin_unlock(&queue->lock, flags);
}
