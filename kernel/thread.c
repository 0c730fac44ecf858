// SPDX-License-Identifier: MIT
//
// Making threads, and the end of them.
#include "kernel/thread.h"

#include "arch/cpu.h"
#include "arch/spinlock.h"
#include "arch/switch.h"
#include "arch/trap.h"
#include "kernel/lock_check.h"
#include "kernel/mutex.h"
#include "kernel/sched.h"
#include "kernel/timer.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mm/misuse.h"
#include "mm/stack.h"

static struct spinlock thread_lock = SPINLOCK("threads");
static struct thread *newest;
static size_t count;
static void (*failures_to)(const struct thread *thread);

static struct thread boot_thread, boot_idle_thread;

const char *thread_name(void)
{
    const struct thread *thread = thread_current();
    return thread != NULL ? thread->name : "boot";
}

size_t threads_count(void)
{
    return count;
}

const struct thread *thread_next(const struct thread *thread)
{
    return thread == NULL ? newest : thread->older;
}

void thread_failures_to(void (*fn)(const struct thread *thread))
{
    failures_to = fn;
}

void thread_context_check(const char *what, uintptr_t site)
{
    if (percpu.trap_level != 0) {
        misuse_report(&(struct misuse){
            .what = what,
            .site = {{"this call", site}},
        });
    }
}

void thread_wait_check(const char *what, uintptr_t site)
{
    thread_context_check(what, site);
    lock_check_wait(site);
}

// ------------------------------------------------------------------- The list

static void list_add(struct thread *thread)
{
    uint64_t lock = spin_lock(&thread_lock);
    thread->older = newest;
    if (newest != NULL) {
        newest->newer = thread;
    }
    newest = thread;
    count++;
    spin_unlock(&thread_lock, lock);
}

static void list_remove_locked(struct thread *thread)
{
    if (thread->newer != NULL) {
        thread->newer->older = thread->older;
    } else {
        newest = thread->older;
    }
    if (thread->older != NULL) {
        thread->older->newer = thread->newer;
    }
    thread_names_keep(thread);
    count--;
}

uint64_t threads_lock(void)
{
    return spin_lock(&thread_lock);
}

void threads_unlock(uint64_t lock)
{
    spin_unlock(&thread_lock, lock);
}

static bool list_has_locked(const struct thread *wanted)
{
    const struct thread *thread = newest;
    while (thread != NULL && thread != wanted) {
        thread = thread->older;
    }
    return thread != NULL;
}

// --------------------------------------------------------------- First and
// last

// What a thread leaves open is a bug of its own.
static void brackets_check(const struct thread *thread)
{
    const struct bracket *open = bracket_innermost();
    if (unlikely(open != NULL)) {
        misuse_report(&(struct misuse){
            .what = "thread ends with a bracket open",
            .address = (const void *)open->address,
            .site = {{"mapped", site_unpack(open->map_site)},
                     {"thread function", (uintptr_t)thread->fn + 1}},
        });
    }
}

static void mutexes_check(const struct thread *thread)
{
    const struct mutex *held = thread->mutexes;
    if (unlikely(held != NULL)) {
        misuse_report(&(struct misuse){
            .what = "thread ends with a mutex held",
            .address = held,
            .site = {{"taken", held->site},
                     {"thread function", (uintptr_t)thread->fn + 1}},
        });
    }
}

static int thread_run(struct thread *thread)
{
    int result = thread->fn(thread->arg);
    brackets_check(thread);
    mutexes_check(thread);
    lock_check_wait((uintptr_t)thread->fn + 1);
    return result;
}

// The same where somebody wants to know of failures.
static int thread_run_caught(struct thread *thread)
{
    struct catch_frame frame;
    volatile int result = -EFAULT;
    if (catch_enter(&frame) == 0) {
        frame.report = true;
        result = thread_run(thread);
        catch_leave(&frame);
    } else {
        failures_to(thread);
    }
    return result;
}

static __noreturn void thread_end(struct thread *thread, int result)
{
    cpu_cli();
    thread->result = result;
    sched_end();
}

void thread_gone(struct thread *thread)
{
    uint64_t lock = spin_lock(&thread_lock);
    struct thread *joiner = thread->joiner;
    thread->ended = true; // from here on it may be freed
    spin_unlock(&thread_lock, lock);
    if (joiner != NULL) {
        sched_wake(joiner);
    }
}

static void thread_main(void)
{
    struct thread *thread = thread_current();
    sched_begin();
    int result =
        thread->catch_failures ? thread_run_caught(thread) : thread_run(thread);
    thread_end(thread, result);
}

// ------------------------------------------------------------------ Public
// calls

static bool thread_get_memory(struct thread *thread, const char *name)
{
    thread->stack_top = stack_create(name, THREAD_STACK_PAGES);
    thread->context = mm_context_create();
    return thread->stack_top != NULL && thread->context != NULL;
}

