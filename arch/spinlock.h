// SPDX-License-Identifier: MIT
//
// A lock for a few instructions, with interrupts off while it is held. In NMI
// context it may only be tried. Whoever waits for it does what other CPUs ask
// for meanwhile (arch/tlb.h), since the holder may be waiting for that.
//
// Debug builds look at each call (docs/explanation/locks.md).
#pragma once

#include "arch/cpu.h"
#include "arch/percpu.h"
#include "lib/types.h"

struct spinlock {
    uint32_t holder; // percpu.lock_mark of the CPU that holds it, 0: nobody
#ifdef KEYHOLE_DEBUG
    const char *name; // its class: a constant. NULL: of none, in no order
#endif
};

#ifdef KEYHOLE_DEBUG

// Reports are about the callers.
#define SPIN_INLINE static inline __attribute__((always_inline))

#define SPINLOCK(class_name)                                                   \
    {                                                                          \
        .name = (class_name)                                                   \
    }

// Supplied by the kernel layer: this CPU is about to take a lock and to wait if
// it must; has it; is about to give it back. What is wrong is reported as a
// misuse at the place of the call. Interrupts off.
void lock_check_before(const struct spinlock *lock);
void lock_check_taken(const struct spinlock *lock);
void lock_check_release(const struct spinlock *lock);

static inline void spin_init(struct spinlock *lock, const char *name)
{
    *lock = (struct spinlock)SPINLOCK(name);
}

#else

#define SPIN_INLINE static inline
#define SPINLOCK(class_name)                                                   \
    {                                                                          \
        0                                                                      \
    }

static inline void lock_check_before(const struct spinlock *lock)
{
    (void)lock;
}

static inline void lock_check_taken(const struct spinlock *lock)
{
    (void)lock;
}

static inline void lock_check_release(const struct spinlock *lock)
{
    (void)lock;
}

static inline void spin_init(struct spinlock *lock, const char *name)
{
    (void)name;
    lock->holder = 0;
}

#endif

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
SPIN_INLINE void spin_lock_off(struct spinlock *lock)
{
    lock_check_before(lock);
    while (unlikely(!spin_take(lock))) {
        __asm__ volatile("call spin_wait_saved" : : "D"(lock) : "cc", "memory");
    }
    lock_check_taken(lock);
}

// Returns the flags that spin_unlock() puts back.
SPIN_INLINE uint64_t spin_lock(struct spinlock *lock)
{
    uint64_t flags = cpu_read_flags();
    cpu_cli();
    spin_lock_off(lock);
    return flags;
}

// The same if it is free; false: it is not, and nothing changed. Any context.
SPIN_INLINE bool spin_trylock(struct spinlock *lock, uint64_t *flags)
{
    *flags = cpu_read_flags();
    cpu_cli();
    if (!spin_take(lock)) {
        if (*flags & RFLAGS_IF) {
            cpu_sti();
        }
        return false;
    }
    lock_check_taken(lock);
    return true;
}

SPIN_INLINE void spin_unlock(struct spinlock *lock, uint64_t flags)
{
    lock_check_release(lock);
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
