// SPDX-License-Identifier: MIT
//
// Local brackets: the stack of open ones that each thread has, and the rights
// that each gave. Public calls are in keyhole.h; this is for those who report.
//
// percpu.bracket_top points behind the innermost bracket. The brackets of
// handlers lie behind all of the thread's, each handler's above a sentinel
// that the trap entry writes (arch/trap_entry.asm), and are gone before it
// returns. So an unmap never reaches another context's bracket, and a thread's
// closed brackets stay as they were until it opens the next.
#pragma once

#include "arch/asm.h"
#include "keyhole.h"
#include "lib/types.h"

#define BRACKETS_MAX 32         // in one thread
#define BRACKETS_IN_HANDLERS 64 // in all handlers that interrupt it at a time
#define TRAPS_MAX 32            // nested; each has a sentinel and a gap

#define BRACKET_TIME_UNIT 1024 // ticks of the TSC

struct bracket {
    uint64_t address; // what the map call returned
    union {
        struct {
            uint32_t rights;   // to go back to when it closes; BRACKET_SPECIAL
            uint32_t sequence; // low bits of this CPU's count of brackets
        };
        // In a sentinel: BRACKET_SPECIAL, and in a handler's also
        // percpu.bracket_top of the interrupted context.
        uintptr_t interrupted;
    };
    union {
        struct {
            int32_t map_site;     // its return address, site_pack()ed; 0: never
            int32_t minus_frames; // minus the number of frames
        };
        // The return address of a map of one frame, whole: kernel text is in
        // the top 2 GiB, so the upper half says -1. One store for both.
        uint64_t site_of_one_frame;
    };
    int32_t unmap_site; // of its last unmap, of use above the top only
    uint32_t map_time;  // debug builds: TSC / BRACKET_TIME_UNIT; else 0
};

_Static_assert(offsetof(struct bracket, address) == BRACKET_ADDRESS, "asm.h");
_Static_assert(offsetof(struct bracket, interrupted) == BRACKET_INTERRUPTED,
               "asm.h");
_Static_assert(sizeof(struct bracket) == BRACKET_SIZE, "asm.h");

struct bracket_stack {
    struct bracket sentinel; // never closed by anybody
    struct bracket bracket[BRACKETS_MAX];
    struct bracket end; // unmap_site BRACKET_END: never filled
    struct bracket in_handlers[BRACKETS_IN_HANDLERS];
    struct bracket end_in_handlers[2 * TRAPS_MAX]; // each as `end`
};

// Give the boot thread its stack of brackets. Early boot, before any trap.
void brackets_init_boot(void);

// kmap_local_page(), or the _ro form, in the name of the caller at `site`: for
// helpers that bracket for others. Any context.
void *bracket_map_page(struct page *page, bool writable, uintptr_t site);

// How many brackets this context has open, and the innermost of them (NULL:
// none). Any context.
unsigned brackets_depth(void);
const struct bracket *bracket_innermost(void);

// Close every bracket above `top` and go back to `rights`; for code that is
// abandoned.
void brackets_abandon(struct bracket *top, uint32_t rights);

// An open bracket, of this thread or of its handlers, that holds one of
// `count` frames from `page` on, or NULL.
const struct bracket *bracket_find_open(const struct page *page, size_t count);

// A bit for each key whose domain has a bracket open, in this thread or in its
// handlers. Any context.
uint32_t brackets_busy_keys(void);

// Go through the remembered brackets of this thread on a frame: open ones and
// those closed since. *cursor starts at 0. `open` says which kind it is. NULL:
// no more.
const struct bracket *bracket_recall(const struct page *page, unsigned *cursor,
                                     bool *open);

// What became of the bracket that had this address, as this context sees it.
enum bracket_where {
    BRACKET_OPEN,   // open, and this context's own
    BRACKET_OTHERS, // open, of the thread that this handler interrupted
    BRACKET_CLOSED, // closed already
};

// The bracket of this thread that had an address; NULL: none is remembered.
const struct bracket *bracket_find(uintptr_t address,
                                   enum bracket_where *where);
