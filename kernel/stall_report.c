// SPDX-License-Identifier: MIT
//
// The others are stopped by an NMI and do not move on: what they and their
// threads look like stays true while it is printed.
#include "kernel/stall_report.h"

#include <stdarg.h>

#include "arch/cpu.h"
#include "arch/switch.h"
#include "kernel/backtrace.h"
#include "kernel/console.h"
#include "kernel/lock_check.h"
#include "kernel/mutex.h"
#include "kernel/panic.h"
#include "kernel/remote.h"
#include "kernel/thread.h"
#include "kernel/timer.h"
#include "lib/format.h"
#include "lib/panic.h"

#define ANSWER_US 1000000
#define REASON_MAX 128

// By number of the CPU.
static struct stopped {
    struct remote_call call;
    uintptr_t frame; // pointer, in the handler of the NMI; 0: no answer
} * stopped;

static uint32_t speaker; // percpu.lock_mark of the CPU that reports

bool stall_prepare(void)
{
    if (stopped == NULL) {
        stopped = kzalloc(cpus_count * sizeof(*stopped));
    }
    return stopped != NULL;
}

static void stand_still(void *arg)
{
    struct stopped *self = arg;
    __atomic_store_n(&self->frame, (uintptr_t)__builtin_frame_address(0),
                     __ATOMIC_RELEASE);
    panic_stop();
}

static bool all_answered(void)
{
    bool all = true;
    for (unsigned cpu = 0; cpu < cpus_count; cpu++) {
        all = all && (cpu == percpu.cpu ||
                      __atomic_load_n(&stopped[cpu].frame, __ATOMIC_ACQUIRE));
    }
    return all;
}

static void stop_others(void)
{
    for (unsigned cpu = 0; cpu < cpus_count; cpu++) {
        if (cpu != percpu.cpu) {
            stopped[cpu].call = (struct remote_call){
                .fn = stand_still,
                .arg = &stopped[cpu],
            };
            remote_nmi_post(cpu, &stopped[cpu].call);
        }
    }
    uint64_t end = clock_now() + clock_ticks(ANSWER_US);
    while (!all_answered() && clock_now() < end) {
        cpu_pause();
    }
}

// ----------------------------------------------------------------- The report

static void print_waiting(const struct thread *thread)
{
    const struct mutex *mutex = thread->waits_for;
    const struct wait_queue *queue = thread->waits_for;
    const struct thread *other = thread->waits_for;
    switch (thread->waits) {
    case WAITS_MUTEX:
        printf("waits for the mutex %s of thread %s\n", mutex->waiters.name,
               mutex->owner != NULL ? mutex->owner->name : "nobody");
        break;
    case WAITS_QUEUE:
        printf("waits in the queue %s\n", queue->name);
        break;
    case WAITS_THREAD:
        printf("waits for the end of thread %s\n", other->name);
        break;
    default:
        printf("waits\n");
        break;
    }
}

static void print_state(const struct thread *thread)
{
    switch (thread->state) {
    case THREAD_READY:
        printf("is ready on CPU %u\n", thread->cpu);
        break;
    case THREAD_SLEEPING:
        printf("sleeps until a time\n");
        break;
    case THREAD_ENDED:
        printf("has ended, and nobody has joined it\n");
        break;
    default:
        print_waiting(thread);
        break;
    }
}

static void print_mutexes(const struct thread *thread)
{
    const struct mutex *mutex = thread->mutexes;
    for (; mutex != NULL; mutex = mutex->next) {
        printf("    holds the mutex %s, taken at ", mutex->waiters.name);
        print_call_site(mutex->site);
        printf("\n");
    }
}

static void print_cpu(unsigned cpu, uintptr_t frame)
{
    const struct thread *thread = cpu_data_of(cpu)->thread;
    printf("CPU %u: thread %s%s\n", cpu, thread->name,
           frame == 0 ? " (does not answer an NMI)" : "");
    print_backtrace(frame);
    print_mutexes(thread);
    lock_check_print(cpu);
}

static bool runs(const struct thread *thread)
{
    return cpu_data_of(thread->cpu)->thread == thread;
}

static void print_thread(const struct thread *thread)
{
    printf("thread %s: ", thread->name);
    print_state(thread);
    if (thread->state != THREAD_ENDED) {
        print_backtrace(context_frame(thread->sp));
    }
    print_mutexes(thread);
}

static void print_all(uintptr_t own_frame)
{
    for (unsigned cpu = 0; cpu < cpus_count; cpu++) {
        print_cpu(cpu, cpu == percpu.cpu ? own_frame : stopped[cpu].frame);
    }
    const struct thread *thread = thread_next(NULL);
    for (; thread != NULL; thread = thread_next(thread)) {
        if (!runs(thread)) {
            print_thread(thread);
        }
    }
}

void stall_panic(const char *format, ...)
{
    char reason[REASON_MAX];
    uint32_t nobody = 0;
    cpu_cli();
    if (!__atomic_compare_exchange_n(&speaker, &nobody, percpu.lock_mark, false,
                                     __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        panic_stop();
    }
    va_list arguments;
    va_start(arguments, format);
    format_vsnprintf(reason, sizeof(reason), format, arguments);
    va_end(arguments);
    stop_others();
    lock_check_stop();
    console_break(); // whoever had it has stopped for good
    printf("\nWATCHDOG: %s\n", reason);
    print_all((uintptr_t)__builtin_frame_address(0));
    panic("watchdog: %s", reason);
}
