// SPDX-License-Identifier: MIT
//
// Waiting for a lock.
#include "arch/spinlock.h"

#include "arch/tlb.h"

__noinline void spin_wait(const struct spinlock *lock)
{
    while (spin_is_held(lock)) {
        tlb_serve();
        cpu_pause();
    }
}
