// SPDX-License-Identifier: MIT
//
// The shell's one table of commands, and those that need no file of their own.
#include "arch/power.h"
#include "kernel/info.h"
#include "kernel/run.h"
#include "kernel/shell_internal.h"
#include "lib/string.h"

// ------------------------------------------------------------------- Commands

static void shell_info(int argc, char **argv)
{
    (void)argc, (void)argv;
    info_print();
    info_counters_print();
}

static void shell_mem(int argc, char **argv)
{
    (void)argc, (void)argv;
    info_memory_print();
}

static void shell_keys(int argc, char **argv)
{
    (void)argc, (void)argv;
    info_keys_print();
}

static void shell_test(int argc, char **argv)
{
    tests_run(argc > 1 ? argv[1] : NULL);
}

static void shell_bench(int argc, char **argv)
{
    benches_run(argc > 1 ? argv[1] : NULL);
}

static void shell_reboot(int argc, char **argv)
{
    (void)argc, (void)argv;
    power_reset();
}

// Sorted by subject; `help` shows them in this order, in two columns.
static const struct shell_command commands[] = {
    {.name = "help",
     .arguments = "[CMD]",
     .help = "list commands, or explain",
     .example = "help peek",
     .most = 1,
     .words = {WORD_COMMAND},
     .run = shell_help},
    {.name = "info",
     .help = "engine, memory, counters",
     .example = "info",
     .more = "The counters are since boot, of all CPUs. PKRS writes that were "
             "not needed: a bracket found its key open already.",
     .run = shell_info},
    {.name = "mem",
     .help = "memory, tables, domains",
     .example = "mem",
     .more = "A domain whose key is - has none: it is parked until its next "
             "bracket.",
     .run = shell_mem},
    {.name = "keys",
     .help = "what each key is for",
     .example = "keys",
     .more = "`now` is what this thread may do, and so is IA32_PKRS, which has "
             "two bits for each key: 1 for no access, 2 for no write.",
     .run = shell_keys},
    {.name = "map",
     .arguments = "[ADDR|A-B]",
     .help = "who has which memory",
     .example = "map 0x100000-4M",
     .more =
         "A letter is a domain, a capital letter one that has most of a share, "
         "but not all. With an address, physical or in the direct map, the 2 "
         "MiB around it frame by frame; with two, what is between them.",
     .most = 1,
     .run = shell_map},
    {.name = "walk",
     .arguments = "ADDR",
     .help = "page tables of an address",
     .example = "walk kmain",
     .more = "From the root down: each entry by its index, what it says, and "
             "which addresses it is for; at last where the address leads to, "
             "or where the walk ends.",
     .least = 1,
     .most = 1,
     .words = {WORD_ADDRESS},
     .run = shell_walk},
    {.name = "peek",
     .arguments = "ADDR [N]",
     .help = "show memory: N bytes, or 64",
     .example = "peek kmain 32",
     .more = "The shell has no rights of its own: what is closed is refused, "
             "and reported.",
     .least = 1,
     .most = 2,
     .words = {WORD_ADDRESS},
     .run = shell_peek},
    {.name = "poke",
     .arguments = "ADDR VALUE",
     .help = "write one byte",
     .example = "poke 0xffffc00000000000 7",
     .more =
         "Refused and reported like any write, here since nothing is mapped.",
     .least = 2,
     .most = 2,
     .words = {WORD_ADDRESS},
     .run = shell_poke},
    {.name = "alloc",
     .arguments = "[DOMAIN] [ORDER]",
     .help = "allocate frames",
     .example = "alloc secrets 3",
     .more = "2^ORDER frames in a row, of domain ram if no other is named; a "
             "new domain if there is none of that name. They stay closed.",
     .most = 2,
     .words = {WORD_DOMAIN},
     .run = shell_alloc},
    {.name = "free",
     .arguments = "ADDR|FRAME",
     .help = "free what alloc gave",
     .example = "free 0x600000",
     .more =
         "By the physical address of the first frame, or its address in the "
         "direct map. What alloc did not give is a misuse, and reported.",
     .least = 1,
     .most = 1,
     .run = shell_free},
    {.name = "top",
     .arguments = "[N]",
     .help = "what CPUs and threads do",
     .example = "top 3",
     .more = "Since the last top, or since the shell began. N times, a second "
             "apart; a key stops it. `time` is a share of one CPU.",
     .most = 1,
     .run = shell_top},
    {.name = "audit",
     .help = "check the invariants",
     .example = "audit",
     .more = "A finding names the invariant, where it is broken, what was "
             "found, and what was wanted.",
     .run = shell_audit},
    {.name = "run",
     .arguments = "[SCRIPT]",
     .help = "list scripts, or run one",
     .example = "run tour.ks",
     .more = "A script is lines as one would type them, made part of the image "
             "by make iso SCRIPTS=\"FILE ...\". It ends at the first line that "
             "is wrong.",
     .most = 1,
     .bare = true,
     .words = {WORD_SCRIPT},
     .run = shell_script},
    {.name = "watch",
     .arguments = "[FRAME] [WORDS]",
     .help = "watch a frame, or list",
     .example = "watch 0x7c00000 write strict",
     .more = "Every access by others is reported, or with `write` every write; "
             "and let through, or with `strict` refused.",
     .most = 3,
     .words = {WORD_ADDRESS},
     .run = shell_watch},
    {.name = "unwatch",
     .arguments = "FRAME",
     .help = "stop that",
     .example = "unwatch 0x7c00000",
     .least = 1,
     .most = 1,
     .run = shell_unwatch},
    {.name = "freeze",
     .arguments = "FRAME [N]",
     .help = "let nobody write to N frames",
     .example = "freeze 0x7c00000 4",
     .more = "Who writes is refused and named, as fault= says.",
     .least = 1,
     .most = 2,
     .run = shell_freeze},
    {.name = "thaw",
     .arguments = "FRAME [N]",
     .help = "let them write again",
     .example = "thaw 0x7c00000 4",
     .least = 1,
     .most = 2,
     .run = shell_thaw},
    {.name = "who",
     .arguments = "FRAME",
     .help = "who has, had and watches it",
     .example = "who 0x7c00000",
     .more = "A frame by its physical address, or by one that it is mapped at. "
             "Events are there with trace=on alone.",
     .least = 1,
     .most = 1,
     .run = shell_who},
    {.name = "brackets",
     .arguments = "[--top [N]|--over US]",
     .help = "what is open, or was longest",
     .example = "brackets --top 5",
     .more =
         "With --top, the calls whose brackets were open longest: how many, "
         "while their thread waited (`waited`), longer than --over said "
         "(`slow`); and how many brackets each operation takes.",
     .most = 2,
     .run = shell_brackets},
    {.name = "history",
     .arguments = "[N]",
     .help = "the last brackets and faults",
     .example = "history 20",
     .more = "With trace=on, as debug builds have it.",
     .most = 1,
     .run = shell_history},
    {.name = "test",
     .arguments = "[GLOB]",
     .help = "run tests",
     .example = "test kmap.*",
     .most = 1,
     .bare = true,
     .words = {WORD_TEST},
     .run = shell_test},
    {.name = "bench",
     .arguments = "[GLOB]",
     .help = "run benchmarks",
     .example = "bench kmap.*",
     .more =
         "In ticks of the time-stamp counter; make bench counts instructions.",
     .most = 1,
     .bare = true,
     .words = {WORD_BENCH},
     .run = shell_bench},
    {.name = "fault",
     .arguments = "KIND",
     .help = "fault on purpose",
     .example = "fault pkey",
     .most = 1,
     .bare = true,
     .words = {WORD_FAULT},
     .run = shell_fault},
    {.name = "reboot",
     .help = "reset the machine",
     .example = "reboot",
     .bare = true,
     .run = shell_reboot},
    {.name = "exit",
     .arguments = "[N]",
     .help = "end the run",
     .example = "exit 1",
     .more = "Passed if N is 0 or missing, else failed.",
     .most = 1,
     .bare = true,
     .run = shell_exit},
};

SHELL_COMMANDS(commands);

// Bounds of all tables (linker.ld).
extern const struct shell_table __shell_tables_start[], __shell_tables_end[];

const struct shell_command *shell_command_at(unsigned index)
{
    for (const struct shell_table *table = __shell_tables_start;
         table < __shell_tables_end; table++) {
        if (index < table->count) {
            return &table->commands[index];
        }
        index -= table->count;
    }
    return NULL;
}

const struct shell_command *shell_command_find(const char *name)
{
    const struct shell_command *command;
    for (unsigned i = 0; (command = shell_command_at(i)) != NULL; i++) {
        if (strcmp(command->name, name) == 0) {
            return command;
        }
    }
    return NULL;
}
