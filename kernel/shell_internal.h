// SPDX-License-Identifier: MIT
//
// Between the shell's loop and its commands.
#pragma once

#include "kernel/shell.h"
#include "kernel/shell_command.h"
#include "lib/types.h"

// By number, in the order of the list; NULL behind the last. Any context.
const struct shell_command *shell_command_at(unsigned index);

// By name; NULL: there is none.
const struct shell_command *shell_command_find(const char *name);

// ---- The loop: shell_loop.c.

// Carry out one line, of at most LINEEDIT_MAX characters. False: that was an
// error (shell_error()). Thread context.
bool shell_line_run(const char *line);

// The end of the shell, and whether that is near.
void shell_exit(int argc, char **argv);
bool shell_is_done(void);

// ---- Arguments: shell_arguments.c.

// An address from a number, or from a function's name with +OFFSET or without.
// False: it is neither, and that was said.
bool shell_address(const char *text, uintptr_t *out);

// A physical address, or one in the direct map, which stands for the same. The
// physical address of either.
uint64_t shell_physical(uintptr_t address);

// ---- Completion: shell_complete.c. A lineedit_complete_fn.
const char *shell_complete(void *context, const char *text, size_t word,
                           unsigned index);

// ---- Help: shell_help.c.
void shell_help(int argc, char **argv);

// ---- Memory: shell_memory.c, shell_walk.c, shell_map.c.
void shell_peek(int argc, char **argv);
void shell_poke(int argc, char **argv);
void shell_alloc(int argc, char **argv);
void shell_free(int argc, char **argv);
void shell_walk(int argc, char **argv);
void shell_map(int argc, char **argv);

// ---- Threads and CPUs: shell_top.c.
void shell_top(int argc, char **argv);

// The time that the first of them is about begins.
void shell_top_start(void);

// ---- Scripts: shell_script.c.
void shell_script(int argc, char **argv);

// The name of a script, NULL behind the last.
const char *shell_script_name(unsigned index);

// "FILE:LINE: " of the script that runs, or "".
void shell_script_where(char *out, size_t size);

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
