// SPDX-License-Identifier: MIT
//
// The counters of the contract, summed over all CPUs.
#include "arch/percpu.h"
#include "keyhole.h"
#include "mm/bracket.h"

// A map or unmap on the hot path writes the register or skips that, and counts
// the writes alone.
static uint64_t bracket_writes_skipped(uint64_t opened, uint64_t open)
{
    uint64_t closed = opened - open - percpu.brackets_abandoned;
    return opened + closed - percpu.bracket_slow_calls -
           percpu.bracket_pkrs_writes;
}

void map_stats_read(struct map_stats *stats)
{
    uint64_t opened = percpu.brackets_opened, outermost, open;
    brackets_count(&outermost, &open);
    *stats = (struct map_stats){
        .brackets = opened,
        .nested = opened - outermost,
        .pkrs_writes = percpu.bracket_pkrs_writes + percpu.other_pkrs_writes,
        .pkrs_writes_skipped = percpu.other_pkrs_writes_skipped +
                               bracket_writes_skipped(opened, open),
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
