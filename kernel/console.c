// SPDX-License-Identifier: MIT
//
// Text to and from the serial port.
#include "kernel/console.h"

#include "arch/cpu.h"
#include "arch/uart.h"
#include "keyhole.h"
#include "lib/format.h"

__init void console_init(void)
{
    uart_init();
}

static char last_written = '\n';

bool console_at_line_start(void)
{
    return last_written == '\n';
}

void console_write(const char *text, size_t length)
{
    if (length > 0) {
        last_written = text[length - 1];
    }
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\n') {
            uart_write('\r');
        }
        uart_write(text[i]);
    }
}

static void console_sink(void *context, const char *text, size_t length)
{
    (void)context;
    console_write(text, length);
}

// In one piece: no other thread's text comes in between.
int console_vprintf(const char *format, va_list arguments)
{
    uint64_t flags = cpu_interrupts_off();
    int length = format_print(console_sink, NULL, format, arguments);
    cpu_interrupts_restore(flags);
    return length;
}

int printf(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = console_vprintf(format, arguments);
    va_end(arguments);
    return length;
}

int console_read(void)
{
    return uart_read();
}
