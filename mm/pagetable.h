// SPDX-License-Identifier: MIT
//
// The kernel's one set of page tables: look up, map, unmap, change keys. Table
// frames have a key of their own that is closed; only the write window in
// pagetable.c opens it, for one call. Callers give whole pages; the functions
// whose names end in _locked want mm_lock held, the others take it.
#pragma once

#include "arch/pte.h"
#include "arch/tlb.h"
#include "keyhole.h"
#include "lib/types.h"

// What translates an address, from the root (level 4) down to the leaf.
struct pt_walk {
    uint64_t entry[PT_LEVELS + 1]; // by level; valid from 4 down to `level`
    unsigned level;                // of the last entry read
    bool present;                  // entry[level] is a present leaf
};

// Read the tables for an address. Any context.
void pt_walk(uintptr_t address, struct pt_walk *walk);

// The same from this CPU's own root, whose tables may have more in them (struct
// engine, root): what the caller reaches by that address. The root's physical
// address. Any context.
phys_addr_t pt_walk_here(uintptr_t address, struct pt_walk *walk);

// The leaf that maps an address, and how many bytes it maps; 0: none. Any
// context.
uint64_t pt_leaf(uintptr_t address, uint64_t *size);

// Map [address, address + size) to physical memory from `physical` on, with
// `flags` (PTE bits but address and PTE_PS) in each leaf. Leaves as large as
// alignment, size and max_level (1 to 3) allow. The range must be unmapped.
// Thread context. -ENOMEM: no table frame left; what was mapped is unmapped.
int pt_map(uintptr_t address, phys_addr_t physical, uint64_t size,
           uint64_t flags, unsigned max_level);
int pt_map_locked(uintptr_t address, phys_addr_t physical, uint64_t size,
                  uint64_t flags, unsigned max_level);

// Unmap a range: split leaves at its ends, invalidate it on this CPU, and give
// back tables that became empty. Thread context. -ENOMEM: a split failed,
// nothing changed.
int pt_unmap(uintptr_t address, uint64_t size);
int pt_unmap_locked(uintptr_t address, uint64_t size);

// Change the bits `mask` of every present leaf in a range to those of `bits`,
// split leaves at its ends, and invalidate it on this CPU. Thread context.
// -ENOMEM: a split failed, nothing changed.
int pt_change(uintptr_t address, uint64_t size, uint64_t mask, uint64_t bits);
int pt_change_locked(uintptr_t address, uint64_t size, uint64_t mask,
                     uint64_t bits);

// Map 2 MiB by one leaf, whatever maps them now: a table of 4 KiB leaves is
// given back. `entry` is the leaf without PTE_PS. mm_lock held. -ENOMEM: a
// split failed, nothing changed.
int pt_join_locked(uintptr_t address, uint64_t entry);

// Give every leaf of a range that begins and ends at leaf boundaries another
// key, invalidate it on this CPU, and add it to what the caller has the other
// CPUs invalidate. Needs no tables and cannot fail. mm_lock held.
void pt_rekey_locked(uintptr_t address, uint64_t size, unsigned key,
                     struct tlb_batch *batch);

// The level-1 entry that maps an address, with the tables on the way there made
// if need be; NULL: no table frame left. The entries behind it to the end of
// its table follow. Tables stay until pt_unmap() finds them empty. mm_lock
// held; writing needs the window (mm/pt_window.h).
uint64_t *pt_entries_locked(uintptr_t address);

// The same where the tables are known to be there. Any context.
uint64_t *pt_entry(uintptr_t address);

// The same for a range of `tables` times 2 MiB, of which nothing is mapped: the
// entries of all of it, in a row. Its tables stay for good. NULL: no row of
// table frames left.
uint64_t *pt_entries_row_locked(uintptr_t address, size_t tables);

// `count` empty tables side by side that nothing leads to yet: the address of
// the first, or 0: none left. They stay for good. mm_lock held.
phys_addr_t pt_row_make_locked(size_t count);

// A root of a CPU's own: what all have in common is kept so from now on, the
// rest is the caller's. 0: no table left. mm_lock held.
phys_addr_t pt_root_make_locked(void);

// Build on the early one-to-one mapping: `root` and later tables come from
// pt_tables (mm/tables.h). Boot.
void pt_init(void);

// Use the tables from now on (CR3), and reach them through the direct map.
// Boot.
void pt_activate(void);

// The root table's physical address.
phys_addr_t pt_root(void);
