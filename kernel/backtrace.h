// SPDX-License-Identifier: MIT
//
// Addresses of code for people, and the calls that led somewhere.
#pragma once

#include "lib/types.h"

// Print an instruction's address as "function+0x12 (dir/file.c:34)". Any
// context.
void print_code_address(uintptr_t address);

// The same for a return address: the line of the call, not the one after it.
void print_call_site(uintptr_t return_address);

// Print the chain of calls that frame pointer `rbp` is the innermost of, one
// line each. Stops at anything that does not look like a frame. Any context.
void print_backtrace(uintptr_t rbp);
