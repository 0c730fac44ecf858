// SPDX-License-Identifier: MIT
//
// What TAB offers: the words that may stand where the cursor is.
#include "kernel/lineedit.h"
#include "kernel/run.h"
#include "kernel/shell_internal.h"
#include "kernel/symbols.h"
#include "keyhole.h"
#include "lib/string.h"
#include "mm/domain.h"

extern const struct test_entry __tests_start[], __tests_end[];
extern const struct test_entry __benches_start[], __benches_end[];

static const char *command_name(unsigned index)
{
    const struct shell_command *command = shell_command_at(index);
    return command != NULL ? command->name : NULL;
}

static const char *test_name(unsigned index)
{
    return index < (size_t)(__tests_end - __tests_start)
               ? __tests_start[index].name
               : NULL;
}

static const char *bench_name(unsigned index)
{
    return index < (size_t)(__benches_end - __benches_start)
               ? __benches_start[index].name
               : NULL;
}

// A name that cannot be typed as one word is not offered.
static bool is_word(const char *text)
{
    while (*text > ' ' && *text <= '~') {
        text++;
    }
    return *text == '\0';
}

static const char *domain_word(unsigned index)
{
    const struct domain *domain = domain_next(DOMAIN_NONE);
    while (domain != NULL && index > 0) {
        domain = domain_next(domain->id);
        index--;
    }
    return domain == NULL ? NULL : is_word(domain->name) ? domain->name : "";
}

// By enum shell_word: the index-th word that it may be; NULL behind the last.
static const char *(*const words_of[])(unsigned index) = {
    [WORD_COMMAND] = command_name,     [WORD_ADDRESS] = symbol_name,
    [WORD_DOMAIN] = domain_word,       [WORD_FAULT] = shell_fault_kind,
    [WORD_TEST] = test_name,           [WORD_BENCH] = bench_name,
    [WORD_SCRIPT] = shell_script_name,
};

// What the word at text + word is an argument of, and which (0: the command
// itself).
static const struct shell_command *command_of(const char *text, size_t word,
                                              unsigned *argument)
{
    char name[LINEEDIT_MAX];
    const struct shell_command *command = NULL;
    *argument = 0;
    for (size_t at = 0; at < word;) {
        size_t start = at;
        while (at < word && text[at] != ' ') {
            at++;
        }
        if (at > start && (*argument)++ == 0) {
            string_copy(name, MIN(at - start + 1, sizeof(name)), text + start);
            command = shell_command_find(name);
        }
        at += at < word;
    }
    return command;
}

const char *shell_complete(void *context, const char *text, size_t word,
                           unsigned index)
{
    unsigned argument;
    const struct shell_command *command = command_of(text, word, &argument);
    (void)context;
    if (argument == 0) {
        return command_name(index);
    }
    if (command == NULL || argument > SHELL_WORDS_KNOWN) {
        return NULL;
    }
    const char *(*words)(unsigned) = words_of[command->words[argument - 1]];
    return words != NULL ? words(index) : NULL;
}
