// SPDX-License-Identifier: MIT
//
// A terminal of one line: printable characters, CR, LF, backspace, and the
// escape sequences that wipe.

#include "tests/host/terminal.h"

#include <string.h>

void terminal_init(struct terminal *terminal)
{
    memset(terminal, 0, sizeof(*terminal));
}

static bool starts_with(const char *text, size_t length, const char *start)
{
    size_t wanted = strlen(start);

    return length >= wanted && memcmp(text, start, wanted) == 0;
}

static void wipe(struct terminal *terminal, size_t from)
{
    memset(terminal->row + from, 0, TERMINAL_COLUMNS - from);
}

// Returns how many bytes it took.
static size_t escape(struct terminal *terminal, const char *text, size_t length)
{
    if (starts_with(text, length, "\x1b[K")) {
        wipe(terminal, terminal->column);
        return 3;
    }
    if (starts_with(text, length, "\x1b[2J")) {
        wipe(terminal, 0);
        return 4;
    }
    if (starts_with(text, length, "\x1b[H")) {
        terminal->column = 0;
        return 3;
    }
    terminal->broken = true;
    return 1;
}

static void put(struct terminal *terminal, char c)
{
    if (c == '\r') {
        terminal->column = 0;
    } else if (c == '\n') {
        memcpy(terminal->above, terminal->row, TERMINAL_COLUMNS);
        terminal->lines++;
        if (strlen(terminal->row) > terminal->widest) {
            terminal->widest = strlen(terminal->row);
        }
        wipe(terminal, 0);
    } else if (c == '\b' && terminal->column > 0) {
        terminal->column--;
    } else if (c >= 0x20 && c < 0x7f &&
               terminal->column < TERMINAL_COLUMNS - 1) {
        terminal->row[terminal->column++] = c;
    } else {
        terminal->broken = true;
    }
}

void terminal_write(void *context, const char *text, size_t length)
{
    struct terminal *terminal = context;

    while (length > 0) {
        size_t taken = 1;

        if (*text == 0x1b) {
            taken = escape(terminal, text, length);
        } else {
            put(terminal, *text);
        }
        text += taken;
        length -= taken;
    }
}

bool terminal_shows(const struct terminal *terminal, const char *prompt,
                    const char *text, size_t cursor)
{
    size_t start = strlen(prompt);

    return !terminal->broken && strncmp(terminal->row, prompt, start) == 0 &&
           strcmp(terminal->row + start, text) == 0 &&
           terminal->column == start + cursor;
}
