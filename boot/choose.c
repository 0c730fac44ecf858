// SPDX-License-Identifier: MIT
//
// The one word of the command line that matters before all else.
#include "boot/choose.h"

#include "lib/string.h"

#define WORD "protect="

// What is between words, for kernel/cmdline.c too.
static __init bool is_between(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// The length of the word at `text`.
static __init size_t word_length(const char *text)
{
    size_t length = 0;
    while (text[length] != 0 && !is_between(text[length])) {
        length++;
    }
    return length;
}

static __init bool word_is(const char *text, size_t length, const char *wanted)
{
    return length == strlen(wanted) && memcmp(text, wanted, length) == 0;
}

__init bool boot_wants_open(const char *cmdline)
{
    bool open = false;
    size_t prefix = strlen(WORD);
    while (*cmdline != 0) {
        size_t length = word_length(cmdline);
        if (word_is(cmdline, length, "--")) {
            break; // the application's words
        }
        if (length >= prefix && memcmp(cmdline, WORD, prefix) == 0) {
            open = word_is(cmdline, length, WORD "open");
        }
        cmdline += length;
        cmdline += *cmdline != 0;
    }
    return open;
}
