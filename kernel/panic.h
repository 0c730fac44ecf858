// SPDX-License-Identifier: MIT
//
// What a panic on one CPU is to the others. panic() itself is in lib/panic.h.
#pragma once

#include "arch/trap.h"
#include "lib/types.h"

// Whether another CPU has panicked: then this one is to stop, in the handler of
// the NMI that told it so, which interrupted `trap` (NULL: it stops by itself).
// Any context.
bool panic_elsewhere(void);
__noreturn void panic_stop(const struct trap_frame *trap);

// Stop all other CPUs where they are, and have the console; what they were at
// is in struct cpu_data, if they answer. One CPU speaks: if another does
// already, this does not return. Any context, interrupts off.
void panic_stop_others(void);

// What they were at is printed already: panic() need not.
void panic_others_told(void);
