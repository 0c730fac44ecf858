// SPDX-License-Identifier: MIT
//
// The counters of the contract, summed over all CPUs.
#include "arch/percpu.h"
#include "keyhole.h"

void map_stats_read(struct map_stats *stats)
{
    *stats = (struct map_stats){
        .brackets = percpu.brackets_opened,
        .nested = percpu.brackets_opened - percpu.brackets_outermost,
        .pkrs_writes = percpu.pkrs_writes,
        .pkrs_writes_skipped = percpu.pkrs_writes_skipped,
        .pte_writes = percpu.pte_writes,
        .invlpg = percpu.invlpg,
        .full_flushes = percpu.full_flushes,
        .shootdown_ipis = percpu.shootdown_ipis,
        .faults = percpu.faults,
    };
}

unsigned cpu_id(void)
{
    return percpu.cpu;
}

unsigned cpus_online(void)
{
    return 1;
}
