// SPDX-License-Identifier: MIT
//
// What a store must do to be measured beside others: the same keys, values and
// transactions for each. All of these functions end the program when something
// fails; none is called from two threads.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define YARDSTICK_VALUE_SIZE 100

struct yardstick_key {
    uint64_t object, offset;
    uint8_t type;
};

struct yardstick_engine {
    const char *name;
    // An empty store that will hold so many items and some 10000 more, in a
    // folder if it wants one.
    void (*open)(const char *folder, uint64_t items);
    void (*close)(void);
    // put() is between begin() and commit(); the key may be there already.
    void (*begin)(void);
    void (*put)(const struct yardstick_key *key, const void *value);
    void (*commit)(void);
    // Copy a value that is there. Between view_begin() and view_end(), or not.
    void (*get)(const struct yardstick_key *key, void *value);
    void (*view_begin)(void);
    void (*view_end)(void);
    // Add up what sum() says of up to `count` items from a key on, in order;
    // *seen is how many there were. No copy is made of values.
    uint64_t (*scan)(const struct yardstick_key *from, unsigned count,
                     unsigned *seen);
};

// The first 8 bytes: enough to have touched the value.
static inline uint64_t yardstick_sum(const void *value)
{
    uint64_t first;

    __builtin_memcpy(&first, value, sizeof(first));
    return first;
}

// Print and end the program.
void yardstick_fail(const char *what, const char *why)
    __attribute__((noreturn));

extern const struct yardstick_engine yardstick_sqlite, yardstick_lmdb,
    yardstick_store;
