// SPDX-License-Identifier: MIT
//
// The end of a run that cannot go on.
#include "lib/panic.h"

#include <stdarg.h>

#include "arch/cpu.h"
#include "arch/power.h"
#include "kernel/backtrace.h"
#include "kernel/console.h"
#include "keyhole.h"

static unsigned depth; // a panic inside a panic prints less each time

void panic(const char *format, ...)
{
    cpu_cli();
    unsigned nested = depth++;
    if (nested < 2) {
        va_list arguments;
        va_start(arguments, format);
        printf("\nBail out! ");
        console_vprintf(format, arguments);
        printf("\n");
        va_end(arguments);
    }
    if (nested == 0) {
        print_backtrace((uintptr_t)__builtin_frame_address(0));
    }
    power_exit(EXIT_PANIC);
}
