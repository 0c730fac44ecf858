// SPDX-License-Identifier: MIT
//
// The frame table, set up piece by piece: boot does not touch memory in
// proportion to RAM. A section is 128 MiB of addresses; its part of the frame
// table lives in frames of its own.
#pragma once

#include "keyhole.h"
#include "lib/memory_map.h"
#include "lib/types.h"
#include "mm/layout.h"

#define SECTION_SIZE MIB(128)
#define SECTIONS (DIRECT_MAP_SIZE / SECTION_SIZE)

extern uint64_t sections_ready[SECTIONS / 64]; // a bit for each

// Remember the machine's memory: RAM, persistent memory too, and what RAM
// nobody uses yet. Boot.
void sections_init(const struct memory_map *memory,
                   const struct memory_map *available);

// Set up the next section that has free memory and hand that to the pool.
// mm_lock held. False: there is none left.
bool section_next_locked(void);

// Whether `address` is memory of ours, with its section set up (done on the way
// if need be). mm_lock held.
bool section_ensure_locked(phys_addr_t address);

// The same without setting anything up. Any context.
bool section_is_ready(phys_addr_t address);

// Whether the section of an address that is known to be memory is set up. Any
// context.
static inline bool section_is_set_up(phys_addr_t address)
{
    uint64_t section = address / SECTION_SIZE;
    return sections_ready[section / 64] >> (section % 64) & 1;
}

// Bytes of memory in [base, base + size). Any context.
uint64_t sections_memory_in(phys_addr_t base, uint64_t size);

// Where memory ends, the last of it if it is in pieces. Any context.
phys_addr_t sections_memory_end(void);

// Bytes of RAM, and with persistent memory; bytes available in sections that
// are not set up yet.
uint64_t sections_ram_bytes(void);
uint64_t sections_memory_bytes(void);
uint64_t sections_untouched_bytes(void);
