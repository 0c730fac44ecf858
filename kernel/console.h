// SPDX-License-Identifier: MIT
//
// The console: COM1 in both directions. printf() is in keyhole.h.
#pragma once

#include <stdarg.h>

#include "lib/types.h"

// Early boot.
void console_init(void);

// Print `length` bytes; a newline becomes CR LF. Any context.
void console_write(const char *text, size_t length);

// Whether the last thing printed ended its line. Any context.
bool console_at_line_start(void);

// printf() with a list of arguments.
int console_vprintf(const char *format, va_list arguments) __printf(1, 0);

// The next byte typed, or -1 when there is none. Any context.
int console_read(void);
