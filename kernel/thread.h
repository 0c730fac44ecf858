// SPDX-License-Identifier: MIT
//
// What a thread is. Public calls are in keyhole.h; the scheduler's side is in
// kernel/sched.h.
#pragma once

#include "keyhole.h"
#include "lib/types.h"
#include "mm/context.h"

#define THREAD_NAME_SIZE 24
#define THREAD_STACK_PAGES 8

enum thread_state {
    THREAD_READY,    // on a run queue, or running
    THREAD_BLOCKED,  // somebody will call sched_wake()
    THREAD_SLEEPING, // until a time, or sched_wake()
    THREAD_ENDED,    // waits for thread_join()
};

// What a thread waits for, for reports.
enum wait_kind {
    WAITS_NOTHING, // or for a time alone
    WAITS_QUEUE,
    WAITS_MUTEX,
    WAITS_THREAD, // for its end
};

struct thread {
    // Set when it is made.
    char name[THREAD_NAME_SIZE];
    int (*fn)(void *arg);
    void *arg;
    void *stack_top;     // NULL: the boot stack
    uint64_t born;       // ticks of the TSC
    bool catch_failures; // see thread_failures_to()
    bool pinned;         // stays on its CPU; its own to change

    // Of the thread alone, or of whoever switches it out or in.
    uintptr_t sp; // where it goes on
    struct catch_frame *catches;
    struct step *step;
    bool in_trap; // it was switched out in the handler of an interrupt
    struct mm_context *context; // its brackets and its window
    struct mutex *mutexes;      // that it holds, the last taken first
    enum wait_kind waits;
    const void *waits_for; // the queue, the mutex or the thread

    // Guarded by the lock of the queue of its CPU.
    enum thread_state state;
    unsigned cpu;        // whose queue that is
    uint64_t wake_at;    // ticks of the TSC, while it sleeps
    struct thread *next; // on the one list that it is on
    uint64_t ran;        // ticks of the TSC, while times are kept

    // Guarded by the lock of the wait queue that it is in.
    struct thread *wait_next;
    bool woken; // it is in the queue no more

    // Guarded by thread_lock.
    struct thread *older, *newer; // all threads
    struct thread *joiner;        // waits for it to end
    uint64_t ran_before;          // `ran` at the last thread_look_all()
    int result;
    bool ended;
};

// The thread that runs here. Any context: the interrupted one, in a handler.
static inline struct thread *thread_current(void)
{
    return percpu.thread;
}

// The running thread begins to wait, or does so no more. Thread context.
static inline void thread_waits_for(enum wait_kind kind, const void *what)
{
    thread_current()->waits_for = what;
    thread_current()->waits = kind;
}

// The name of the thread that runs here, for reports. Any context.
const char *thread_name(void);

// Make the boot context a thread. Boot, once.
void threads_init(void);

// Make the thread that runs on a CPU beside the boot CPU when no other does;
// and begin as it, there, on its stack. Boot. NULL: out of memory.
struct thread *thread_create_idle(void);
void thread_enter_idle(struct thread *thread);

// thread_create() for a thread that runs on one CPU, as if it had called
// thread_pin() at once; and the end of that for the calling thread.
struct thread *thread_create_on(unsigned cpu, const char *name,
                                int (*fn)(void *arg), void *arg);
void thread_unpin(void);

// A thread has ended, and nobody is on its stack any more. Called by the idle
// thread, interrupts off.
void thread_gone(struct thread *thread);

// A call that makes who might wait is not for handlers: a misuse there. Nor is
// one that waits itself, and that not with a spinlock held or interrupts off
// either, which debug builds see.
void thread_context_check(const char *what, uintptr_t site);
void thread_wait_check(const char *what, uintptr_t site);

// All threads, idle ones excepted: the first for NULL; NULL behind the last.
// Locked, or for reports: nothing else runs.
const struct thread *thread_next(const struct thread *thread);

// The name of a thread that ran when the TSC was at `time`, by its address; for
// reports: it may be gone, and many threads ago "(ended)" is all that is known.
// *born (may be NULL) tells it from others that had its address. Any context;
// another CPU may change the list.
const char *thread_name_at(const struct thread *thread, uint64_t time,
                           uint64_t *born);

// A thread leaves the list of all threads, whose lock is held; and an idle
// thread, which is in none, is made.
void thread_names_keep(const struct thread *thread);
void thread_names_add_idle(struct thread *thread);

// While this is held no thread comes or goes, and those of thread_next() stay.
// Thread context.
uint64_t threads_lock(void);
void threads_unlock(uint64_t lock);

// How many threads there are, those that ended and were not joined included.
size_t threads_count(void);

// Called for what nobody catches in a thread that was made while it is set: a
// fault or a misuse then ends that thread alone, with -EFAULT. NULL: such a
// thing is a panic. Thread context.
void thread_failures_to(void (*fn)(const struct thread *thread));
