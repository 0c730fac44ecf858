// SPDX-License-Identifier: MIT
//
// Single accesses in assembly, for tests that must know which instruction
// touched memory and that nothing else did.
#pragma once

#include "keyhole.h"
#include "lib/types.h"

enum pks_access { PKS_READ, PKS_WRITE, PKS_MODIFY, PKS_FETCH };

// One instruction on `address`. False: it was refused, *fault says how. A
// struct fault is filled in on refusal only, and must be writable with every
// key but 0 closed.
bool pks_access_read(void *address, uint64_t *value, struct fault *fault);
bool pks_access_write(void *address, uint64_t value, struct fault *fault);
bool pks_access_modify(void *address, uint64_t add, struct fault *fault);
bool pks_access_prefetchw(void *address, uint64_t ignored, struct fault *fault);
bool pks_access_invlpg(void *address, uint64_t ignored, struct fault *fault);
bool pks_access_clflush(void *address, uint64_t ignored, struct fault *fault);

// Accesses that the CPU makes by itself: to the descriptor of `selector`, and
// to the gate of vector PKS_ACCESS_VECTOR and the stack that it names.
#define PKS_ACCESS_VECTOR 80
bool pks_access_load_es(void *ignored, uint64_t selector, struct fault *fault);
bool pks_access_int(void *ignored, uint64_t ignored2, struct fault *fault);
// What that gate leads to; it returns at once.
extern const char pks_access_handler[];

// Go to a copy of the code at pks_fetch_target, which comes back. Not
// probed: call it under run_protected().
void pks_access_fetch(void *address);
extern const char pks_fetch_target[], pks_fetch_target_end[];

// For key 0, which holds the stack: change IA32_PKRS, make one access, change
// it back, all without any other access. To be called in a copy of the code
// from pks_key0 on. Returns what was read.
typedef uint64_t (*pks_key0_fn)(void *address, uint32_t closed,
                                enum pks_access access, uint32_t open,
                                uint64_t operand);
extern const char pks_key0[], pks_key0_end[];
