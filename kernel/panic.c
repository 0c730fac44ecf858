// SPDX-License-Identifier: MIT
//
// The end of a run that cannot go on.
#include "lib/panic.h"

#include <stdarg.h>

#include "arch/apic.h"
#include "arch/cpu.h"
#include "arch/percpu.h"
#include "arch/power.h"
#include "kernel/backtrace.h"
#include "kernel/config.h"
#include "kernel/console.h"
#include "kernel/lock_check.h"
#include "kernel/panic.h"
#include "kernel/trace_print.h"
#include "keyhole.h"

static unsigned depth;     // a panic inside a panic prints less each time
static uint32_t panicking; // percpu.lock_mark of the CPU that does; 0: none

bool panic_elsewhere(void)
{
    uint32_t mark = __atomic_load_n(&panicking, __ATOMIC_ACQUIRE);
    return mark != 0 && mark != percpu.lock_mark;
}

void panic_stop(void)
{
    cpu_cli();
    for (;;) {
        cpu_hlt();
    }
}

// One CPU speaks, the others stop where they are.
static void stop_others(void)
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
        console_break();
    } else if (panic_elsewhere()) {
        panic_stop();
    }
}

// Print the reason. True: this is the first panic, so there is time for more.
static bool bail_out(const char *format, va_list arguments)
{
    cpu_cli();
    stop_others();
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
        if (config.trace == TRACE_DUMP) {
            trace_dump();
        }
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
