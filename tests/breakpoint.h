// SPDX-License-Identifier: MIT
//
// Breakpoints of the CPU that runs the test, wherever they are, trap entry and
// exit included. One test at a time.
#pragma once

#include "keyhole.h"
#include "lib/types.h"

// From now on #DB calls `hit`, with breakpoints off, and goes by no trap entry:
// the CPU's data and IA32_PKRS are as they were where it came. So nothing is to
// be stepped through meanwhile.
void breakpoints_begin(void (*hit)(void));
void breakpoints_end(void);

// Before the instruction at an address; behind one that writes any of the four
// bytes at an address (a multiple of four). The last that was set counts.
void breakpoint_set(uintptr_t address);
void breakpoint_set_write(volatile void *address);
void breakpoint_clear(void);
