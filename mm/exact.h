// SPDX-License-Identifier: MIT
//
// The windows of the engine `exact`: page tables that only the running context
// can reach. Each CPU has a root of its own, in which one entry differs from
// all others' and leads to the CPU's links: one for the thread that runs, and
// one for each level of its handlers. A link leads to a context's directory.
//
// A context is hidden from the handler that interrupts it by its link, whose P
// bit the trap entry clears, if the context has anything open, and sets again
// on the way out (mm/exact.asm).
//
// In a window each of the 32 slots for brackets has a place for a few frames,
// and an unmapped page behind them; more frames, and scattered ones, have room
// of their own, as under other engines (mm/local_window.h).
#pragma once

#include "arch/asm.h"
#include "keyhole.h"
#include "lib/types.h"
#include "mm/bracket.h"
#include "mm/context.h"

// By number in a CPU's links: the thread's, then its handlers'.
#define EXACT_LINKS (1 + HANDLER_LEVELS)
#define EXACT_LINK_SIZE GIB(1)

// Make a window for a thread, with room for scattered frames if `tables` says
// that it needs any; mm_lock held. False: no memory.
bool exact_window_make_locked(struct mm_context *context, size_t tables);

// Make the root, the links and the handlers' windows of a CPU. False: no
// memory. Boot.
bool exact_cpu_make(struct cpu_data *cpu, struct bracket_handlers *slots);

// There are none yet.
void exact_cpu_none(struct bracket_handlers *slots);

// Use them, on this CPU, with the window of the thread that runs. Boot.
void exact_cpu_begin(void);

void exact_switch_from(const struct mm_context *to);
void exact_switch_to(struct mm_context *to, bool to_in_trap);
void exact_abandon_above(uint32_t level);
uint64_t *exact_entry(uintptr_t address, uint32_t level);
uint64_t exact_leaf(uintptr_t address, uint32_t level);

// A page of the running thread's window for the allocator, and its entry.
uintptr_t exact_fill_address(void);
uint64_t *exact_fill_entry(void);

// For audits: the root of a CPU; how many tables windows have, the CPUs' own
// among them; and how many pages are mapped in all windows.
phys_addr_t exact_root(unsigned cpu);
size_t exact_tables(void);
size_t exact_leaves(void);
