// SPDX-License-Identifier: MIT
//
// The end of a run that cannot go on.
#include "lib/panic.h"

#include <stdarg.h>

#include "arch/apic.h"
#include "arch/cpu.h"
#include "arch/percpu.h"
#include "arch/pks.h"
#include "arch/power.h"
#include "kernel/backtrace.h"
#include "kernel/bracket_print.h"
#include "kernel/config.h"
#include "kernel/console.h"
#include "kernel/lock_check.h"
#include "kernel/panic.h"
#include "kernel/stall_report.h"
#include "kernel/timer.h"
#include "kernel/trace_print.h"
#include "keyhole.h"
#include "mm/engine.h"
#include "mm/trace.h"

#define HISTORY_SHOWN 8

static unsigned depth;     // a panic inside a panic prints less each time
static bool others_told;   // a report has said what they are at
static uint32_t panicking; // percpu.lock_mark of the CPU that does; 0: none

bool panic_elsewhere(void)
{
    uint32_t mark = __atomic_load_n(&panicking, __ATOMIC_ACQUIRE);
    return mark != 0 && mark != percpu.lock_mark;
}

void panic_stop(const struct trap_frame *trap)
{
    cpu_cli();
    percpu.stopped_frame = (uintptr_t)__builtin_frame_address(0);
    __atomic_store_n(&percpu.self->stopped_at, trap, __ATOMIC_RELEASE);
    for (;;) {
        cpu_hlt();
    }
}

void panic_others_told(void)
{
    others_told = true;
}

static bool all_stopped(void)
{
    for (unsigned cpu = 0; cpu < cpus_count; cpu++) {
        if (cpu != percpu.cpu && __atomic_load_n(&cpu_data_of(cpu)->stopped_at,
                                                 __ATOMIC_ACQUIRE) == NULL) {
            return false;
        }
    }
    return true;
}

// One that does not answer an NMI is not waited for, with a clock or without.
#define ANSWER_US 1000000
#define ANSWER_LOOKS 1000000

static void wait_for_others(void)
{
    uint64_t end = clock_now() + clock_ticks(ANSWER_US);
    for (unsigned looks = 0;
         !all_stopped() && (clock_ticks(ANSWER_US) == 0 ? looks < ANSWER_LOOKS
                                                        : clock_now() < end);
         looks++) {
        cpu_pause();
    }
}

void panic_stop_others(void)
{
    uint32_t nobody = 0;
    lock_check_stop();
    if (__atomic_compare_exchange_n(&panicking, &nobody, percpu.lock_mark,
                                    false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE)) {
        for (unsigned cpu = 0; cpu < cpus_count; cpu++) {
            if (cpu != percpu.cpu) {
                apic_send_nmi(cpu_data_of(cpu)->apic_id);
            }
        }
        wait_for_others();
        console_break(); // whoever had it has stopped for good
    } else if (panic_elsewhere()) {
        panic_stop(NULL);
    }
}

// What is known besides: it may be what is broken, so that the reason and the
// way here come before it, and a fault in it is another panic.
static void panic_report(void)
{
    uint32_t rights =
        engine->counts_pkrs ? pks_rights() : (uint32_t)cpu_read_cr0();
    brackets_print_cpu(percpu.cpu, percpu.bracket_top, rights);
    for (unsigned cpu = 0; !others_told && cpu < cpus_count; cpu++) {
        if (cpu != percpu.cpu) {
            stall_print_cpu(cpu);
        }
    }
    brackets_print_waiting();
    if (config.trace == TRACE_DUMP) {
        trace_dump();
    } else {
        trace_print_last(HISTORY_SHOWN, "history, newest first:\n");
    }
}

// Print the reason. True: this is the first panic, so there is time for more.
static bool bail_out(const char *format, va_list arguments)
{
    cpu_cli();
    panic_stop_others();
    unsigned nested = depth++;
    if (nested < 2) {
        printf("\nBail out! ");
        console_vprintf(format, arguments);
        printf("\n");
    }
    return nested == 0;
}

void panic(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (bail_out(format, arguments)) {
        print_backtrace((uintptr_t)__builtin_frame_address(0));
        panic_report();
    }
    va_end(arguments);
    power_exit(EXIT_PANIC);
}

void refuse(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    bail_out(format, arguments);
    va_end(arguments);
    power_exit(EXIT_PANIC);
}
