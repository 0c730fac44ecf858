// SPDX-License-Identifier: MIT
//
// Page tables behind CR0.WP, for engines that use no keys: they are mapped
// read-only in a region of their own, and RAM is not mapped with them.
#pragma once

#include "keyhole.h"
#include "lib/types.h"

// The engines' rekey_locked(): maps blocks that become page tables, and takes
// no notice of others.
int tables_only_rekey_locked(phys_addr_t block, unsigned order, unsigned key);

// ENGINE_CALL_RIGHTS, and the entry of traps, which closes the tables for each
// handler (mm/tables_only.asm).
void tables_rights_write(void);
void trap_entry_tables(void);
