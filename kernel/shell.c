// SPDX-License-Identifier: MIT
//
// The shell: one table of commands, and the loop that reads lines and finds
// the command for each. There are no interrupts yet, so it polls the console.
#include "kernel/shell.h"

#include "arch/cpu.h"
#include "arch/power.h"
#include "arch/uart.h"
#include "kernel/console.h"
#include "kernel/guard.h"
#include "kernel/info.h"
#include "kernel/lineedit.h"
#include "kernel/run.h"
#include "kernel/shell_internal.h"
#include "kernel/symbols.h"
#include "keyhole.h"
#include "lib/number.h"
#include "lib/string.h"

#define WORDS_MAX 8

extern const struct test_entry __tests_start[], __tests_end[];
extern const struct test_entry __benches_start[], __benches_end[];

static struct {
    struct lineedit edit;
    bool done;
    int status;
} shell;

static void shell_help(int argc, char **argv);

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

static void shell_exit(int argc, char **argv)
{
    uint64_t status = 0;
    if (argc > 1 && !shell_number(argv[1], INT32_MAX, &status)) {
        return;
    }
    shell.status = (int)status;
    shell.done = true;
}

static const struct shell_command commands[] = {
    {"help", "[CMD]", "list the commands, or explain one", "help peek", 0, 1,
     false, shell_help},
    {"info", "", "engine, keys, memory, image, loader, counters", "info", 0, 0,
     false, shell_info},
    {"mem", "", "memory, page tables, and the domains", "mem", 0, 0, false,
     shell_mem},
    {"keys", "", "what each protection key is for", "keys", 0, 0, false,
     shell_keys},
    {"walk", "ADDR", "page-table entries for an address", "walk kmain", 1, 1,
     false, shell_walk},
    {"peek", "ADDR [N]", "show N bytes (default 64) at an address",
     "peek kmain 32", 1, 2, false, shell_peek},
    {"poke", "ADDR VALUE", "write one byte to an address", "poke 0x1000 7", 2,
     2, false, shell_poke},
    {"alloc", "[DOMAIN] [ORDER]", "allocate frames, in a new domain if need be",
     "alloc secrets 3", 0, 2, false, shell_alloc},
    {"free", "ADDR|FRAME", "free what alloc gave", "free 0x600000", 1, 1, false,
     shell_free},
    {"audit", "", "check every invariant of memory", "audit", 0, 0, false,
     shell_audit},
    {"test", "[GLOB]", "run tests", "test kmap.*", 0, 1, true, shell_test},
    {"bench", "[GLOB]", "run benchmarks", "bench kmap.*", 0, 1, true,
     shell_bench},
    {"fault", "KIND", "fault on purpose", "fault pkey", 0, 1, true,
     shell_fault},
    {"reboot", "", "reset the machine", "reboot", 0, 0, true, shell_reboot},
    {"exit", "[N]", "end the run; passed if N is 0 or missing", "exit", 0, 1,
     true, shell_exit},
};

static const struct shell_command *command_find(const char *name)
{
    for (unsigned i = 0; i < ARRAY_SIZE(commands); i++) {
        if (strcmp(commands[i].name, name) == 0) {
            return &commands[i];
        }
    }
    printf("%s: no such command; try help\n", name);
    return NULL;
}

static void shell_help(int argc, char **argv)
{
    if (argc > 1) {
        const struct shell_command *command = command_find(argv[1]);
        if (command != NULL) {
            printf("%s %s\n  %s\n  example: %s\n", command->name,
                   command->arguments, command->help, command->example);
            if (command->run == shell_fault) {
                shell_fault_list();
            }
        }
        return;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(commands); i++) {
        char usage[40];
        snprintf(usage, sizeof(usage), "%s %s", commands[i].name,
                 commands[i].arguments);
        printf("  %-24s %s\n", usage, commands[i].help);
    }
    printf("Numbers: 10, 0x1f, 4K, 2M. ADDR may be a function: kmain, "
           "kmain+8.\n");
    printf("Keys: TAB completes, Up and Down recall lines, Ctrl-D ends.\n");
}

// ------------------------------------------------------------------ Arguments

