// SPDX-License-Identifier: MIT
//
// A storm beside a test: a timer, calls and NMIs to every CPU, whose handlers
// bracket and look at what they must not reach; threads that come and end; and,
// if asked for, times without memory. It goes on until it is stopped.
#pragma once

#include "lib/types.h"

// Begin. False: no memory. Thread context, as the rest.
bool storm_start(bool without_memory);

// End, if one is on; true: all was as it must be. Prints what was not.
bool storm_stop(void);

// A time of quiet, as the audit needs it: on return nobody is in a handler or a
// call, until storm_hold(false). Without a storm nothing.
void storm_hold(bool hold);

// What all storms did so far.
struct storm_counts {
    uint64_t handlers, threads, shortages;
};
void storm_counts_read(struct storm_counts *counts);
