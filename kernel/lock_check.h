// SPDX-License-Identifier: MIT
//
// Debug builds: what each CPU holds, and whether it may take what it takes
// (docs/explanation/locks.md). The hooks of spinlocks are in arch/spinlock.h.
// In release builds all this is nothing.
#pragma once

#include "lib/types.h"

// A spinlock that is held for longer is named on the console. Between one and
// four seconds at the rates that TSCs have: no code of the kernel takes that
// long, but the emulator of a CPU may be kept from running for a while, and
// that is no failure.
#define LOCK_TICKS_MAX BIT(32)

#ifdef KEYHOLE_DEBUG

// How many spinlocks this CPU holds. Any context.
unsigned lock_check_count(void);

// The innermost `count` - `before` of them are lost, with what is abandoned: a
// panic if there are any.
void lock_check_abandon(unsigned before);

// A misuse unless this CPU holds as many as before the handler.
void lock_check_handler(unsigned before, uintptr_t interrupted);

// A misuse if the call at `site`, which waits, is made with a spinlock held or
// with interrupts off.
void lock_check_wait(uintptr_t site);

// From here on nothing is checked: this is a panic.
void lock_check_stop(void);

// Print what a CPU holds, one a line. Any context; the other CPU stands still.
void lock_check_print(unsigned cpu);

#else

static inline unsigned lock_check_count(void)
{
    return 0;
}

static inline void lock_check_abandon(unsigned before)
{
    (void)before;
}

static inline void lock_check_handler(unsigned before, uintptr_t interrupted)
{
    (void)before;
    (void)interrupted;
}

static inline void lock_check_wait(uintptr_t site)
{
    (void)site;
}

static inline void lock_check_stop(void)
{
}

static inline void lock_check_print(unsigned cpu)
{
    (void)cpu;
}

#endif
