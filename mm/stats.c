// SPDX-License-Identifier: MIT
//
// The counters of the contract, summed over all CPUs.
#include "mm/stats.h"
#include "arch/percpu.h"
#include "keyhole.h"
#include "mm/bracket.h"
#include "mm/engine.h"

// Of all CPUs. Another CPU's counter may be about to grow.
#define SUM(member)                                                            \
    ({                                                                         \
        uint64_t sum_ = 0;                                                     \
        for (unsigned i_ = 0; i_ < cpus_count; i_++) {                         \
            sum_ += *(volatile uint64_t *)&cpu_data_of(i_)->member;            \
        }                                                                      \
        sum_;                                                                  \
    })

// A map or unmap on the hot path writes the register or skips that, and counts
// the writes alone.
static uint64_t bracket_writes_skipped(uint64_t opened, uint64_t open)
{
    uint64_t closed = opened - open - SUM(brackets_abandoned);
    return opened + closed - SUM(bracket_slow_calls) - SUM(bracket_pkrs_writes);
}

void map_stats_read(struct map_stats *stats)
{
    uint64_t opened = SUM(brackets_opened), outermost, open;
    brackets_count(&outermost, &open);
    *stats = (struct map_stats){
        .brackets = opened,
        .nested = opened - outermost,
        .pte_writes = SUM(pte_writes),
        .invlpg = SUM(invlpg),
        .full_flushes = SUM(full_flushes),
        .shootdown_ipis = SUM(shootdown_ipis),
        .faults = SUM(faults),
    };
    if (engine->counts_pkrs) {
        stats->pkrs_writes = SUM(bracket_pkrs_writes) + SUM(other_pkrs_writes);
        stats->pkrs_writes_skipped = SUM(other_pkrs_writes_skipped) +
                                     bracket_writes_skipped(opened, open);
    }
}

uint64_t cr0_writes_read(void)
{
    return SUM(cr0_writes);
}

unsigned cpu_id(void)
{
    return percpu.cpu;
}

unsigned cpus_online(void)
{
    return cpus_count;
}
