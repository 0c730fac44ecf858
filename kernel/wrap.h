// SPDX-License-Identifier: MIT
//
// Words on the console, on lines that a terminal of 80 columns shows whole.
#pragma once

#include "lib/types.h"

#define WRAP_COLUMNS 79

// Where the next word goes. Lines that go on begin `indent` columns further in.
struct wrap {
    unsigned column;
    unsigned indent;
};

// Print a word, on the next line if it does not fit on this; a space comes
// before it unless it is the first.
void wrap_word(struct wrap *wrap, const char *word);

// Print a text whose words are parted by spaces, and the end of the line.
// `indent` columns come first, on every line.
void wrap_text(unsigned indent, const char *text);
