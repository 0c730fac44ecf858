// SPDX-License-Identifier: MIT
//
// Formatted text: one pass over the format, one conversion at a time, each
// read into a `struct conversion` and then printed from it.

#include "lib/format.h"

#include <limits.h>

#include "lib/string.h"

#define DIGITS_MAX 20 // of 2^64 - 1 in decimal

struct output {
    format_sink_fn sink;
    void *context;
    size_t length;
};

struct conversion {
    bool left; // flag -
    bool zero; // flag 0
    int width;
    int precision; // -1: none
    int size;      // bytes of the integer argument
    char type;     // the conversion character, '\0' if the format ends
};

static void emit(struct output *out, const char *text, size_t length)
{
    if (length > 0) {
        out->sink(out->context, text, length);
        out->length += length;
    }
}

static void emit_repeated(struct output *out, char c, size_t count)
{
    char block[16];

    memset(block, c, sizeof(block));
    while (count > 0) {
        size_t step = MIN(count, sizeof(block));

        emit(out, block, step);
        count -= step;
    }
}

// `prefix`, then `zeros` zeros, then the body, padded to the width.
static void emit_padded(struct output *out, const struct conversion *conv,
                        const char *prefix, size_t zeros, const char *body,
                        size_t body_length)
{
    size_t prefix_length = strlen(prefix);
    size_t length = prefix_length + zeros + body_length;
    size_t width = (size_t)conv->width;
    size_t padding = width > length ? width - length : 0;

    if (!conv->left) {
        emit_repeated(out, ' ', padding);
    }
    emit(out, prefix, prefix_length);
    emit_repeated(out, '0', zeros);
    emit(out, body, body_length);
    if (conv->left) {
        emit_repeated(out, ' ', padding);
    }
}

static void emit_number(struct output *out, const struct conversion *conv,
                        uint64_t value, unsigned base, const char *prefix)
{
    const char *digits =
        conv->type == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    char text[DIGITS_MAX];
    size_t length = 0;
    size_t wanted = conv->precision < 0 ? 1 : (size_t)conv->precision;

    for (; value != 0; value /= base) {
        length++;
        text[DIGITS_MAX - length] = digits[value % base];
    }
    // C: the flag 0 is ignored if there is a precision, or the flag -.
    if (conv->zero && !conv->left && conv->precision < 0) {
        size_t prefix_length = strlen(prefix);
        size_t width = (size_t)conv->width;

        wanted = MAX(wanted, width - MIN(width, prefix_length));
    }
    emit_padded(out, conv, prefix, wanted > length ? wanted - length : 0,
                text + DIGITS_MAX - length, length);
}

static void emit_string(struct output *out, const struct conversion *conv,
                        const char *text)
{
    size_t limit = conv->precision < 0 ? SIZE_MAX : (size_t)conv->precision;
    size_t length = 0;

    if (text == NULL) {
        text = "(null)";
    }
    // Not strlen: with a precision the text need not be terminated.
    while (length < limit && text[length] != '\0') {
        length++;
    }
    emit_padded(out, conv, "", 0, text, length);
}

// A number of the format itself; stops counting well below INT_MAX.
static const char *read_number(const char *fmt, int *value)
{
    *value = 0;
    for (; *fmt >= '0' && *fmt <= '9'; fmt++) {
        if (*value < INT_MAX / 16) {
            *value = *value * 10 + (*fmt - '0');
        }
    }
    return fmt;
}

// The length modifier; what follows it is the conversion character.
static const char *read_size(const char *fmt, int *size)
{
    *size = sizeof(int);
    if (fmt[0] == 'h' && fmt[1] == 'h') {
        *size = sizeof(char);
        return fmt + 2;
    }
    if (fmt[0] == 'l' && fmt[1] == 'l') {
        *size = sizeof(long long);
        return fmt + 2;
    }
    switch (fmt[0]) {
    case 'h':
        *size = sizeof(short);
        return fmt + 1;
    case 'l':
        *size = sizeof(long);
        return fmt + 1;
    case 'z':
        *size = sizeof(size_t);
        return fmt + 1;
    default:
        return fmt;
    }
}

// A va_list is an array on x86-64 and cannot be passed by address when it is
// itself a parameter; in a struct it can.
struct arguments {
    va_list list;
};

