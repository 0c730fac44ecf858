// SPDX-License-Identifier: MIT
//
// The CPUs' own data.
#include "arch/percpu.h"

#include "arch/cpu.h"

struct cpu_data cpu_data[CPUS_MAX];
unsigned cpus_count = 1;

__init void percpu_init(unsigned cpu)
{
    cpu_data[cpu].self = &cpu_data[cpu];
    cpu_data[cpu].cpu = cpu;
    cpu_write_msr_init(MSR_GS_BASE, (uintptr_t)&cpu_data[cpu]);
}
