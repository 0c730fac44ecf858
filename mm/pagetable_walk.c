// SPDX-License-Identifier: MIT
//
// Reading the page tables: what translates an address.
#include "arch/cpu.h"
#include "mm/engine.h"
#include "mm/pagetable_internal.h"
#include "mm/pt_window.h"

static void walk_from(phys_addr_t root, uintptr_t address, struct pt_walk *walk)
{
    uint32_t rights = window_open(WINDOW_READ);
    const uint64_t *table = pt_table_at(root);
    for (unsigned level = PT_LEVELS;; level--) {
        uint64_t entry = table[pt_index(address, level)];
        walk->entry[level] = entry;
        walk->level = level;
        walk->present = (entry & PTE_P) && pte_is_leaf(entry, level);
        if (!(entry & PTE_P) || walk->present) {
            break;
        }
        table = pt_table_at(entry & PTE_ADDRESS);
    }
    window_close(rights);
}

void pt_walk(uintptr_t address, struct pt_walk *walk)
{
    walk_from(pt_tables.root, address, walk);
}

phys_addr_t pt_walk_here(uintptr_t address, struct pt_walk *walk)
{
    uint64_t flags = cpu_interrupts_off();
    phys_addr_t root =
        engine->root != NULL ? engine->root(percpu.cpu) : pt_tables.root;
    walk_from(root, address, walk);
    cpu_interrupts_restore(flags);
    return root;
}

uint64_t pt_leaf(uintptr_t address, uint64_t *size)
{
    uint32_t rights = window_open(WINDOW_READ);
    const uint64_t *table = pt_table_at(pt_tables.root);
    unsigned shift = PT_LEVEL_SHIFT(PT_LEVELS);
    uint64_t entry;
    for (;; shift -= 9) {
        entry = table[address >> shift & (PT_ENTRIES - 1)];
        if (!(entry & PTE_P)) {
            entry = 0;
            break;
        }
        if ((entry & PTE_PS) || shift == PT_LEVEL_SHIFT(1)) {
            break;
        }
        table = pt_table_at(entry & PTE_ADDRESS);
    }
    window_close(rights);
    *size = 1ull << shift;
    return entry;
}
