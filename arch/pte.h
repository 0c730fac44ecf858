// SPDX-License-Identifier: MIT
//
// The format of a page-table entry (SDM 3A 4.5, tables 4-15 to 4-20).
#pragma once

#include "lib/types.h"

#define PTE_P BIT(0)   // present
#define PTE_RW BIT(1)  // writable
#define PTE_US BIT(2)  // user mode may access
#define PTE_PWT BIT(3) // write-through
#define PTE_PCD BIT(4) // cache disable
#define PTE_A BIT(5)   // accessed
#define PTE_D BIT(6)   // dirty
#define PTE_PS BIT(7)  // a leaf, in levels 2 and 3
#define PTE_G BIT(8)   // global
#define PTE_XD BIT(63) // execute disable
#define PTE_ADDRESS BITS(51, 12)

// Of what the CPU ignores, in leaves of 4 KiB of frames that are watched
// (mm/watch.h): the leaf has the watch's key; it has lost P; it has lost RW.
// The engine `flip` counts in these bits in the direct map.
#define PTE_OWN_KEY BIT(9)
#define PTE_LOST_P BIT(10)
#define PTE_LOST_RW BIT(11)
#define PTE_WATCHED (PTE_OWN_KEY | PTE_LOST_P | PTE_LOST_RW)

#define PTE_KEY_SHIFT 59
#define PTE_KEY_MASK BITS(62, 59)
#define PTE_KEY(key) ((uint64_t)(key) << PTE_KEY_SHIFT)

#define PT_ENTRIES 512

// A table of level 1 has leaves of 4 KiB; 2: 2 MiB; 3: 1 GiB; 4: the root.
#define PT_LEVELS 4
#define PT_LEVEL_SHIFT(level) (12 + 9 * ((level)-1))
#define PT_LEVEL_SIZE(level) (1ull << PT_LEVEL_SHIFT(level))

static inline unsigned pte_key(uint64_t entry)
{
    return (entry & PTE_KEY_MASK) >> PTE_KEY_SHIFT;
}

static inline unsigned pt_index(uintptr_t address, unsigned level)
{
    return address >> PT_LEVEL_SHIFT(level) & (PT_ENTRIES - 1);
}

// Whether an entry of a table of this level is a leaf.
static inline bool pte_is_leaf(uint64_t entry, unsigned level)
{
    return level == 1 || (entry & PTE_PS) != 0;
}
