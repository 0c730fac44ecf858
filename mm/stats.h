// SPDX-License-Identifier: MIT
//
// What the kernel counts beside the contract's counters (struct map_stats).
#pragma once

#include "lib/types.h"

// Writes of CR0 that opened or closed page tables, under engines that have no
// key for them; sum over all CPUs. Any context.
uint64_t cr0_writes_read(void);
