// SPDX-License-Identifier: MIT
//
// What the machine was started for. Whatever it is, its result ends the run.
#pragma once

#include "lib/types.h"

// Tests, benchmarks, the application or the shell, by the command line.
__noreturn void run(void);

// ---- Supplied by the layers above.

// Run the tests, or benchmarks, whose names match the comma list (NULL: all),
// and report them on the console. True: none failed.
bool tests_run(const char *globs);
bool benches_run(const char *globs);

// The banner and the scene that are shown before the shell.
void demo_run(void);
