// SPDX-License-Identifier: MIT
//
// The shell's command that checks the kernel's invariants.
#include "kernel/audit_print.h"
#include "kernel/shell_internal.h"

void shell_audit(int argc, char **argv)
{
    (void)argc, (void)argv;
    audit_print("  ");
}
