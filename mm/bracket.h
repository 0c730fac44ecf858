// SPDX-License-Identifier: MIT
//
// Local brackets: the stack of open ones that each thread and each handler has,
// and the rights that each gave. Public calls are in keyhole.h, with the hot
// paths and struct bracket; this is for those who look, report or abandon.
//
// percpu.bracket_top points behind the innermost bracket. Under a context's
// first slot is a sentinel, which has the rights of no bracket. A handler's
// sentinel leads to the context that it interrupted. So an unmap never reaches
// another context's bracket, and a thread's closed brackets stay as they were
// until it opens the next.
#pragma once

#include "arch/asm.h"
#include "keyhole.h"
#include "lib/types.h"
#include "mm/layout.h"

#define BRACKETS_MAX 32 // in one thread, and in one handler
#define TRAPS_MAX 16    // nested; a few more fit while that is reported

#define BRACKET_TIME_UNIT 1024 // ticks of the TSC

_Static_assert(offsetof(struct bracket, address) == 0, "keyhole.h");
_Static_assert(offsetof(struct bracket, map_site) == BRACKET_MAP_SITE, "asm.h");
_Static_assert(offsetof(struct bracket, unmap_site) == BRACKET_UNMAP_SITE &&
                   offsetof(struct page, private_domain) == PAGE_DOMAIN,
               "asm.h");
_Static_assert(offsetof(struct bracket, rights) == BRACKET_RIGHTS, "asm.h");
_Static_assert(offsetof(struct bracket, interrupted) == BRACKET_INTERRUPTED,
               "asm.h");
_Static_assert(offsetof(struct bracket, more_frames) ==
                   offsetof(struct bracket, map_site) + 4,
               "one store for both");
_Static_assert(offsetof(struct bracket, more_frames) == BRACKET_MORE_FRAMES &&
                   offsetof(struct bracket, window_entry) ==
                       BRACKET_WINDOW_ENTRY &&
                   offsetof(struct bracket, window_address) ==
                       BRACKET_WINDOW_ADDRESS &&
                   offsetof(struct bracket, backing) == BRACKET_BACKING,
               "asm.h");
_Static_assert(sizeof(struct bracket) == BRACKET_SIZE, "asm.h");

// The slots of one context. The slot at the end has a count that says "full"
// as soon as it is used.
struct bracket_level {
    struct bracket sentinel;
    struct bracket bracket[BRACKETS_MAX];
    struct bracket end;
};

_Static_assert(sizeof(struct bracket_level) == BRACKET_LEVEL_SIZE, "asm.h");
#define BRACKET_LEVEL_SLOTS (BRACKETS_MAX + 2)

// A thread's. What lies below its sentinel has rights that no context has, as
// the end of a level has: closing a sentinel is never a change of nothing.
struct bracket_stack {
    struct bracket below;
    struct bracket_level thread;
};

#define HANDLER_LEVELS (TRAPS_MAX + 4)

// The slots of all handlers of a CPU.
struct bracket_handlers {
    struct bracket below;
    struct bracket_level level[HANDLER_LEVELS];
};

// The address of an end, of what is below, and of a sentinel: no pointer, and
// no sum of pointers by mistake.
#define BRACKET_NOBODY 0x4b6579686f6c6521ull

// A bracket that is more than a change of rights has frames in the window. Its
// address has this bit clear, which no pointer of the kernel has, so that the
// hot path of unmap does not know it. Its count of frames is negative, and so
// is a sentinel's.
#define BRACKET_SPECIAL BIT(62)

static inline bool bracket_is_sentinel(const struct bracket *bracket)
{
    return bracket->address == BRACKET_NOBODY;
}

static inline bool bracket_is_special(const struct bracket *bracket)
{
    return !(bracket->address & BRACKET_SPECIAL);
}

static inline uintptr_t bracket_address(const struct bracket *bracket)
{
    return bracket->address | BRACKET_SPECIAL;
}

// Where in the direct map its first frame is, if it is not special. In a window
// it is known by `backing`.
static inline uintptr_t bracket_direct_address(const struct bracket *bracket)
{
    return bracket->address - DIRECT_MAP_BASE < DIRECT_MAP_SIZE
               ? bracket->address
               : bracket->backing;
}

