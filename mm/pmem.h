// SPDX-License-Identifier: MIT
//
// Persistent memory: which regions there are, and their frames. A region is
// found in the NFIT, or as type 7 in the loader's memory map; it is mapped in
// the direct map and has a frame table like RAM, but no allocator ever has it:
// all its frames are those of one domain from boot on. keyhole.h has what
// applications use.
#pragma once

#include "arch/tlb.h"
#include "keyhole.h"
#include "lib/boot_info.h"

// Find the regions, with suspicion, say what is refused and why, and add them
// to `memory`, which has all RAM. Boot, on the early page tables.
void pmem_find(const struct boot_info *boot, struct memory_map *memory);

// Give each region its frame table and its domain. Boot, after domains_init().
void pmem_init(void);

// The pmem that a domain has: give its leaves another key, as
// blocks_rekey_locked() does. mm_lock held.
void pmem_rekey_locked(const struct domain *domain, unsigned key,
                       struct tlb_batch *batch);

// The instruction that pmem_flush() uses, by name. Any context.
const char *pmem_flush_name(void);
