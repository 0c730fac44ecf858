// SPDX-License-Identifier: MIT
//
// Turning protection keys on. Everything else about them is in the header and
// in the one function that writes the register.
#include "arch/pks.h"

#include "arch/cpu.h"
#include "arch/tlb.h"

__init void pks_init_cpu(void)
{
    // The value after INIT is not documented well, so the register comes first.
    percpu.bracket_top[-1].rights = ~PKRS_CLOSED;
    pks_set_rights(PKRS_CLOSED);
    cpu_write_cr4(cpu_read_cr4() | CR4_PKS);
    tlb_flush_all();
}
