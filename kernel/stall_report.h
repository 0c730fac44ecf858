// SPDX-License-Identifier: MIT
//
// The whole machine at a glance, when nothing goes on: on each CPU the thread
// and the calls that led to where an NMI found it; each other thread, what it
// waits for, and the calls that led there; who holds which lock.
#pragma once

#include "lib/types.h"

// Stop all other CPUs, print the report and the reason, and panic. If several
// CPUs call this, one of them speaks. Any context.
__noreturn __cold void stall_panic(const char *format, ...) __printf(1, 2);

// One CPU that has stopped: its thread, where it was, what it holds, its
// brackets and rights. For a panic.
void stall_print_cpu(unsigned cpu);
