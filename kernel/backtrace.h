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

// Who is to answer for what a trap interrupted, if not that itself: the return
// address of a call. Of code that works for others (memcpy(), printf(), the
// copy helpers), with an address inside the function that they called in
// *helper; or of what is no code, with 0 there. 0: the interrupted code itself,
// or it cannot be told. Any context.
uintptr_t code_culprit(const struct trap_frame *trap, uintptr_t *helper);

// The chain of calls that led to what a trap interrupted. Any context.
void print_trap_backtrace(const struct trap_frame *trap);

// The same for programs: up to `most` addresses, innermost call first, each
// inside the instruction that called, or that a trap interrupted. How many.
unsigned trap_calls(const struct trap_frame *trap, uintptr_t calls[],
                    unsigned most);

// Print the chain of calls that frame pointer `rbp` is the innermost of, one
// line each, and one for each function that is in line there. Stops at anything
// that does not look like a frame. Any context.
void print_backtrace(uintptr_t rbp);
