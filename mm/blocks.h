// SPDX-License-Identifier: MIT
//
// Which 2 MiB blocks of memory each domain has, so that all of a domain can be
// re-keyed: a list of whole blocks for each domain, and one list of blocks that
// several share, which only scarce memory makes. mm_lock is held in all of it.
#pragma once

#include "arch/tlb.h"
#include "keyhole.h"
#include "lib/types.h"

// Note that a domain takes (gives back) 2^order frames. Taking may fail for
// want of memory for the table; nothing is noted then.
bool blocks_take_locked(struct domain *domain, uint64_t frame, unsigned order);
void blocks_give_locked(struct domain *domain, uint64_t frame, unsigned order);

// Give every leaf of the direct map that holds memory of a domain another key,
// invalidate them on this CPU, and add them to what the caller has the other
// CPUs invalidate.
void blocks_rekey_locked(const struct domain *domain, unsigned key,
                         struct tlb_batch *batch);
