// SPDX-License-Identifier: MIT
//
// Bringing memory up: from the loader's map and the early tables to the
// kernel's own tables, the direct map and the frame allocator.
#pragma once

#include "arch/pte.h"
#include "keyhole.h"
#include "lib/boot_info.h"

// Build the page tables and switch to them. The one-to-one mapping of the
// loader's memory is gone afterwards. Boot.
void memory_map_build(const struct boot_info *boot);

// The frame allocator, the domains. Boot, with PKS on.
void memory_init(const struct boot_info *boot);

// The highest whole page of RAM below 640 KiB but page 0; 0: there is none. The
// allocator has none of it. Boot.
phys_addr_t memory_low_page(void);

// Bytes of the direct map by size of leaf, [1] 4 KiB, [2] 2 MiB, [3] 1 GiB.
void memory_leaf_bytes(uint64_t bytes[PT_LEVELS + 1]);
