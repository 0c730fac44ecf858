// SPDX-License-Identifier: MIT
//
// What each command of the shell is for. The list fits on one screen.
#include "kernel/shell_internal.h"
#include "kernel/wrap.h"
#include "keyhole.h"

static void help_print(const struct shell_command *command)
{
    printf("%s%s%s\n  %s\n  example: %s\n", command->name,
           command->arguments != NULL ? " " : "",
           command->arguments != NULL ? command->arguments : "", command->help,
           command->example);
    if (command->more != NULL) {
        wrap_text(2, command->more);
    }
    if (command->run == shell_fault) {
        shell_fault_list();
    }
}

// In two columns, downwards.
static void list_print(void)
{
    unsigned count = 0;
    while (shell_command_at(count) != NULL) {
        count++;
    }
    unsigned rows = (count + 1) / 2;
    for (unsigned row = 0; row < rows; row++) {
        const struct shell_command *left = shell_command_at(row);
        const struct shell_command *right = shell_command_at(row + rows);
        printf("  %-8s %-28s", left->name, left->help);
        if (right != NULL) {
            printf("  %-8s %s", right->name, right->help);
        }
        printf("\n");
    }
    printf("help CMD explains one, with its arguments and an example.\n"
           "Numbers: 10, 0x1f, 4K, 2M. ADDR may be a function: kmain, "
           "kmain+8.\n"
           "Keys: TAB completes, Up and Down recall lines, Ctrl-D ends.\n");
}

void shell_help(int argc, char **argv)
{
    if (argc == 1) {
        list_print();
        return;
    }
    const struct shell_command *command = shell_command_find(argv[1]);
    if (command != NULL) {
        help_print(command);
    } else {
        shell_error("%s: no such command; try help", argv[1]);
    }
}