// What stands between the % and the end of the conversion.
static const char *read_conversion(const char *fmt, struct conversion *conv,
                                   struct arguments *args)
{
    *conv = (struct conversion){.precision = -1};
    for (; *fmt == '0' || *fmt == '-'; fmt++) {
        conv->zero |= *fmt == '0';
        conv->left |= *fmt == '-';
    }
    if (*fmt == '*') {
        int width = va_arg(args->list, int);

        // C: a negative width is the flag - and a width.
        conv->left |= width < 0;
        conv->width = width == INT_MIN ? INT_MAX : width < 0 ? -width : width;
        fmt++;
    } else {
        fmt = read_number(fmt, &conv->width);
    }
    if (*fmt == '.') {
        fmt++;
        if (*fmt == '*') {
            conv->precision = va_arg(args->list, int);
            conv->precision = MAX(conv->precision, -1);
            fmt++;
        } else {
            fmt = read_number(fmt, &conv->precision);
        }
    }
    fmt = read_size(fmt, &conv->size);
    conv->type = *fmt;
    return conv->type == '\0' ? fmt : fmt + 1;
}

static int64_t signed_argument(const struct conversion *conv,
                               struct arguments *args)
{
    switch (conv->size) {
    case sizeof(char):
        return (signed char)va_arg(args->list, int);
    case sizeof(short):
        return (short)va_arg(args->list, int);
    case sizeof(int):
        return va_arg(args->list, int);
    default:
        return va_arg(args->list, int64_t);
    }
}

static uint64_t unsigned_argument(const struct conversion *conv,
                                  struct arguments *args)
{
    switch (conv->size) {
    case sizeof(char):
        return (unsigned char)va_arg(args->list, unsigned);
    case sizeof(short):
        return (unsigned short)va_arg(args->list, unsigned);
    case sizeof(int):
        return va_arg(args->list, unsigned);
    default:
        return va_arg(args->list, uint64_t);
    }
}

// Print one conversion. False: it is not one of ours, nothing was printed.
static bool print_conversion(struct output *out, struct conversion *conv,
                             struct arguments *args)
{
    switch (conv->type) {
    case '%':
        emit(out, "%", 1);
        return true;
    case 'c': {
        char c = (char)va_arg(args->list, int);

        emit_padded(out, conv, "", 0, &c, 1);
        return true;
    }
    case 's':
        emit_string(out, conv, va_arg(args->list, char *));
        return true;
    case 'd':
    case 'i': {
        int64_t value = signed_argument(conv, args);
        uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

        emit_number(out, conv, magnitude, 10, value < 0 ? "-" : "");
        return true;
    }
    case 'u':
        emit_number(out, conv, unsigned_argument(conv, args), 10, "");
        return true;
    case 'x':
    case 'X':
        emit_number(out, conv, unsigned_argument(conv, args), 16, "");
        return true;
    case 'p':
        conv->precision = 16;
        emit_number(out, conv, (uintptr_t)va_arg(args->list, void *), 16, "0x");
        return true;
    default:
        return false;
    }
}

int format_print(format_sink_fn sink, void *context, const char *fmt,
                 va_list args)
{
    struct output out = {.sink = sink, .context = context};
    struct arguments copy;

    va_copy(copy.list, args);
    while (*fmt != '\0') {
        const char *start = fmt;
        struct conversion conv;

        if (*fmt != '%') {
            while (*fmt != '\0' && *fmt != '%') {
                fmt++;
            }
            emit(&out, start, (size_t)(fmt - start));
            continue;
        }
        fmt = read_conversion(fmt + 1, &conv, &copy);
        if (!print_conversion(&out, &conv, &copy)) {
            emit(&out, start, (size_t)(fmt - start));
        }
    }
    va_end(copy.list);
    return out.length > INT_MAX ? INT_MAX : (int)out.length;
}

struct buffer {
    char *to;
    size_t size;
    size_t used;
};

static void buffer_sink(void *context, const char *text, size_t length)
{
    struct buffer *buffer = context;
    size_t room = buffer->size - buffer->used;
    size_t copied = MIN(room, length);

    memcpy(buffer->to + buffer->used, text, copied);
    buffer->used += copied;
}

static void null_sink(void *context, const char *text, size_t length)
{
    (void)context;
    (void)text;
    (void)length;
}

int format_vsnprintf(char *to, size_t size, const char *fmt, va_list args)
{
    struct buffer buffer = {.to = to, .size = size - 1};
    int length;

    if (size == 0) {
        return format_print(null_sink, NULL, fmt, args);
    }
    length = format_print(buffer_sink, &buffer, fmt, args);
    to[buffer.used] = '\0';
    return length;
}

int format_snprintf(char *to, size_t size, const char *fmt, ...)
{
    va_list args;
    int length;

    va_start(args, fmt);
    length = format_vsnprintf(to, size, fmt, args);
    va_end(args);
    return length;
}

#ifndef KEYHOLE_HOST

int vsnprintf(char *to, size_t size, const char *fmt, va_list args)
{
    return format_vsnprintf(to, size, fmt, args);
}

int snprintf(char *to, size_t size, const char *fmt, ...)
{
    va_list args;
    int length;

    va_start(args, fmt);
    length = format_vsnprintf(to, size, fmt, args);
    va_end(args);
    return length;
}

#endif
