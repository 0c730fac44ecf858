// SPDX-License-Identifier: MIT
//
// Frames for page tables. They come from blocks of 2 MiB whose leaf in the
// direct map has the tables' key, so tagging a table splits nothing. Where
// memory is in pieces, from smaller ones: each costs a split. A reserve
// is kept ahead of need: a split in the middle of an operation cannot fail for
// want of the table that would hold it. mm_lock is held throughout.
#pragma once

#include "keyhole.h"
#include "lib/types.h"

#define TABLES_BLOCK_ORDER 9 // 2 MiB
#define TABLES_LEAST_ORDER 5 // more than such a block's split can need
#define TABLES_BLOCK_SIZE (PAGE_SIZE << TABLES_BLOCK_ORDER)

// No operation takes more tables than this after one tables_prepare_locked():
// two splits at each end of a range, or three levels for a new leaf; and one
// such operation inside growing the reserve itself.
#define TABLES_RESERVE 16

// The first block, aligned to its size. Boot, before any other call here.
void tables_init(phys_addr_t block);

// Mark the first block's frames, once there is a frame table. Boot.
void tables_adopt(void);

// Make sure of the reserve. -ENOMEM: no block left and the reserve is low.
int tables_prepare_locked(void);

// A frame for a table (contents undefined), or 0 when the reserve is used up;
// and back.
phys_addr_t table_take(void);
void table_give(phys_addr_t table);

// The same, and of `count` frames side by side, which tables_take_row() then
// gives; it has 0 if there are none.
int tables_prepare_row_locked(size_t count);
phys_addr_t tables_take_row(size_t count);

// How many are left, each looked at; for audits. mm_lock held.
size_t tables_free_locked(void);

// For reports, without the lock: frames in use as tables, frames set aside.
size_t tables_used(void);
size_t tables_total(void);
