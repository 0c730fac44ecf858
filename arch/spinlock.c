// SPDX-License-Identifier: MIT
//
// Waiting for a lock.
#include "arch/spinlock.h"

#include "arch/tlb.h"

__noinline void spin_wait(const struct spinlock *lock)
{
    while (spin_is_held(lock)) {
        if (percpu.nmi_level == 0) {
            tlb_serve(); // it may be what an NMI interrupted
        }
        cpu_pause();
    }
}
