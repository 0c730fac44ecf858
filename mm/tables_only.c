// SPDX-License-Identifier: MIT
//
// Where page tables are mapped when the direct map does not have them.
#include "mm/tables_only.h"

#include "arch/pte.h"
#include "mm/keys.h"
#include "mm/layout.h"
#include "mm/pagetable.h"

int tables_only_rekey_locked(phys_addr_t block, unsigned order, unsigned key)
{
    return key != KEY_TABLES
               ? 0
               : pt_map_locked(TABLES_MAP_BASE + block, block,
                               PAGE_SIZE << order, PTE_P | PTE_A | PTE_XD, 2);
}
