// SPDX-License-Identifier: MIT
//
// Formatted text, as printf makes it, into any sink. No state, no allocation,
// no floating point; callable in any context that the sink is callable in.
//
// Conversions: %c %s %d %i %u %x %X %p %%. Length modifiers hh h l ll z. Width
// and precision as numbers or `*`, flags 0 and -. Precision is the longest
// %s, or the least number of digits. %p prints 0x and 16 digits. %s of NULL
// prints (null). A conversion not listed here is printed as it stands, so that
// the mistake is seen; the arguments after it are then not to be trusted.
#pragma once

#include <stdarg.h>

#include "lib/types.h"

// Takes `length` characters, not terminated. Called several times a format.
typedef void (*format_sink_fn)(void *context, const char *text, size_t length);

// Format into `sink`. Returns the number of characters, INT_MAX if more.
int format_print(format_sink_fn sink, void *context, const char *fmt,
                 va_list args) __printf(3, 0);

// Format into the `size` bytes at `to`, shortened if need be and terminated in
// any case (size 0 writes nothing, `to` may then be NULL). Returns the length
// of the whole text: it was shortened if that is not less than `size`.
int format_vsnprintf(char *to, size_t size, const char *fmt, va_list args)
    __printf(3, 0);
int format_snprintf(char *to, size_t size, const char *fmt, ...) __printf(3, 4);

#ifndef KEYHOLE_HOST
// The same under the names that everybody knows.
int vsnprintf(char *to, size_t size, const char *fmt, va_list args)
    __printf(3, 0);
int snprintf(char *to, size_t size, const char *fmt, ...) __printf(3, 4);
#endif
