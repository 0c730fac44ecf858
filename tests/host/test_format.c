// SPDX-License-Identifier: MIT
//
// lib/format: the conversions that it shares with the C library are compared
// with it, the rest with what its header promises.

#include "lib/format.h"

#include <limits.h>
#include <stdint.h>

#include "tests/host/tap.h"

#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"

static char got[256], want[256];

// Both print the same, and say that it is of the same length.
#define SAME(...)                                                              \
    do {                                                                       \
        int got_length = format_snprintf(got, sizeof(got), __VA_ARGS__);       \
        int want_length = snprintf(want, sizeof(want), __VA_ARGS__);           \
        CHECK_STR(got, want);                                                  \
        CHECK_EQ(got_length, want_length);                                     \
    } while (0)

// A format that the compiler cannot check, where it would rightly object.
static const char *hide(const char *fmt)
{
    const char *volatile hidden = fmt;

    return hidden;
}

HOST_TEST(integers_print_as_in_c)
{
    SAME("%d %i %u %x %X", -1, 42, 42u, 0xbeefu, 0xbeefu);
    SAME("%d %d %d", 0, INT_MIN, INT_MAX);
    SAME("%u %x", UINT_MAX, UINT_MAX);
    SAME("%ld %ld %lu %lx", LONG_MIN, LONG_MAX, ULONG_MAX, ULONG_MAX);
    SAME("%lld %llu %llX", LLONG_MIN, ULLONG_MAX, ULLONG_MAX);
    SAME("%zu %zd %zx", SIZE_MAX, (ssize_t)-5, SIZE_MAX);
    SAME("%hhd %hhu %hd %hu", (signed char)-1, (unsigned char)255, (short)-1,
         (unsigned short)65535);
}

HOST_TEST(short_integers_are_cut)
{
    int large = 0x12345;

    SAME("%hhx %hx %hhd %hd", (unsigned char)large, (unsigned short)large,
         (signed char)large, (short)large);
    format_snprintf(got, sizeof(got), hide("%hhx %hx"), large, large);
    CHECK_STR(got, "45 2345");
}

HOST_TEST(width_and_flags)
{
    SAME("[%5d] [%-5d] [%05d] [%05d]", 42, 42, 42, -42);
    SAME("[%2d] [%-2d] [%02d]", 12345, 12345, 12345);
    SAME("[%8x] [%08x] [%-8x] [%016lx]", 0xabcu, 0xabcu, 0xabcu, 0xabcul);
    SAME("[%5s] [%-5s] [%5c] [%-5c]", "ab", "ab", 'c', 'c');
    SAME("[%*d] [%*d] [%0*d]", 6, 42, -6, 42, 6, 42);
    SAME("[%40d]", 1);
}

HOST_TEST(precision)
{
    SAME("[%.3s] [%.10s] [%.0s] [%8.3s] [%-8.3s]", "abcdef", "abc", "abc",
         "abcdef", "abcdef");
    SAME("[%.*s] [%.*s]", 2, "abcdef", -1, "abcdef");
    SAME("[%.5d] [%8.5d] [%-8.5d] [%.0d] [%.0d]", 42, -42, 42, 0, 7);
    SAME("[%.x] [%.8x]", 0u, 0xbeefu);
}

HOST_TEST(precision_bounds_the_reading)
{
    char unterminated[3] = {'a', 'b', 'c'};

    format_snprintf(got, sizeof(got), "%.3s", unterminated);
    CHECK_STR(got, "abc");
}

HOST_TEST(pointers_have_16_digits)
{
    format_snprintf(got, sizeof(got), "%p %p", (void *)0,
                    (void *)0xffff800012345678);
    CHECK_STR(got, "0x0000000000000000 0xffff800012345678");
    format_snprintf(got, sizeof(got), "[%20p] [%-20p]", (void *)1, (void *)1);
    CHECK_STR(got, "[  0x0000000000000001] [0x0000000000000001  ]");
}

HOST_TEST(null_string_is_named)
{
    const char *volatile null = NULL;

    format_snprintf(got, sizeof(got), "%s", null);
    CHECK_STR(got, "(null)");
}

HOST_TEST(unknown_conversions_are_shown)
{
    format_snprintf(got, sizeof(got), hide("%q %y 100%"));
    CHECK_STR(got, "%q %y 100%");
    format_snprintf(got, sizeof(got), hide("%-5lq|%n|%%"));
    CHECK_STR(got, "%-5lq|%n|%");
    format_snprintf(got, sizeof(got), hide("a%"));
    CHECK_STR(got, "a%");
    format_snprintf(got, sizeof(got), hide("%l"));
    CHECK_STR(got, "%l");
}

HOST_TEST(short_buffers_are_terminated)
{
    memset(got, '#', sizeof(got));
    CHECK_EQ(format_snprintf(got, 4, "%d", 123456), 6);
    CHECK_STR(got, "123");
    CHECK(got[4] == '#');
    CHECK_EQ(format_snprintf(got, 1, "%s", "abc"), 3);
    CHECK_STR(got, "");
    CHECK_EQ(format_snprintf(NULL, 0, "%s", "abc"), 3);
    CHECK_EQ(format_snprintf(got, 7, "%d", 123456), 6);
    CHECK_STR(got, "123456");
}

HOST_TEST(useless_flags_and_numbers_too_large)
{
    SAME(hide("[%-05d] [%0-5d] [%05.3d]"), 42, 42, 42);
    format_snprintf(got, sizeof(got), hide("%.99999999999999999999s"), "abc");
    CHECK_STR(got, "abc");
}
