// SPDX-License-Identifier: MIT
//
// Completion: what the candidates have in common goes into the line; one alone
// gets a space behind it; several are listed, sorted and in columns, and the
// line is shown again.

#include "kernel/lineedit_internal.h"
#include "lib/format.h"
#include "lib/string.h"

// Against a callback that never returns NULL.
#define CANDIDATES_MAX 65536

// A list leaves room for the prompts around it.
#define LIST_ROWS 20
#define LIST_COLUMNS 79
#define LIST_GAP 2
#define LIST_MAX 160 // words of 7 letters, a screenful

struct completion {
    char text[LINEEDIT_MAX]; // the line up to the cursor
    size_t word;             // where the word starts in it
    size_t typed;            // how much of it is there
    unsigned matches;
    const char *first; // one that matches, for its spelling
    size_t common;     // how much of `first` all of them share
};

// The first candidates in the order of the alphabet, each once.
struct list {
    const char *word[LIST_MAX];
    unsigned count;
    unsigned left_out; // a word that comes twice may count twice here
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
    *fits = word != NULL && *word != '\0' &&
            strncmp(word, completion->text + completion->word,
                    completion->typed) == 0;
    return word;
}

static void find_matches(struct lineedit *edit, struct completion *completion)
{
    const char *word;
    bool fits;

    for (unsigned i = 0; (word = candidate(edit, completion, i, &fits)) != NULL;
         i++) {
        if (!fits ||
            (completion->matches > 0 && strcmp(word, completion->first) == 0)) {
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

static void list_add(struct list *list, const char *word)
{
    unsigned place = list->count;
    int order = 1;

    while (place > 0 && (order = strcmp(word, list->word[place - 1])) < 0) {
        place--;
    }
    if (place > 0 && order == 0) {
        return;
    }
    if (list->count == LIST_MAX) {
        list->left_out++;
        if (place == LIST_MAX) {
            return;
        }
        list->count--;
    }
    memmove(&list->word[place + 1], &list->word[place],
            (list->count - place) * sizeof(list->word[0]));
    list->word[place] = word;
    list->count++;
}

// No word is wider than the screen.
static size_t list_width(const char *word)
{
    return MIN(strlen(word), LIST_COLUMNS);
}

static size_t list_measure(const struct list *list)
{
    size_t width = 0;

    for (unsigned i = 0; i < list->count; i++) {
        width = MAX(width, list_width(list->word[i]));
    }
    return width + LIST_GAP;
}

static void list_show_row(struct lineedit *edit, const struct list *list,
                          unsigned row, unsigned rows, size_t width)
{
    for (unsigned i = row; i < list->count; i += rows) {
        size_t at = list_width(list->word[i]);

        lineedit_show(edit, list->word[i], at);
        for (; i + rows < list->count && at < width; at++) {
            lineedit_show(edit, " ", 1);
        }
    }
    lineedit_show_string(edit, "\r\n");
}

static void list_matches(struct lineedit *edit,
                         const struct completion *completion)
{
    struct list list = {.count = 0};
    const char *word;
    bool fits;

    for (unsigned i = 0; (word = candidate(edit, completion, i, &fits)) != NULL;
         i++) {
        if (fits) {
            list_add(&list, word);
        }
    }
    size_t width = list_measure(&list);
    unsigned columns = (LIST_COLUMNS + LIST_GAP) / width;
    unsigned rows = (list.count + columns - 1) / columns;
    if (rows > LIST_ROWS) {
        rows = LIST_ROWS;
        list.left_out += list.count - rows * columns;
        list.count = rows * columns;
    }
    lineedit_show_string(edit, "\r\n");
    for (unsigned row = 0; row < rows; row++) {
        list_show_row(edit, &list, row, rows, width);
    }
    if (list.left_out > 0) {
        char text[32];

        format_snprintf(text, sizeof(text), "... and %u more\r\n",
                        list.left_out);
        lineedit_show_string(edit, text);
    }
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
