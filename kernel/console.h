// SPDX-License-Identifier: MIT
//
// The console: COM1 in both directions. printf() is in keyhole.h.
#pragma once

#include <stdarg.h>

#include "lib/types.h"

// Early boot.
void console_init(void);

// Between these nobody else's text comes in: other CPUs wait. Interrupts are
// off meanwhile. May be nested, also by the handler of an NMI. Any context; the
// first returns what the second puts back.
uint64_t console_begin(void);
void console_end(uint64_t flags);

// Whether this CPU is between them. Interrupts off.
bool console_is_held(void);

// What held the console has been abandoned, or stopped for good.
void console_abandon(void);
void console_break(void);

// Print `length` bytes; a newline becomes CR LF. Any context.
void console_write(const char *text, size_t length);

// Whether the last thing printed ended its line. Any context.
bool console_at_line_start(void);

// printf() with a list of arguments.
int console_vprintf(const char *format, va_list arguments) __printf(1, 0);

// The next byte typed, or -1 when there is none. Any context.
int console_read(void);
