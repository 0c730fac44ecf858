// SPDX-License-Identifier: MIT
//
// What a panic on one CPU is to the others. panic() itself is in lib/panic.h.
#pragma once

#include "lib/types.h"

// Whether another CPU has panicked: then this one is to stop. Any context.
bool panic_elsewhere(void);
__noreturn void panic_stop(void);
