// SPDX-License-Identifier: MIT
//
// The shell on the console.
#pragma once

// Read and carry out commands until `exit`. Returns the exit status: 0 passed.
// Thread context.
int shell_run(void);
