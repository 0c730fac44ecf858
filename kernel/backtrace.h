// SPDX-License-Identifier: MIT
//
// Addresses of code for people, and the calls that led somewhere.
#pragma once

#include "arch/trap.h"
#include "lib/types.h"

// Print an instruction's address as "function+0x12 (dir/file.c:34)"; of code
// that the compiler put in line there, "inlined (dir/file.h:56), inlined in
// function+0x12 (dir/file.c:34)". Any context.
void print_code_address(uintptr_t address);

// The same for a return address: the line of the call, not the one after it.
void print_call_site(uintptr_t return_address);

// "function (dir/file.c:34)": the innermost, if others are in line there.
void print_code_place(uintptr_t address);

// The return address of the function that a trap interrupted, as far as it can
// be told: 0 if not. Any context.
uintptr_t code_caller(const struct trap_frame *trap);

// Whether the function at `address` works for its callers and is none of their
// business: memcpy() and the like.
bool code_is_a_helper(uintptr_t address);

// The chain of calls that led to what a trap interrupted. Any context.
void print_trap_backtrace(const struct trap_frame *trap);

// Print the chain of calls that frame pointer `rbp` is the innermost of, one
// line each, and one for each function that is in line there. Stops at anything
// that does not look like a frame. Any context.
void print_backtrace(uintptr_t rbp);
