// SPDX-License-Identifier: MIT
//
// A storm beside a test: a timer, calls and NMIs to every CPU, whose handlers
// bracket and look at what they must not reach, and compare the register that
// an NMI interrupted with what its thread may do; threads that come and end;
// and, if asked for, times without memory. It goes on until it is stopped.
#pragma once

#include "keyhole.h"
#include "lib/types.h"

enum storm_kind {
    STORM_PLAIN,           // one thread calls, one sends NMIs
    STORM_WITHOUT_MEMORY,  // and one takes all memory now and then
    STORM_FROM_EVERYWHERE, // as many threads of either kind as there are CPUs
};

// Begin. False: no memory. Thread context, as the rest.
bool storm_start(enum storm_kind kind);

// A frame that nobody but the storm's handlers opens.
const struct page *storm_frame(void);

// End, if one is on; true: all was as it must be. Prints what was not.
bool storm_stop(void);

// A time of quiet, as the audit needs it: on return nobody is in a handler or a
// call, until storm_hold(false). Without a storm nothing.
void storm_hold(bool hold);

// What all storms did so far.
struct storm_counts {
    uint64_t handlers, compared, threads, shortages;
};
void storm_counts_read(struct storm_counts *counts);
