// SPDX-License-Identifier: MIT
//
// More mappings of a frame, with the entries that a test wants to see. Free of
// rules on purpose: what is mapped writable here must not be executable too.
#pragma once

#include "arch/pte.h"
#include "keyhole.h"
#include "mm/layout.h"

// Addresses in the lower half: there the entries above the leaf have U/S set.
#define ALIAS_LOW_BASE 0x400000000000ull

// Readable and writable data.
#define ALIAS_DATA (PTE_RW | PTE_D | PTE_XD)

// Map a frame inside one leaf of `level` at `base` (aligned to that leaf), in
// TEST_REGION or the lower half, with `flags` besides PTE_P and PTE_A. Level 2
// and 3 map the frame's surroundings too. Returns the frame's address there, or
// NULL. Thread context.
void *alias_map(uintptr_t base, const struct page *page, unsigned level,
                uint64_t flags);

// Write to a frame behind every engine's back: one byte more at `offset`.
// False: no memory. Thread context.
bool alias_write_stale(const struct page *page, size_t offset);

// Take it away; no harm if there is none.
void alias_unmap(uintptr_t base, unsigned level);
