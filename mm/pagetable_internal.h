// SPDX-License-Identifier: MIT
//
// Where the page tables are, for the files that read and write them.
#pragma once

#include "arch/percpu.h"
#include "mm/pagetable.h"

// Upper levels allow everything: the leaf decides. They are supervisor, so
// that an emulator that looks at upper levels applies IA32_PKRS too.
#define PT_UPPER_FLAGS (PTE_P | PTE_RW | PTE_A)

extern struct pt_tables {
    phys_addr_t root;
    uintptr_t base; // virtual minus physical address of every table
} pt_tables;

static inline uint64_t *pt_table_at(phys_addr_t table)
{
    return (uint64_t *)(pt_tables.base + table);
}

static inline void pt_entry_write(uint64_t *entry, uint64_t value)
{
    *(volatile uint64_t *)entry = value;
    percpu_count(pte_writes);
}

static inline uint64_t pt_leaf_entry(phys_addr_t physical, uint64_t flags,
                                     unsigned level)
{
    return physical | flags | (level > 1 ? PTE_PS : 0);
}

// All of these want the tables open for writing, and mm_lock.
//
// An entry that leads to a table of the next level; in the root, it is one of
// all roots.
void pt_upper_entry_write(uint64_t *entry, unsigned level, uint64_t value);

// A new table with every entry 0. 0: none left.
phys_addr_t pt_table_new(void);

// Replace the leaf *entry of `level` by a table of 512 leaves that say the
// same. False: no table left.
bool pt_leaf_split(uint64_t *entry, unsigned level);

// The entry of `level` for an address; missing tables are made and leaves in
// the way are split if `make` is set. NULL: there is none, or no table left.
uint64_t *pt_entry_find(uintptr_t address, unsigned level, bool make);