static void thread_give_memory(struct thread *thread)
{
    if (thread->stack_top != NULL) {
        stack_destroy(thread->stack_top);
    }
    if (thread->context != NULL) {
        mm_context_destroy(thread->context);
    }
    kfree(thread);
}

// Without the memory that it needs, NULL.
static struct thread *thread_make(const char *name, int (*fn)(void *arg),
                                  void *arg)
{
    struct thread *thread = kzalloc(sizeof(*thread));
    if (thread == NULL) {
        return NULL;
    }
    if (!thread_get_memory(thread, name)) {
        thread_give_memory(thread);
        return NULL;
    }
    string_copy(thread->name, sizeof(thread->name), name);
    thread->fn = fn;
    thread->arg = arg;
    thread->born = cpu_read_tsc();
    thread->catch_failures = failures_to != NULL;
    thread->sp = context_make(thread->stack_top, thread_main);
    list_add(thread);
    return thread;
}

struct thread *thread_create(const char *name, int (*fn)(void *arg), void *arg)
{
    thread_context_check("thread_create in a handler", CALL_SITE());
    struct thread *thread = thread_make(name, fn, arg);
    if (thread != NULL) {
        sched_start(thread);
    }
    return thread;
}

struct thread *thread_create_on(unsigned cpu, const char *name,
                                int (*fn)(void *arg), void *arg)
{
    struct thread *thread = thread_make(name, fn, arg);
    if (thread != NULL) {
        thread->cpu = cpu;
        thread->pinned = true;
        sched_start(thread);
    }
    return thread;
}

// Why a thread cannot be joined, or NULL.
static const char *join_fault_locked(const struct thread *thread)
{
    if (!list_has_locked(thread)) {
        return "join of a thread that there is not";
    }
    if (thread == thread_current()) {
        return "join of the thread itself";
    }
    if (thread->joiner != NULL) {
        return "join of a thread that another waits for";
    }
    return thread == &boot_thread ? "join of the boot thread" : NULL;
}

int thread_join(struct thread *thread)
{
    thread_wait_check("thread_join in a handler", CALL_SITE());
    uint64_t lock = spin_lock(&thread_lock);
    const char *fault = join_fault_locked(thread);
    if (fault != NULL) {
        spin_unlock(&thread_lock, lock);
        misuse_report(&(struct misuse){
            .what = fault,
            .address = thread,
            .site = {{"this call", CALL_SITE()}},
        });
    }
    if (!thread->ended) {
        thread->joiner = thread_current();
        thread_waits_for(WAITS_THREAD, thread);
        sched_prepare();
        spin_unlock(&thread_lock, lock);
        sched_wait();
        thread_waits_for(WAITS_NOTHING, NULL);
        lock = spin_lock(&thread_lock);
    }
    ASSERT(thread->ended);
    list_remove_locked(thread);
    spin_unlock(&thread_lock, lock);
    int result = thread->result;
    thread_give_memory(thread);
    return result;
}

void thread_sleep_ms(unsigned ms)
{
    thread_wait_check("thread_sleep_ms in a handler", CALL_SITE());
    uint64_t ticks = clock_ticks(1000ull * ms);
    if (ticks == 0) {
        thread_yield();
        return;
    }
    sched_prepare();
    sched_wait_until(clock_now() + ticks);
}

int thread_pin(unsigned cpu)
{
    thread_wait_check("thread_pin in a handler", CALL_SITE());
    if (cpu >= cpus_online()) {
        return -EINVAL;
    }
    thread_current()->pinned = true;
    sched_move(cpu);
    return 0;
}

void thread_unpin(void)
{
    thread_current()->pinned = false;
}

static __init void idle_init(struct thread *thread)
{
    string_copy(thread->name, sizeof(thread->name), "idle");
    thread->pinned = true;
    thread->sp = context_make(thread->stack_top, sched_idle);
    thread_names_add_idle(thread);
}

__init struct thread *thread_create_idle(void)
{
    struct thread *thread = kzalloc(sizeof(*thread));
    if (thread == NULL || !thread_get_memory(thread, "idle")) {
        return NULL;
    }
    idle_init(thread);
    return thread;
}

__init void thread_enter_idle(struct thread *thread)
{
    mm_context_enter(thread->context);
    percpu.thread = thread;
}

__init void threads_init(void)
{
    string_copy(boot_thread.name, sizeof(boot_thread.name), "boot");
    boot_thread.context = mm_context_next(NULL);
    list_add(&boot_thread);
    percpu.thread = &boot_thread;
    boot_idle_thread.stack_top = stack_idle_top;
    boot_idle_thread.context = mm_context_idle_boot();
    idle_init(&boot_idle_thread);
    sched_init(NULL, &boot_idle_thread);
}
