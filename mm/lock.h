// SPDX-License-Identifier: MIT
//
// The one lock of the memory manager's slow paths: free lists, domains, frame
// table and page tables change together, so they are guarded together. Local
// brackets never take it.
#pragma once

#include "arch/spinlock.h"

extern struct spinlock mm_spinlock;

// Interrupts are off while it is held. Returns the flags for mm_unlock(). Not
// in the handler of an NMI, nor where it may be held by what was interrupted.
static inline uint64_t mm_lock(void)
{
    return spin_lock(&mm_spinlock);
}

// The same if it is free; false: it is not, and nothing changed. Any context.
static inline bool mm_trylock(uint64_t *flags)
{
    return spin_trylock(&mm_spinlock, flags);
}

static inline void mm_unlock(uint64_t flags)
{
    spin_unlock(&mm_spinlock, flags);
}

// Whether this CPU holds it, in what this context interrupted too.
static inline bool mm_lock_held(void)
{
    return spin_is_held_here(&mm_spinlock);
}
