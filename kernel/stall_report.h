// SPDX-License-Identifier: MIT
//
// The whole machine at a glance, when nothing goes on: on each CPU the thread
// and the calls that led to where an NMI found it; each other thread, what it
// waits for, and the calls that led there; who holds which lock.
#pragma once

#include "lib/types.h"

// Get the memory that a report needs. False: there is none.
bool stall_prepare(void);

// Stop all other CPUs, print the report and the reason, and panic. If several
// CPUs call this, one of them speaks. Any context; stall_prepare() came before.
__noreturn __cold void stall_panic(const char *format, ...) __printf(1, 2);
