// SPDX-License-Identifier: MIT
//
// The input is what a user types. After each byte the terminal must show the
// line, with the cursor where the editor has it.

#include "kernel/lineedit.h"
#include "tests/host/fuzz.h"
#include "tests/host/terminal.h"

#define PROMPT "> "

static const char *complete(void *context, const char *text, size_t word,
                            unsigned index)
{
    static const char *const words[] = {"a",   "abc", "abd", "help",
                                        "x y", "",    "abc"};

    (void)context;
    FUZZ_ASSERT(word <= strlen(text), "the word is not in the text");
    return index < sizeof(words) / sizeof(words[0]) ? words[index] : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct lineedit edit;
    static struct terminal terminal;

    terminal_init(&terminal);
    lineedit_init(&edit, PROMPT, terminal_write, complete, &terminal);
    lineedit_begin(&edit);
    for (size_t i = 0; i < size; i++) {
        enum lineedit_result result = lineedit_feed(&edit, (char)data[i]);

        FUZZ_ASSERT(edit.length < LINEEDIT_MAX, "the line is too long");
        FUZZ_ASSERT(edit.cursor <= edit.length, "the cursor is outside");
        FUZZ_ASSERT(strlen(edit.line) == edit.length, "the length is wrong");
        if (result != LINEEDIT_MORE) {
            lineedit_begin(&edit);
        }
        FUZZ_ASSERT(terminal_shows(&terminal, PROMPT, edit.line, edit.cursor),
                    "the terminal shows something else");
    }
    return 0;
}
