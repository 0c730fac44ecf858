// SPDX-License-Identifier: MIT
//
// Single entries of the page tables, the tables that lead to them, and the
// roots that CPUs have of their own.
#include "lib/panic.h"
#include "mm/lock.h"
#include "mm/pagetable_internal.h"
#include "mm/pt_window.h"
#include "mm/tables.h"

struct pt_tables pt_tables;

// Of CPUs that have root tables of their own, which have in common with this
// one all but what a CPU has for itself.
static phys_addr_t roots[CPUS_MAX];
static unsigned roots_count;

// An entry of the root, and so of all roots.
static void root_entry_write(unsigned index, uint64_t value)
{
    pt_entry_write(&pt_table_at(pt_tables.root)[index], value);
    for (unsigned i = 0; i < roots_count; i++) {
        pt_entry_write(&pt_table_at(roots[i])[index], value);
    }
}

void pt_upper_entry_write(uint64_t *entry, unsigned level, uint64_t value)
{
    if (level == PT_LEVELS) {
        root_entry_write(entry - pt_table_at(pt_tables.root), value);
    } else {
        pt_entry_write(entry, value);
    }
}

// A new table with every entry 0. Window open for writing. 0: none left.
phys_addr_t pt_table_new(void)
{
    phys_addr_t table = table_take();
    if (table != 0) {
        memset(pt_table_at(table), 0, PAGE_SIZE);
    }
    return table;
}

// Replace the leaf *entry of `level` by a table of 512 leaves that say the
// same. The table is complete before it can be seen; no flush is needed since
// old and new translate alike.
bool pt_leaf_split(uint64_t *entry, unsigned level)
{
    phys_addr_t table = table_take();
    if (table == 0) {
        return false;
    }
    uint64_t flags = *entry & ~(PTE_ADDRESS | PTE_PS);
    phys_addr_t physical = *entry & PTE_ADDRESS;
    uint64_t *to = pt_table_at(table);
    for (unsigned i = 0; i < PT_ENTRIES; i++) {
        to[i] = pt_leaf_entry(physical + i * PT_LEVEL_SIZE(level - 1), flags,
                              level - 1);
    }
    percpu_count(pte_writes);
    pt_entry_write(entry, table | PT_UPPER_FLAGS);
    return true;
}

// The entry of `level` for an address; missing tables are made and leaves in
// the way are split if `make` is set. NULL: there is none, or no table left.
uint64_t *pt_entry_find(uintptr_t address, unsigned level, bool make)
{
    uint64_t *table = pt_table_at(pt_tables.root);
    for (unsigned at = PT_LEVELS; at > level; at--) {
        uint64_t *entry = &table[pt_index(address, at)];
        if (!(*entry & PTE_P)) {
            phys_addr_t fresh = make ? pt_table_new() : 0;
            if (fresh == 0) {
                return NULL;
            }
            uint64_t user = address >> 63 ? 0 : PTE_US;
            pt_upper_entry_write(entry, at, fresh | PT_UPPER_FLAGS | user);
        } else if (pte_is_leaf(*entry, at)) {
            if (!make || !pt_leaf_split(entry, at)) {
                return NULL;
            }
        }
        table = pt_table_at(*entry & PTE_ADDRESS);
    }
    return &table[pt_index(address, level)];
}

uint64_t *pt_entries_locked(uintptr_t address)
{
    ASSERT(mm_lock_held());
    uint32_t rights = window_open(WINDOW_READ);
    uint64_t *entries = pt_entry_find(address, 1, false);
    window_close(rights);
    if (entries == NULL && tables_prepare_locked() == 0) {
        rights = window_open(WINDOW_WRITE);
        entries = pt_entry_find(address, 1, true);
        window_close(rights);
    }
    return entries;
}

uint64_t *pt_entry(uintptr_t address)
{
    return pt_entry_find(address, 1, false);
}

uint64_t *pt_entries_row_locked(uintptr_t address, size_t tables)
{
    ASSERT(mm_lock_held() && IS_ALIGNED(address, PT_LEVEL_SIZE(2)));
    ASSERT(pt_index(address, 2) + tables <= PT_ENTRIES);
    if (tables_prepare_row_locked(tables) != 0) {
        return NULL;
    }
    uint32_t rights = window_open(WINDOW_WRITE);
    uint64_t *above = pt_entry_find(address, 2, true);
    phys_addr_t first = above != NULL ? tables_take_row(tables) : 0;
    for (size_t i = 0; first != 0 && i < tables; i++) {
        phys_addr_t table = first + i * PAGE_SIZE;
        ASSERT(above[i] == 0);
        memset(pt_table_at(table), 0, PAGE_SIZE);
        pt_entry_write(&above[i], table | PT_UPPER_FLAGS);
    }
    window_close(rights);
    return first != 0 ? pt_table_at(first) : NULL;
}

phys_addr_t pt_row_make_locked(size_t count)
{
    ASSERT(mm_lock_held());
    if (tables_prepare_row_locked(count) != 0) {
        return 0;
    }
    uint32_t rights = window_open(WINDOW_WRITE);
    phys_addr_t first = tables_take_row(count);
    if (first != 0) {
        memset(pt_table_at(first), 0, count * PAGE_SIZE);
    }
    window_close(rights);
    return first;
}

phys_addr_t pt_root_make_locked(void)
{
    phys_addr_t root = pt_row_make_locked(1);
    if (root != 0) {
        uint32_t rights = window_open(WINDOW_WRITE);
        memcpy(pt_table_at(root), pt_table_at(pt_tables.root), PAGE_SIZE);
        window_close(rights);
        roots[roots_count++] = root;
    }
    return root;
}
