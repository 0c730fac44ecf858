// SPDX-License-Identifier: MIT
//
// The machine's memory as sorted, disjoint ranges of one type each, made from
// whatever firmware reports: overlapping, unsorted, empty, wrapping, unaligned.
// Pure data and arithmetic; no hardware. Runs on the host too.
#pragma once

#include "lib/types.h"

// In rising order of precedence: where reports overlap, the larger value wins.
// A byte that anyone calls reserved is never used as RAM.
enum memory_type {
    MEMORY_NONE = 0,   // nobody reported it
    MEMORY_USABLE,     // RAM for the frame allocator
    MEMORY_PERSISTENT, // type 7 (ACPI 6, table 15-5); never allocated
    MEMORY_ACPI,       // tables, reclaimable; kept as they are
    MEMORY_NVS,        // firmware's own, to be preserved
    MEMORY_RESERVED,   // reserved, and every type unknown to us
    MEMORY_BAD,        // reported as faulty
};

struct memory_range {
    uint64_t base; // bytes, multiple of 4096 for MEMORY_USABLE
    uint64_t end;  // bytes, first one behind the range; base < end
    enum memory_type type;
};

// What the array holds. Between calls two places are free: one report can cut
// a range in three.
#define MEMORY_RANGES_MAX 256

struct memory_map {
    unsigned count;
    unsigned dropped; // usable ranges given up because the array was full
    struct memory_range ranges[MEMORY_RANGES_MAX];
};

// Start with no memory at all.
void memory_map_init(struct memory_map *map);

// Take one report from firmware into the map. Ranges may arrive in any order
// and overlap. A length of 0 is nothing; a range that wraps past 2^64 ends
// there, and the very last frame below 2^64 is never in the map (its end has no
// number); usable ranges shrink to whole frames, all other types grow to whole
// frames. When the array is full, the step that costs the fewest bytes is
// taken: give up the smallest usable range (counted in `dropped`), or join two
// neighbouring ranges that are not usable, with what nobody reported between
// them, under the larger type. A reservation is never lost.
void memory_map_add(struct memory_map *map, uint64_t base, uint64_t length,
                    enum memory_type type);

// The range that holds `address`, or NULL. O(log n).
const struct memory_range *memory_map_find(const struct memory_map *map,
                                           uint64_t address);

// Bytes of all ranges of `type`.
uint64_t memory_map_total(const struct memory_map *map, enum memory_type type);

// Whether a range has a frame table and a place in the direct map.
static inline bool memory_has_frames(enum memory_type type)
{
    return type == MEMORY_USABLE || type == MEMORY_PERSISTENT;
}

// A short name for reports: "usable", "reserved", ...
const char *memory_type_name(enum memory_type type);
