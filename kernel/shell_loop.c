// SPDX-License-Identifier: MIT
//
// The loop that reads lines, and what a line is: words, of which the first is
// the name of a command.
#include <stdarg.h>

#include "arch/cpu.h"
#include "arch/uart.h"
#include "kernel/console.h"
#include "kernel/guard.h"
#include "kernel/lineedit.h"
#include "kernel/shell_internal.h"
#include "kernel/timer.h"
#include "keyhole.h"
#include "lib/string.h"

#define WORDS_MAX 8
#define TYPING_MS 1 // between two looks for what is typed

static struct {
    struct lineedit edit;
    bool wrong; // the line that runs
    bool done;
    int status;
} shell;

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

void shell_error(const char *format, ...)
{
    char where[LINEEDIT_MAX];
    shell_script_where(where, sizeof(where));
    uint64_t flags = console_begin();
    printf("%s", where);
    va_list arguments;
    va_start(arguments, format);
    console_vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    console_end(flags);
    shell.wrong = true;
}

// Cut a line into words, in place; from a word that begins with # on it is a
// comment. False: there are too many.
static bool words_split(char *line, struct call *call)
{
    call->argc = 0;
    for (char *at = line; *at != '\0' && *at != '#';) {
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

static void call_check_and_run(struct call *call)
{
    const struct shell_command *command = shell_command_find(call->argv[0]);
    if (command == NULL) {
        shell_error("%s: no such command; try help", call->argv[0]);
        return;
    }
    if (call->argc - 1 < command->least || call->argc - 1 > command->most) {
        shell_error("usage: %s %s", command->name,
                    command->arguments != NULL ? command->arguments : "");
        return;
    }
    call->command = command;
    if (command->bare) {
        call_run(call);
    } else {
        run_reported(call_run, call, NULL);
    }
}

bool shell_line_run(const char *text)
{
    char line[LINEEDIT_MAX];
    struct call call;
    string_copy(line, sizeof(line), text);
    shell.wrong = false;
    if (!words_split(line, &call)) {
        shell_error("too many words; at most %d", WORDS_MAX);
    } else if (call.argc != 0) {
        call_check_and_run(&call);
    }
    return !shell.wrong;
}

void shell_exit(int argc, char **argv)
{
    uint64_t status = 0;
    if (argc > 1 && !shell_number(argv[1], INT32_MAX, &status)) {
        return;
    }
    shell.status = (int)status;
    shell.done = true;
}

bool shell_is_done(void)
{
    return shell.done;
}

static void shell_write(void *context, const char *text, size_t length)
{
    (void)context;
    for (size_t i = 0; i < length; i++) {
        uart_write(text[i]); // its lines end in CR LF already
    }
}

// The serial port has no interrupt. Where there is a clock the CPU has time for
// other things, or halts, between two looks.
static char shell_read_byte(bool clock)
{
    for (;;) {
        int byte = console_read();
        if (byte >= 0) {
            return (char)byte;
        }
        if (clock) {
            thread_sleep_ms(TYPING_MS);
        } else {
            cpu_pause();
        }
    }
}

int shell_run(void)
{
    bool clock = clock_ticks(1000 * TYPING_MS) != 0;
    shell.done = false;
    shell.status = 0;
    shell_top_start();
    lineedit_init(&shell.edit, "keyhole> ", shell_write, shell_complete, NULL);
    while (!shell.done) {
        enum lineedit_result result;
        lineedit_begin(&shell.edit);
        do {
            result = lineedit_feed(&shell.edit, shell_read_byte(clock));
        } while (result == LINEEDIT_MORE);
        if (result == LINEEDIT_LINE) {
            shell_line_run(shell.edit.line);
        } else if (result == LINEEDIT_EOF) {
            break;
        }
    }
    return shell.status;
}
