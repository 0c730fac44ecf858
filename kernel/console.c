// SPDX-License-Identifier: MIT
//
// Text to and from the serial port.
#include "kernel/console.h"

#include "arch/cpu.h"
#include "arch/spinlock.h"
#include "arch/uart.h"
#include "keyhole.h"
#include "lib/format.h"

__init void console_init(void)
{
    uart_init();
}

static struct spinlock console_lock = SPINLOCK("console");
static unsigned depth; // of its holder

bool console_is_held(void)
{
    return spin_is_held_here(&console_lock);
}

// Who holds it waits for nobody, so an NMI's handler may wait for him, if he
// is not what it interrupted.
static void lock_in_nmi(void)
{
    uint64_t flags;
    while (!spin_trylock(&console_lock, &flags)) {
        cpu_pause();
    }
}

uint64_t console_begin(void)
{
    uint64_t flags = cpu_interrupts_off();
    if (!console_is_held()) {
        if (percpu.nmi_level != 0) {
            lock_in_nmi();
        } else {
            spin_lock_off(&console_lock);
        }
    }
    depth++;
    return flags;
}

void console_end(uint64_t flags)
{
    if (--depth == 0) {
        spin_unlock(&console_lock, 0);
    }
    cpu_interrupts_restore(flags);
}

void console_abandon(void)
{
    if (console_is_held()) {
        console_break();
    }
}

void console_break(void)
{
    depth = 0;
    spin_unlock(&console_lock, 0);
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

int console_vprintf(const char *format, va_list arguments)
{
    uint64_t flags = console_begin();
    int length = format_print(console_sink, NULL, format, arguments);
    console_end(flags);
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
