// SPDX-License-Identifier: MIT
//
// How long brackets stay open, by the call that opened them: kept with the
// history (mm/trace.h), a table for each CPU. Times are in units of
// BRACKET_TIME_UNIT ticks of the TSC (mm/bracket.h), as slots have them.
#pragma once

#include "keyhole.h"
#include "lib/types.h"
#include "mm/bracket.h"

#define PROFILE_SITES 512 // of each CPU; what has no place is counted together

struct profile_site {
    int32_t site; // packed (mm/misuse.h); 0: free, -1: all that had no place
    int32_t longest_end; // who closed the one that was open longest
    uint64_t count;
    uint64_t total, longest; // time
    uint32_t waited;         // were open while their thread gave up its CPU
    uint32_t slow;           // were open for longer than profile_limit
};

// Longer than this counts as slow; 0: nothing does.
extern uint32_t profile_limit;

// Get a table for each CPU. Boot, with the history. Without memory there is
// none, and a line says so.
void profile_init(void);

// A bracket is about to be closed, at `now`, by the call at `site`. Interrupts
// off.
void profile_note(const struct bracket *bracket, uint32_t now, int32_t site);

// What all CPUs have, added up by site, the longest first, into `sites`; how
// many. Any context; what other CPUs do meanwhile may be in it or not.
size_t profile_collect(struct profile_site sites[], size_t count);

// Forget everything.
void profile_clear(void);
