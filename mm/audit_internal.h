// SPDX-License-Identifier: MIT
//
// The parts of an audit among themselves: audit.c walks the tables,
// audit_leaf.c judges each leaf by its region, audit_frames.c the frames behind
// the direct map and the lists of free ones. mm_lock is held in all of it, and
// the tables are open for reading.
#pragma once

#include "mm/audit.h"
#include "mm/engine.h"
#include "mm/frames.h"

// A leaf of the page tables, taken apart.
struct audit_leaf {
    uintptr_t address;
    phys_addr_t physical;
    uint64_t size;
    uint64_t entry;
};

// Two ways to count the same things, as sums of a hash of each: equal sums mean
// equal collections, however often each thing is in them.
struct audit_sums {
    uint64_t mapped;  // by leaves
    uint64_t counted; // by what the frame table says
};

struct audit {
    struct audit_report *report;
    phys_addr_t physical_end; // of what the CPU can address
    uint64_t direct_bytes;
    // The block of frames that the walk of the direct map is in.
    phys_addr_t block_end;
    unsigned block_key;
    enum audit_rule block_rule; // broken if a leaf has another key
    struct audit_sums kmap, vmap;
    struct audit_sums areas; // pages of vmap() ranges; `counted`: by slots
    struct audit_sums own;   // frames of the kernel's own, and their mappings
    struct audit_sums free;  // `mapped`: heads of free blocks; `counted`: lists
    struct audit_sums domain; // `mapped`: frames; `counted`: by each domain
    uint64_t free_blocks, listed_blocks;
    uint64_t pool_bytes;
};

// Note what is wrong.
void audit_find(struct audit *audit, enum audit_rule rule, uintptr_t address,
                uint64_t entry, uint64_t wanted);

// Judge a leaf, and count it.
void audit_leaf(struct audit *audit, const struct audit_leaf *leaf);

// Judge the frames behind a leaf of the direct map, those whose part of the
// frame table is set up. In the order of addresses.
void audit_frames(struct audit *audit, const struct audit_leaf *leaf);

// The same for all of RAM, where the direct map does not have it.
void audit_ram(struct audit *audit);

// Whether the engine's direct map has a leaf for all of RAM.
static inline bool audit_direct_is_whole(void)
{
    return engine->direct_leaf[DIRECT_FREE] != 0;
}

// Judge the lists of free memory, once all frames were seen.
void audit_lists(struct audit *audit);

// A hash of a number (the finaliser of MurmurHash3).
static inline uint64_t audit_hash(uint64_t value)
{
    value = (value ^ value >> 33) * 0xff51afd7ed558ccdull;
    value = (value ^ value >> 33) * 0xc4ceb9fe1a85ec53ull;
    return value ^ value >> 33;
}
