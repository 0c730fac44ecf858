// SPDX-License-Identifier: MIT
//
// A lock for a few instructions, with interrupts off while it is held. Not for
// NMI context. Whoever waits for it does what other CPUs ask for meanwhile
// (arch/tlb.h), since the holder may be waiting for that.
#pragma once

#include "arch/cpu.h"
#include "lib/types.h"

struct spinlock {
    uint32_t held;
};

// Until it looks free. Interrupts off. Called through arch/saved.asm.
void spin_wait(const struct spinlock *lock);

// Returns the flags that spin_unlock() puts back.
static inline uint64_t spin_lock(struct spinlock *lock)
{
    uint64_t flags = cpu_read_flags();
    cpu_cli();
    while (unlikely(__atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE))) {
        __asm__ volatile("call spin_wait_saved" : : "D"(lock) : "cc", "memory");
    }
    return flags;
}

// The same if it is free; false: it is not, and nothing changed. Any context.
static inline bool spin_trylock(struct spinlock *lock, uint64_t *flags)
{
    *flags = cpu_read_flags();
    cpu_cli();
    if (__atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE)) {
        if (*flags & RFLAGS_IF) {
            cpu_sti();
        }
        return false;
    }
    return true;
}

static inline void spin_unlock(struct spinlock *lock, uint64_t flags)
{
    __atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE);
    if (flags & RFLAGS_IF) {
        cpu_sti();
    }
}

static inline bool spin_is_held(const struct spinlock *lock)
{
    return __atomic_load_n(&lock->held, __ATOMIC_RELAXED) != 0;
}
