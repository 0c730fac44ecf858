// SPDX-License-Identifier: MIT
//
// Invalidation of this CPU's translations (SDM 3A 4.10.4).
#pragma once

#include "arch/cpu.h"
#include "arch/percpu.h"

// One page of any size, global or not.
static inline void tlb_flush_page(uintptr_t address)
{
    cpu_invlpg(address);
    percpu_count(invlpg);
}

// Everything, global entries too: changing CR4.PGE does that.
static inline void tlb_flush_all(void)
{
    uint64_t cr4 = cpu_read_cr4();
    cpu_write_cr4(cr4 ^ CR4_PGE);
    cpu_write_cr4(cr4);
    percpu_count(full_flushes);
}
