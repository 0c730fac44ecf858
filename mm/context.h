// SPDX-License-Identifier: MIT
//
// What the memory manager keeps for each thread: its brackets, and a window for
// scattered frames. Contexts lie in a table of their own, which only grows, so
// that any context may walk through all of them without a lock.
#pragma once

#include "arch/percpu.h"
#include "keyhole.h"
#include "lib/types.h"
#include "mm/bracket.h"
#include "mm/local_window.h"

struct mm_context {
    struct bracket_stack brackets;
    struct local_window window;
    // Where the next bracket goes, while no CPU runs the thread.
    struct bracket *top;
    uint32_t cpu;     // that ran the thread last, if it has a bracket open
    uint32_t gave_up; // when it last did so with one open (mm/profile.h)
    uint32_t number;
    uint32_t next_free;           // number + 1, 0 ends the list
    bool running;                 // a CPU runs the thread
    bool in_use;                  // between create and destroy
    struct frame_filler *filling; // what the thread fills (mm/frames.c)
    uint32_t relaxed;   // bit n: key n is open for good (kernel/fault_mode.c)
    uint64_t directory; // of the window, where each CPU reaches its own alone
} __aligned(64);        // other CPUs' threads write the next

// How many contexts that no CPU runs have a bracket open; and one for each
// other CPU, whose brackets nobody counts.
extern uint32_t mm_contexts_holding;

// The boot thread's. Early boot, before any trap.
void mm_context_init_boot(void);
// Its window, and that of the boot CPU's idle thread, which is next. Boot, with
// the frame allocator.
void mm_context_init_boot_windows(void);
struct mm_context *mm_context_idle_boot(void);

// The context of the thread that runs here, whatever handlers interrupted it.
struct mm_context *mm_context_of_thread(void);
// The same outside of handlers.
static inline struct mm_context *mm_context_here(void)
{
    return CONTAINER_OF(percpu.window, struct mm_context, window);
}

// A context with no bracket open, every key closed. Thread context. NULL: out
// of memory, or 4096 are in use.
struct mm_context *mm_context_create(void);

// Begin with it on this CPU, which has run no thread yet. All rights are open
// until pks_init_cpu(). Boot, before any trap.
void mm_context_enter(struct mm_context *context);

// Give it back; no bracket is open, and no CPU runs the thread. Thread context.
void mm_context_destroy(struct mm_context *context);

// This CPU stops to run one thread and begins to run another, which was
// switched out inside the handler of an interrupt (`to_in_trap`) or by itself.
// Interrupts off, trap level 0 or 1; the level is the other thread's when this
// returns, and IA32_PKRS is what it may do.
void mm_context_switch(struct mm_context *from, struct mm_context *to,
                       bool to_in_trap);

// By number, those that are not in use too. Any context.
uint32_t mm_contexts_used(void);
struct mm_context *mm_context_at(uint32_t number);

// The next context that is in use; NULL before the first and behind the last.
// Any context.
struct mm_context *mm_context_next(const struct mm_context *context);
