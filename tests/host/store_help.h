// SPDX-License-Identifier: MIT
//
// What tests of the store share: a store on a medium of its own, and values
// that can be told from each other.
#pragma once

#include "apps/store/store.h"
#include "tests/host/medium.h"

struct store_help {
    struct medium *medium;
    struct store *store;
};

extern const uint8_t store_help_uuid[STORE_UUID_SIZE];

// A new store of so many blocks, mounted. Ends the program if that fails.
void store_help_make(struct store_help *help, unsigned blocks, unsigned flags);

// Mount what is there; the store was not, or is no more.
int store_help_mount(struct store_help *help, unsigned flags,
                     struct store_problem *problem);

// Unmount and mount again.
int store_help_remount(struct store_help *help, unsigned flags);

// Unmount, if it is mounted, and give the medium back.
void store_help_end(struct store_help *help);

// Damage: flip bits of a byte of the medium.
void store_help_flip(struct store_help *help, size_t offset, uint8_t bits);

// Content for a value that depends on every bit of the seed.
void store_help_fill(uint8_t *value, size_t size, uint64_t seed);

// store_check() with what it reports printed. True: nothing was.
bool store_help_check(struct store *store, struct store_check *check);

// Reproducible numbers.
uint64_t store_help_random(uint64_t *state);
