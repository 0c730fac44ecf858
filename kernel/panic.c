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

// Print the reason. True: this is the first panic, so there is time for more.
static bool bail_out(const char *format, va_list arguments)
{
    cpu_cli();
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
