// SPDX-License-Identifier: MIT
//
// A small store that tests damage: what is in it, and whether the damage is
// found.
#pragma once

#include "tests/host/store_help.h"

#define DAMAGE_KEYS 60
#define DAMAGE_BLOCKS 32
#define DAMAGE_SIZE 1000 // bytes in each value

extern struct store_help damaged;

// Make it, of two levels, with a snapshot that has a leaf of its own. It is not
// mounted then. Key i has the object i; its value is made of damage_seed_of(i).
void damage_make(void);
uint64_t damage_seed_of(unsigned i);

// Mount it and look for damage: 0 if there is none to be found.
int damage_look(void);

// Whether some tree has a block: its loss is noticed.
bool damage_is_needed(unsigned block);

// A leaf, or an inner node, that some tree has; 0: none.
unsigned damage_find(bool leaf);
