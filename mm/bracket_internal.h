// SPDX-License-Identifier: MIT
//
// What the files about brackets share.
#pragma once

#include "arch/cpu.h"
#include "mm/bracket.h"

// What debug builds remember on top, as the hot path does.
static inline void bracket_stamp(struct bracket *bracket)
{
#ifdef KEYHOLE_DEBUG
    bracket->map_time = (uint32_t)(cpu_read_tsc() / BRACKET_TIME_UNIT);
#else
    (void)bracket;
#endif
}

// What the cold ends of the hot paths call (mm/bracket_cold.asm). `site` is
// packed (mm/misuse.h).
//
// The rest of a map call: report that `slot` is behind the last, or open a
// bracket on a frame of a domain that has no key, or report a frame that has no
// domain. In the second case the slot is filled, counted and below the top.
// Returns the address for the caller.
#define MAP_WRITABLE BIT(31)
uintptr_t bracket_map_slow(struct bracket *slot, uintptr_t address,
                           uint32_t site_and_writable);

// An unmap of an address that the innermost slot does not have, or that is not
// a mere change of rights.
void bracket_unmap_slow(uintptr_t address, int32_t site);

// The open brackets of the context below a sentinel end here; NULL: there is
// none.
static inline struct bracket *
bracket_interrupted_top(const struct bracket *sentinel)
{
    return sentinel->interrupted;
}
