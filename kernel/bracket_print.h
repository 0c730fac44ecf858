// SPDX-License-Identifier: MIT
//
// Open brackets and rights, for people. All of it only looks; where other CPUs
// run on, what is printed of theirs may be over by then.
#pragma once

#include "keyhole.h"
#include "lib/types.h"

// A line with what a context may touch, by the names of the keys that are not
// closed. Any context.
void print_rights(uint32_t rights);

// What a CPU has open, innermost first, from `top` on, and its rights. Any
// context.
void brackets_print_cpu(unsigned cpu, const struct bracket *top,
                        uint32_t rights);

// What threads have open that no CPU runs. Any context.
void brackets_print_waiting(void);

// All open brackets, or those that have the frame `only`. How many there were.
// Thread context.
unsigned brackets_print(const struct page *only);
