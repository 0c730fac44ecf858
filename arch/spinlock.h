// SPDX-License-Identifier: MIT
//
// A lock for a few instructions, with interrupts off while it is held. Not for
// NMI context. Whoever waits for it does what other CPUs ask for meanwhile
// (arch/tlb.h), since the holder may be waiting for that.
#pragma once

#include "arch/cpu.h"
#include "arch/percpu.h"
#include "lib/types.h"

struct spinlock {
    uint32_t holder; // percpu.lock_mark of the CPU that holds it, 0: nobody
};

// Take it, if it is free.
static inline bool spin_take(struct spinlock *lock)
{
    uint32_t nobody = 0;
    return __atomic_compare_exchange_n(&lock->holder, &nobody, percpu.lock_mark,
                                       false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

// Until it looks free. Interrupts off. Called through arch/saved.asm.
void spin_wait(const struct spinlock *lock);

// Interrupts are off already.
static inline void spin_lock_off(struct spinlock *lock)
{
    while (unlikely(!spin_take(lock))) {
        __asm__ volatile("call spin_wait_saved" : : "D"(lock) : "cc", "memory");
    }
}

// Returns the flags that spin_unlock() puts back.
static inline uint64_t spin_lock(struct spinlock *lock)
{
    uint64_t flags = cpu_read_flags();
    cpu_cli();
    spin_lock_off(lock);
    return flags;
}

// The same if it is free; false: it is not, and nothing changed. Any context.
static inline bool spin_trylock(struct spinlock *lock, uint64_t *flags)
{
    *flags = cpu_read_flags();
    cpu_cli();
    if (!spin_take(lock)) {
        if (*flags & RFLAGS_IF) {
            cpu_sti();
        }
        return false;
    }
    return true;
}

static inline void spin_unlock(struct spinlock *lock, uint64_t flags)
{
    __atomic_store_n(&lock->holder, 0, __ATOMIC_RELEASE);
    if (flags & RFLAGS_IF) {
        cpu_sti();
    }
}

// Whether anybody holds it; whether this CPU does, in what this context
// interrupted too.
static inline bool spin_is_held(const struct spinlock *lock)
{
    return __atomic_load_n(&lock->holder, __ATOMIC_RELAXED) != 0;
}

// By this CPU.
static inline bool spin_is_held_here(const struct spinlock *lock)
{
    return __atomic_load_n(&lock->holder, __ATOMIC_RELAXED) == percpu.lock_mark;
}
