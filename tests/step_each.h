// SPDX-License-Identifier: MIT
//
// Stepping through code with something happening at every instruction boundary:
// a bracket in the handler of #DB, and in one of an interrupt or of an NMI that
// is sent from there, or that comes when it returns.
#pragma once

#include "keyhole.h"

// What the handlers bracket; from before step_with_each() to after it.
extern struct page *step_frame;

// Step through fn(NULL) with each of them in turn. Whether all of them found
// every key closed, and this context's rights and brackets are as they were;
// *fewest is how many times at least a handler ran, of those steps that the
// test takes (test_takes()). Thread and handler context.
bool step_with_each(void (*fn)(void *), unsigned *fewest);

// The same for code whose rights are those of its brackets, of single frames
// and ranges: not the allocator. Between any two instructions IA32_PKRS is what
// it may be then (interrupted_rights_are_sound()).
bool step_with_each_sound(void (*fn)(void *), unsigned *fewest);

// How many came between two instructions, not inside a handler, since the last
// call of this.
unsigned step_late_calls(void);
