// SPDX-License-Identifier: MIT
//
// A terminal of one line, to see what a user of the line editor would see.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define TERMINAL_COLUMNS 1024

struct terminal {
    char row[TERMINAL_COLUMNS]; // what the current line shows
    size_t column;
    char above[TERMINAL_COLUMNS]; // the line before it
    size_t lines;                 // how many there have been
    size_t widest;                // of them, in columns
    bool broken;                  // something that no terminal understands
};

void terminal_init(struct terminal *terminal);

// A lineedit_write_fn; the context is the terminal.
void terminal_write(void *context, const char *text, size_t length);

// Does the line show prompt and text, and nothing else, with the cursor behind
// `cursor` characters of the text?
bool terminal_shows(const struct terminal *terminal, const char *prompt,
                    const char *text, size_t cursor);
