// SPDX-License-Identifier: MIT
//
// The parts of the table of symbols, for what looks up in it. Every read stays
// inside the table, whatever the table says.
#pragma once

#include "lib/types.h"

// Bytes of the table that are still to be read.
struct cursor {
    const uint8_t *at;
    const uint8_t *end;
};

struct function {
    uintptr_t start;
    uintptr_t end;
    const char *name;
    struct cursor rows;
    struct cursor inlines;
};

// A number of a file and a line in it. Whatever a damaged table says, numbers
// wrap; what cannot be a line is none.
struct place {
    uint64_t file;
    uint64_t line;
};

// Take a number; at the end of the bytes, what there is of it.
uint64_t table_read_uleb(struct cursor *cursor);
int64_t table_read_sleb(struct cursor *cursor);

// Take a cursor for the bytes that a number before them counts.
struct cursor table_read_part(struct cursor *cursor);

// The function that holds `address`, and the first of that name. False: there
// is none.
bool table_function_at(uintptr_t address, struct function *f);
bool table_function_named(const char *name, struct function *f);

// The function with this number, from 0 in the order of addresses. False: there
// is none.
bool table_function_by_number(unsigned index, struct function *f);

// The two below want that a function was found. "?" stands for what is missing.
const char *table_file_name(uint64_t index);

// Function `index` of those that are in line somewhere; where it was declared.
const char *table_origin_name(uint64_t index, struct place *declared);
