// SPDX-License-Identifier: MIT
//
// Where the page tables are, for the files that read and write them.
#pragma once

#include "mm/pagetable.h"

extern struct pt_tables {
    phys_addr_t root;
    uintptr_t base; // virtual minus physical address of every table
} pt_tables;

static inline uint64_t *pt_table_at(phys_addr_t table)
{
    return (uint64_t *)(pt_tables.base + table);
}
