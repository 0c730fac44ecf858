// SPDX-License-Identifier: MIT
//
// The input chooses one conversion that we share with the C library, and its
// argument. Both must print the same into a buffer of any size.

#include "lib/format.h"
#include "tests/host/fuzz.h"

#pragma GCC diagnostic ignored "-Wformat-nonliteral"

struct choices {
    uint8_t flags, width, precision, modifier, type, room;
    uint8_t value[8];
};

static void build_format(const struct choices *choices, char *fmt)
{
    static const char *const modifiers[] = {"", "hh", "h", "l", "ll", "z"};
    static const char types[] = "diuxXsc";
    char type = types[choices->type % 7];
    int at =
        sprintf(fmt, "<%%%s%s", choices->flags & 1 ? "-" : "",
                choices->flags & 2 && type != 's' && type != 'c' ? "0" : "");

    if (choices->flags & 4) {
        at += sprintf(fmt + at, "%d", choices->width);
    }
    if (choices->flags & 8 && type != 'c') {
        at += sprintf(fmt + at, ".%d", choices->precision);
    }
    if (type != 's' && type != 'c') {
        at += sprintf(fmt + at, "%s", modifiers[choices->modifier % 6]);
    }
    sprintf(fmt + at, "%c>", type);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct choices choices = {0};
    char fmt[32], got[600], want[600];
    long long value;
    int got_length, want_length;
    size_t room;

    memcpy(&choices, data, size < sizeof(choices) ? size : sizeof(choices));
    memcpy(&value, choices.value, sizeof(value));
    build_format(&choices, fmt);
    memset(got, '#', sizeof(got));
    memset(want, '#', sizeof(want));
    room = choices.flags & 16 ? choices.room : sizeof(got);
    if (strchr(fmt, 's') != NULL) {
        char *text = fuzz_string(data, size);

        got_length = format_snprintf(got, room, fmt, text);
        want_length = snprintf(want, room, fmt, text);
        free(text);
    } else {
        got_length = format_snprintf(got, room, fmt, value);
        want_length = snprintf(want, room, fmt, value);
    }
    FUZZ_ASSERT(got_length == want_length, fmt);
    FUZZ_ASSERT(memcmp(got, want, sizeof(got)) == 0, fmt);
    return 0;
}
