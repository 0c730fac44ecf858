// SPDX-License-Identifier: MIT
//
// What a memory map must say, by the simplest means: one type for each frame of
// a window. Used by the unit tests and by the fuzzer.
#pragma once

#include "lib/memory_map.h"

#define MODEL_FRAME 4096ull
#define MODEL_FRAMES 1024u
// The window that ends at 2^64.
#define MODEL_TOP (0 - MODEL_FRAMES * MODEL_FRAME)

// A map of no more ranges must be exact.
#define MODEL_EXACT_MAX (MEMORY_RANGES_MAX - 2)

struct memory_model {
    uint64_t origin;
    bool exact; // never had more ranges than must be kept
    unsigned char frames[MODEL_FRAMES];
};

void memory_model_init(struct memory_model *model, uint64_t origin);

// What memory_map_add() takes; the range must lie in the window or wrap.
void memory_model_add(struct memory_model *model, uint64_t base,
                      uint64_t length, enum memory_type type);

// Returns NULL, or what is wrong with the map. As long as the model is exact
// the map must agree frame by frame; later it must still keep every
// reservation and call nothing usable that is not.
const char *memory_model_compare(const struct memory_model *model,
                                 const struct memory_map *map);
