// SPDX-License-Identifier: MIT
//
// Completion: what the candidates have in common goes into the line; one alone
// gets a space behind it; several are listed and the line is shown again.

#include "kernel/lineedit_internal.h"
#include "lib/string.h"

// Against a callback that never returns NULL.
#define CANDIDATES_MAX 1024

struct completion {
    char text[LINEEDIT_MAX]; // the line up to the cursor
    size_t word;             // where the word starts in it
    size_t typed;            // how much of it is there
    unsigned matches;
    const char *first; // one that matches, for its spelling
    size_t common;     // how much of `first` all of them share
};

// The index-th candidate, or NULL at the end. *fits: it starts as typed.
static const char *candidate(struct lineedit *edit,
                             const struct completion *completion,
                             unsigned index, bool *fits)
{
    const char *word;

    if (index >= CANDIDATES_MAX) {
        return NULL;
    }
    word = edit->complete(edit->context, completion->text, completion->word,
                          index);
    *fits = word != NULL && strncmp(word, completion->text + completion->word,
                                    completion->typed) == 0;
    return word;
}

static void find_matches(struct lineedit *edit, struct completion *completion)
{
    const char *word;
    bool fits;

    for (unsigned i = 0; (word = candidate(edit, completion, i, &fits)) != NULL;
         i++) {
        if (!fits) {
            continue;
        }
        if (completion->matches++ == 0) {
            completion->first = word;
            completion->common = strlen(word);
        } else {
            size_t same = 0;

            while (same < completion->common &&
                   word[same] == completion->first[same]) {
                same++;
            }
            completion->common = same;
        }
    }
}

static void list_matches(struct lineedit *edit,
                         const struct completion *completion)
{
    const char *word;
    bool fits;

    lineedit_show_string(edit, "\r\n");
    for (unsigned i = 0; (word = candidate(edit, completion, i, &fits)) != NULL;
         i++) {
        if (fits) {
            lineedit_show_string(edit, word);
            lineedit_show_string(edit, "  ");
        }
    }
    lineedit_show_string(edit, "\r\n");
    lineedit_show_line(edit);
}

void lineedit_complete(struct lineedit *edit)
{
    struct completion completion = {.word = edit->cursor};

    if (edit->complete == NULL) {
        return;
    }
    memcpy(completion.text, edit->line, edit->cursor);
    completion.text[edit->cursor] = '\0';
    while (completion.word > 0 && completion.text[completion.word - 1] != ' ') {
        completion.word--;
    }
    completion.typed = edit->cursor - completion.word;
    find_matches(edit, &completion);
    if (completion.matches == 0) {
        return;
    }
    lineedit_insert(edit, completion.first + completion.typed,
                    completion.common - completion.typed);
    if (completion.matches == 1) {
        if (edit->line[edit->cursor] != ' ') {
            lineedit_insert(edit, " ", 1);
        }
    } else {
        list_matches(edit, &completion);
    }
}