static inline size_t bracket_frames(const struct bracket *bracket)
{
    int64_t more = bracket->more_frames;
    return more < 0 ? -more : more + 1;
}

// The slots of the thread that runs here, whatever handlers interrupted it. Any
// context.
struct bracket_level *bracket_thread_level(void);

// Make a stack of slots with no bracket open; `rights` are those of its
// context. What was remembered in it is forgotten, the counts of use stay.
void bracket_stack_init(struct bracket_stack *stack, uint32_t rights);

// The slots of this CPU's handlers: the boot CPU's, and those that were made
// for another. Early boot, before any trap, on that CPU.
void handler_brackets_init_boot(void);
struct bracket_handlers *handler_brackets_boot(void);
void handler_brackets_init(struct bracket_handlers *handlers);

// How many of the brackets in handlers had no other open. Any context.
uint64_t handler_brackets_outermost(void);

// Add up how many brackets were opened with no other open in their context, and
// how many are open now. Any context.
void brackets_count(uint64_t *outermost, uint64_t *open);

// How many frames they have, together. Any context.
size_t brackets_frames(void);

// How many a thread has open. Any context.
unsigned brackets_open_in(const struct bracket_stack *stack);

// How many are open, in all contexts. Any context.
static inline uint64_t brackets_open(void)
{
    uint64_t outermost, open;
    brackets_count(&outermost, &open);
    return open;
}

// The interrupted context of a handler may use these bits of IA32_PKRS from now
// on, whichever of its brackets is the innermost. `top` is where its next
// bracket goes.
void brackets_relax(struct bracket *top, uint32_t bits);

// kmap_local_page(), or the _ro form, in the name of the caller at `site`: for
// helpers that bracket for others. Any context.
void *bracket_map_page(struct page *page, bool writable, uintptr_t site);

// How many brackets this context has open, and the innermost of them (NULL:
// none). Any context.
unsigned brackets_depth(void);
const struct bracket *bracket_innermost(void);

// Close every bracket above `top`, or above what is left of those below it; for
// code that is abandoned. What `rights` says of the page tables' key is true
// again.
void brackets_abandon(struct bracket *top, uint32_t rights);

// An open bracket, of any thread or handler, that holds one of `count` frames
// from `page` on, or NULL. Not in the handler of an NMI.
const struct bracket *bracket_find_open(const struct page *page, size_t count);

// All open brackets, innermost first: those of this CPU's handlers and its
// thread, those of the other CPUs, and those of the threads that no CPU runs.
// What other CPUs do meanwhile may hide one, or show one that has just been
// closed, unless they are parked (arch/tlb.h); all that is read stays mapped.
// Begin with zeroes. NULL: no more. Any context.
struct mm_context;
struct bracket_walk {
    const struct bracket *next; // NULL: not begun
    unsigned cpus;              // how many were begun, this one not counted
    struct mm_context *context; // whose turn it is; NULL: that of CPUs
    bool over;
};
const struct bracket *bracket_walk_on(struct bracket_walk *walk);

// Whether a bracket has, or had, one of `count` frames from `page` on. Those
// that are closed know no scattered frames any more.
bool bracket_holds(const struct bracket *bracket, const struct page *page,
                   size_t count);

// A bit for each key whose domain has a bracket open, in any thread or handler.
// A guess unless the other CPUs are parked (arch/tlb.h). Any context.
uint32_t brackets_busy_keys(void);

// Go through the remembered brackets of this thread on a frame: open ones and
// those closed since. *cursor starts at 0. `open` says which kind it is. NULL:
// no more.
const struct bracket *bracket_recall(const struct page *page, unsigned *cursor,
                                     bool *open);

// The frame that an address in a window was mapped to by a remembered bracket
// of this thread, or NULL.
const struct page *bracket_page_once(uintptr_t address);

// What became of the bracket that had this address, as this context sees it.
enum bracket_where {
    BRACKET_OPEN,   // open, and this context's own
    BRACKET_OTHERS, // open, of the thread that this handler interrupted
    BRACKET_CLOSED, // closed already
};

// The bracket of this thread that had an address; NULL: none is remembered.
const struct bracket *bracket_find(uintptr_t address,
                                   enum bracket_where *where);

// The open bracket with this address of another thread, or of another CPU's
// handler; NULL: none.
const struct bracket *bracket_find_elsewhere(uintptr_t address);
