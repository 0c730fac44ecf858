// SPDX-License-Identifier: MIT
//
// The window through which page tables are read and written: the tables' key,
// open for one context, for a few instructions. Nothing else in the kernel
// opens that key.
#pragma once

#include "arch/pks.h"
#include "mm/keys.h"

#define WINDOW_READ PKRS_AD(KEY_TABLES)
#define WINDOW_WRITE PKRS_KEY_MASK(KEY_TABLES)

// Open the tables, for WINDOW_READ or WINDOW_WRITE. Returns what window_close()
// puts back. Nests, and a trap inside starts closed like any other. Before PKS
// is on it does nothing. Any context.
static inline uint32_t window_open(uint32_t closed_bits)
{
    uint32_t rights = pks_rights();
    pks_set_rights(rights & ~closed_bits);
    return rights;
}

static inline void window_close(uint32_t rights)
{
    pks_set_rights(rights);
}
