// SPDX-License-Identifier: MIT
//
// The boot CPU's own data.
#include "arch/percpu.h"

#include "arch/cpu.h"

static struct cpu_data boot_cpu;

__init void percpu_init_boot(void)
{
    boot_cpu.self = &boot_cpu;
    cpu_write_msr_init(MSR_GS_BASE, (uintptr_t)&boot_cpu);
}
