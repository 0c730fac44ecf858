// SPDX-License-Identifier: MIT
#include "kernel/run.h"
#include "keyhole.h"
void demo_run(void) { printf("demo\n"); }
int shell_run(void) { return 0; }
