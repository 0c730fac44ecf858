// SPDX-License-Identifier: MIT
//
// Stacks for code that runs beside the boot stack: made and destroyed at run
// time, in a region of their own outside the direct map. Both ends of each are
// unmapped, so that running over either is a fault and not a neighbour's loss.
// Pages have key 0 and are never executable.
//
// What a fault or a backtrace asks about them is in arch/trap.h: stack_find(),
// stack_guard_name().
#pragma once

#include "keyhole.h"
#include "lib/types.h"

#define STACK_PAGES_MAX 255
#define STACK_NAME_SIZE 39

// A stack of `pages` pages, 1 to STACK_PAGES_MAX, contents undefined. `name` is
// copied (38 bytes are kept). Returns its top: the address behind its last
// byte, page-aligned. Thread context. NULL: out of memory or of addresses, or a
// size that no stack has.
void *stack_create(const char *name, size_t pages);

// Give a stack back, by its top. No CPU reaches it through the old address when
// this returns. Thread context. Misuse: a second time, an address that is no
// stack's top, or the stack that is in use.
void stack_destroy(void *top);

// Run fn(arg) on another stack and come back to this one. Backtraces lead from
// there to here. Any context; arch/stack_call.asm.
void stack_call(void (*fn)(void *arg), void *arg, void *top);

// Give the frames of destroyed stacks, of which some are kept for the next,
// back to the pool. mm_lock held.
void stacks_trim_locked(void);

// For audits, mm_lock held. Whether a page belongs to a stack in use, and the
// frames that are kept: *slot starts at 0; false: no more. The frames of one
// are linked by private_next.
bool stack_owns_page(uintptr_t address);
bool stack_kept_next(unsigned *slot, uint32_t *frame);
