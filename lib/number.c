// SPDX-License-Identifier: MIT
//
// Numbers as people type them.

#include "lib/number.h"

// The value of a digit, or something larger than any base.
static unsigned digit_value(char c)
{
    if (c >= '0' && c <= '9') {
        return (unsigned)(c - '0');
    }
    if (c >= 'a' && c <= 'f') {
        return (unsigned)(c - 'a') + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return (unsigned)(c - 'A') + 10;
    }
    return UINT32_MAX;
}

static unsigned suffix_shift(char c)
{
    switch (c) {
    case 'K':
    case 'k':
        return 10;
    case 'M':
    case 'm':
        return 20;
    case 'G':
    case 'g':
        return 30;
    default:
        return 0;
    }
}

bool number_parse(const char *s, uint64_t *out)
{
    unsigned base = 10;
    uint64_t value = 0;
    unsigned shift;

    if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
        base = 16;
        s += 2;
    }
    if (digit_value(*s) >= base) {
        return false;
    }
    for (; digit_value(*s) < base; s++) {
        unsigned digit = digit_value(*s);

        if (value > (UINT64_MAX - digit) / base) {
            return false;
        }
        value = value * base + digit;
    }
    shift = suffix_shift(*s);
    if (shift != 0) {
        s++;
        if (value > UINT64_MAX >> shift) {
            return false;
        }
    }
    if (*s != '\0') {
        return false;
    }
    *out = value << shift;
    return true;
}