bool shell_number(const char *text, uint64_t limit, uint64_t *out)
{
    uint64_t value;
    if (!number_parse(text, &value) || value > limit) {
        printf("%s: want a number up to %llu, such as 12, 0xc or 4K\n", text,
               (unsigned long long)limit);
        return false;
    }
    *out = value;
    return true;
}

bool shell_address(const char *text, uintptr_t *out)
{
    char name[LINEEDIT_MAX];
    uint64_t offset = 0;
    if (number_parse(text, &offset)) {
        *out = offset;
        return true;
    }
    string_copy(name, sizeof(name), text);
    char *plus = strchr(name, '+');
    if (plus != NULL) {
        *plus = '\0';
    }
    if ((plus != NULL && !number_parse(plus + 1, &offset)) ||
        !symbol_address(name, out)) {
        printf("%s: want an address (0x...) or a function's name\n", text);
        return false;
    }
    *out += offset;
    return true;
}

// ------------------------------------------------------------------- The loop

struct call {
    const struct shell_command *command;
    int argc;
    char *argv[WORDS_MAX + 1];
};

static void call_run(void *context)
{
    struct call *call = context;
    call->command->run(call->argc, call->argv);
}

// Cut a line into words, in place. False: there are too many.
static bool words_split(char *line, struct call *call)
{
    call->argc = 0;
    for (char *at = line; *at != '\0';) {
        if (*at == ' ') {
            *at++ = '\0';
            continue;
        }
        if (call->argc == WORDS_MAX) {
            return false;
        }
        call->argv[call->argc++] = at;
        while (*at != '\0' && *at != ' ') {
            at++;
        }
    }
    call->argv[call->argc] = NULL;
    return true;
}

static void line_run(const char *text)
{
    char line[LINEEDIT_MAX];
    struct call call;
    string_copy(line, sizeof(line), text);
    if (!words_split(line, &call)) {
        printf("too many words; at most %d\n", WORDS_MAX);
        return;
    }
    if (call.argc == 0) {
        return;
    }
    const struct shell_command *command = command_find(call.argv[0]);
    if (command == NULL) {
        return;
    }
    if (call.argc - 1 < command->least || call.argc - 1 > command->most) {
        printf("usage: %s %s\n", command->name, command->arguments);
        return;
    }
    call.command = command;
    if (command->bare) {
        call_run(&call);
    } else {
        run_reported(call_run, &call, NULL);
    }
}

static void shell_write(void *context, const char *text, size_t length)
{
    (void)context;
    for (size_t i = 0; i < length; i++) {
        uart_write(text[i]); // its lines end in CR LF already
    }
}

static const char *entry_name(const struct test_entry *start,
                              const struct test_entry *end, unsigned index)
{
    return index < (size_t)(end - start) ? start[index].name : NULL;
}

static const char *shell_complete(void *context, const char *text, size_t word,
                                  unsigned index)
{
    (void)context;
    if (word == 0 || strncmp(text, "help ", 5) == 0) {
        return index < ARRAY_SIZE(commands) ? commands[index].name : NULL;
    }
    if (strncmp(text, "fault ", 6) == 0) {
        return shell_fault_kind(index);
    }
    if (strncmp(text, "test ", 5) == 0) {
        return entry_name(__tests_start, __tests_end, index);
    }
    if (strncmp(text, "bench ", 6) == 0) {
        return entry_name(__benches_start, __benches_end, index);
    }
    return NULL;
}

static char shell_read_byte(void)
{
    for (;;) {
        int byte = console_read();
        if (byte >= 0) {
            return (char)byte;
        }
        cpu_pause();
    }
}

int shell_run(void)
{
    shell.done = false;
    shell.status = 0;
    lineedit_init(&shell.edit, "keyhole> ", shell_write, shell_complete, NULL);
    while (!shell.done) {
        enum lineedit_result result;
        lineedit_begin(&shell.edit);
        do {
            result = lineedit_feed(&shell.edit, shell_read_byte());
        } while (result == LINEEDIT_MORE);
        if (result == LINEEDIT_LINE) {
            line_run(shell.edit.line);
        } else if (result == LINEEDIT_EOF) {
            break;
        }
    }
    return shell.status;
}
