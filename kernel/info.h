// SPDX-License-Identifier: MIT
//
// The machine and the kernel in words: for the banner and for the shell. Each
// prints lines of at most 79 columns. Thread context.
#pragma once

#include "lib/types.h"

// Engine, keys in use, memory, direct map, page tables, image, loader.
void info_print(void);

// What the counters of struct map_stats stand at.
void info_counters_print(void);

// Memory by owner: RAM, free memory, and the domains that own frames.
void info_memory_print(void);

// All 16 keys: what each is for, and whether it is open now.
void info_keys_print(void);

// A size as people say it, with one decimal where it is not whole.
void info_size_print(uint64_t bytes);
