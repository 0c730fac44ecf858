// SPDX-License-Identifier: MIT
//
// Local brackets: the stack of open ones that each thread has, and the rights
// that each gave. Public calls are in keyhole.h; this is for those who report.
//
// One stack serves a thread and the handlers that interrupt it: a handler's
// brackets lie above percpu.bracket_base and are gone before it returns.
#pragma once

#include "keyhole.h"
#include "lib/types.h"

#define BRACKETS_MAX 32         // in one thread
#define BRACKETS_IN_HANDLERS 32 // in all handlers that interrupt it at a time

struct bracket {
    uint64_t address;    // what the map call returned
    int32_t map_site;    // its return address, site_pack()ed
    int32_t unmap_site;  // the same of its unmap; 0 while it is open
    uint32_t rights;     // to go back to when it closes
    uint32_t sequence;   // low bits of this CPU's count of brackets
    uint64_t opened_tsc; // debug builds; 0 in release builds
};

struct bracket_stack {
    uint32_t depth; // open brackets; those above are closed ones, kept to name
    uint32_t reserved;
    struct bracket bracket[BRACKETS_MAX + BRACKETS_IN_HANDLERS];
};

_Static_assert(offsetof(struct bracket_stack, depth) == 0, "arch/asm.h");
_Static_assert(sizeof(struct bracket) == 32 || sizeof(struct bracket) == 40,
               "indexed by shifts");

// Give the boot thread its stack of brackets. Early boot, before any trap.
void brackets_init_boot(void);

// Close every bracket above `depth` and go back to `rights`; for code that is
// abandoned.
void brackets_abandon(uint32_t depth, uint32_t rights);

// An open bracket of this thread that holds one of `count` frames from `page`
// on, or NULL.
const struct bracket *bracket_find_open(const struct page *page, size_t count);

// The most recent bracket of this thread on a frame that is not older than
// *cursor (start with 0); advances the cursor. NULL: no more are remembered.
const struct bracket *bracket_recall(const struct page *page, unsigned *cursor);
