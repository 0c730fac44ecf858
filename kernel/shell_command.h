// SPDX-License-Identifier: MIT
//
// The shell's commands, as tables: the kernel's own, and those of applications
// that are linked in.
#pragma once

#include "lib/types.h"

// What a word stands for; what TAB offers for it.
enum shell_word {
    WORD_FREE, // nothing to offer
    WORD_COMMAND,
    WORD_ADDRESS, // a number, or a function's name
    WORD_DOMAIN,
    WORD_FAULT, // a kind of fault
    WORD_TEST,
    WORD_BENCH,
    WORD_SCRIPT,
};

#define SHELL_WORDS_KNOWN 3 // arguments of which that is known

// A command. `run` gets what was typed; argv[0] is the name, and the number of
// arguments is between `least` and `most`. Unless `bare` is set, a fault or a
// misuse in it is reported and the shell goes on.
struct shell_command {
    const char *name;
    const char *arguments; // for people: "ADDR [N]"; NULL: none
    const char *help;      // of `help`: at most 28 characters
    const char *example;
    const char *more; // of `help CMD`: what else there is to know, or NULL
    uint8_t least, most;
    bool bare;
    uint8_t words[SHELL_WORDS_KNOWN]; // enum shell_word of each argument
    void (*run)(int argc, char **argv);
};

struct shell_table {
    const struct shell_command *commands;
    size_t count;
} __aligned(16);

// The tables lie side by side (linker.ld).
_Static_assert(sizeof(struct shell_table) == 16, "no gap between two");

// Have the shell know an array of commands.
#define SHELL_COMMANDS(array)                                                  \
    static const struct shell_table array##_table __used                       \
        __attribute__((section(".shell_tables"))) = {(array),                  \
                                                     ARRAY_SIZE(array)}

// Say what is wrong with what was typed, or with a script, whose name and line
// come first. The text gets the end of its line here.
void shell_error(const char *format, ...) __printf(1, 2);

// A number of at most `limit`. False: it is not, and that was said.
bool shell_number(const char *text, uint64_t limit, uint64_t *out);
