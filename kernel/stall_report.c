// SPDX-License-Identifier: MIT
//
// The others are stopped by an NMI and do not move on: what they and their
// threads look like stays true while it is printed.
#include "kernel/stall_report.h"

#include <stdarg.h>

#include "arch/cpu.h"
#include "arch/switch.h"
#include "kernel/backtrace.h"
#include "kernel/bracket_print.h"
#include "kernel/console.h"
#include "kernel/lock_check.h"
#include "kernel/mutex.h"
#include "kernel/panic.h"
#include "kernel/thread.h"
#include "lib/format.h"
#include "lib/panic.h"

#define REASON_MAX 128

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
    printf("CPU %u: thread %s%s\n", cpu, thread != NULL ? thread->name : "none",
           frame == 0 ? " (does not answer an NMI)" : "");
    print_backtrace(frame);
    if (thread != NULL) {
        print_mutexes(thread);
    }
    lock_check_print(cpu);
}

void stall_print_cpu(unsigned cpu)
{
    const struct cpu_data *data = cpu_data_of(cpu);
    print_cpu(cpu, data->stopped_frame);
    if (data->stopped_at != NULL) {
        brackets_print_cpu(cpu, data->stopped_at->bracket_top,
                           (uint32_t)data->stopped_at->rights);
    }
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
        print_cpu(cpu, cpu == percpu.cpu ? own_frame
                                         : cpu_data_of(cpu)->stopped_frame);
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
    cpu_cli();
    panic_stop_others();
    va_list arguments;
    va_start(arguments, format);
    format_vsnprintf(reason, sizeof(reason), format, arguments);
    va_end(arguments);
    printf("\nWATCHDOG: %s\n", reason);
    print_all((uintptr_t)__builtin_frame_address(0));
    panic_others_told();
    panic("watchdog: %s", reason);
}
