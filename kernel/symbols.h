// SPDX-License-Identifier: MIT
//
// Which function and source line an address of kernel code belongs to. Reads
// the table that the build puts into the image (tools/symbols describes its
// format) and owns nothing else. Every function here may be called in any
// context, NMI and double fault included: the table is constant, nothing is
// allocated or locked, and a damaged table ends a search, not the kernel.
//
// For a return address ask about the byte before it: a call may be the last
// instruction of its function.
#pragma once

#include "lib/types.h"

// The name of the function that holds `address`, or NULL. `offset`, if not
// NULL, gets the distance from the function's first byte. Clones that the
// compiler makes carry their source function's name.
const char *symbol_find(uintptr_t address, uintptr_t *offset);

// What code is in: a function, and a line of it; `line` is 0 and `file` NULL if
// that is not known.
struct symbol_frame {
    const char *function;
    const char *file;
    unsigned line;
};

#define SYMBOL_FRAMES_MAX 12

// The functions that the instruction at `address` belongs to, innermost first:
// those that the compiler put in line there, with the line of the instruction
// or of the call of the one before, and last the one that symbol_find() names.
// Locks and single instructions are their callers' lines, and no frames.
// Returns how many; 0: not known. Of more than SYMBOL_FRAMES_MAX, the outer.
unsigned symbol_frames(uintptr_t address,
                       struct symbol_frame frames[SYMBOL_FRAMES_MAX]);

// The first of those functions, or NULL: whose line symbol_line() tells.
const char *symbol_innermost(uintptr_t address);

// The file (relative to the root of the tree) and line that the instruction at
// `address` was made from, after inlining. False: not known, nothing stored.
bool symbol_line(uintptr_t address, const char **file, unsigned *line);

// The address of the first function called `name`. Takes time in proportion
// to the table. False: there is none, nothing stored.
bool symbol_address(const char *name, uintptr_t *out);

// The name of the index-th function, in the order of their addresses; NULL
// behind the last. Two functions may share a name.
const char *symbol_name(unsigned index);
