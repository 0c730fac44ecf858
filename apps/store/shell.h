// SPDX-License-Identifier: MIT
//
// Between the shell's commands for the store. Thread context.
#pragma once

#include "apps/store/store.h"

// The region that has the store; NULL: there is none, and that was said.
const struct pmem_region *store_region(void);

// The store there, mounted if it was not; NULL: it cannot be, and that was
// said.
struct store *store_here(void);

// Forget it. 0, or -EBUSY.
int store_shell_unmount(void);

// Say what an error of a call means to whoever typed it.
void store_say_error(const char *what, int error);

// A key from OBJECT[,TYPE[,OFFSET]]; what is missing is as in `fill`. False: it
// is none, and that was said.
bool store_key_parse(const char *text, const struct store_key *fill,
                     struct store_key *key);

extern const struct store_key store_key_lowest, store_key_highest;

// How many characters that was.
unsigned store_key_print(const struct store_key *key);

// What there is room for of a value, as text if it is, else as bytes, and the
// end of the line, of which `used` columns are taken.
void store_value_print(const uint8_t *value, size_t size, unsigned used);

// The command: bulk N [SIZE [BATCH]].
void store_bulk(int argc, char **argv);
