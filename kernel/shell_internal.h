// SPDX-License-Identifier: MIT
//
// Between the shell's loop and its commands.
#pragma once

#include "kernel/shell.h"
#include "lib/types.h"

// A command. `run` gets what was typed; argv[0] is the name, and the number of
// arguments is between `least` and `most`. Unless `bare` is set, a fault or a
// misuse in it is reported and the shell goes on.
struct shell_command {
    const char *name;
    const char *arguments; // for people: "ADDR [N]"
    const char *help;      // one line
    const char *example;
    uint8_t least, most;
    bool bare;
    void (*run)(int argc, char **argv);
};

// An address from a number, or from a function's name with +OFFSET or without.
// False: it is neither, and that was said.
bool shell_address(const char *text, uintptr_t *out);

// A number of at most `limit`. False: it is not, and that was said.
bool shell_number(const char *text, uint64_t limit, uint64_t *out);

// ---- Memory: shell_memory.c.
void shell_walk(int argc, char **argv);
void shell_peek(int argc, char **argv);
void shell_poke(int argc, char **argv);
void shell_alloc(int argc, char **argv);
void shell_free(int argc, char **argv);

// ---- Checks: shell_audit.c.
void shell_audit(int argc, char **argv);

// ---- Who touches what: shell_watch.c.
void shell_watch(int argc, char **argv);
void shell_unwatch(int argc, char **argv);
void shell_freeze(int argc, char **argv);
void shell_thaw(int argc, char **argv);
void shell_who(int argc, char **argv);
void shell_brackets(int argc, char **argv);
void shell_history(int argc, char **argv);

// ---- Deliberate faults: shell_fault.c.
void shell_fault(int argc, char **argv);

// The name of a kind of fault, NULL behind the last; and the list for people.
const char *shell_fault_kind(unsigned index);
void shell_fault_list(void);
