// SPDX-License-Identifier: MIT
//
// Text on lines of 79 columns.
#include "kernel/wrap.h"

#include "keyhole.h"
#include "lib/string.h"

static void word_print(struct wrap *wrap, const char *word, size_t length)
{
    bool first = wrap->column <= wrap->indent;
    if (!first && wrap->column + 1 + length > WRAP_COLUMNS) {
        printf("\n%*s", (int)wrap->indent, "");
        wrap->column = wrap->indent;
        first = true;
    }
    printf("%s%.*s", first ? "" : " ", (int)length, word);
    wrap->column += length + !first;
}

void wrap_word(struct wrap *wrap, const char *word)
{
    word_print(wrap, word, strlen(word));
}

void wrap_text(unsigned indent, const char *text)
{
    struct wrap wrap = {indent, indent};
    printf("%*s", (int)indent, "");
    while (*text != '\0') {
        const char *space = strchr(text, ' ');
        size_t length = space != NULL ? (size_t)(space - text) : strlen(text);
        word_print(&wrap, text, length);
        text += length + (space != NULL);
    }
    printf("\n");
}
