// SPDX-License-Identifier: MIT
//
// The CPUs' own data.
#include "arch/percpu.h"

#include "arch/cpu.h"

static struct cpu_data boot_cpu;

__ro_after_init struct cpu_data *cpu_table[CPUS_MAX];
__ro_after_init unsigned cpus_count;

__init void percpu_init(unsigned cpu, struct cpu_data *data)
{
    if (data == NULL) {
        data = &boot_cpu;
        cpus_count = 1;
    }
    data->self = data;
    data->cpu = cpu;
    data->lock_name = cpu + 1;
    cpu_table[cpu] = data;
    cpu_write_msr_init(MSR_GS_BASE, (uintptr_t)data);
}
