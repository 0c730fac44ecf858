// SPDX-License-Identifier: MIT
//
// A short list of free single frames for each domain, so that alloc_page() and
// free_page() seldom need mm_lock. It belongs to this CPU: another CPU would
// have lists of its own. Used with interrupts off; filled from the domain's
// free blocks and emptied into them in batches, under mm_lock.
//
// A frame in it is free like any other: FRAME_FREE, FRAME_HEAD, its domain's
// number with DOMAIN_FREE, poisoned if it was used before. FRAME_CACHED keeps
// it from being joined with its buddy. An NMI never comes here, and what comes
// in between may be abandoned (kernel/catch.c): that loses one frame at most.
#pragma once

#include "keyhole.h"
#include "lib/types.h"
#include "mm/domain.h"
#include "mm/frames.h"

#define FRAME_CACHE_MAX 32
#define FRAME_CACHE_BATCH 16 // moved at once

struct frame_cache {
    uint32_t head; // frame number, linked by private_next; 0 ends the list
    uint32_t count;
};

// By the number of the domain.
extern struct frame_cache frame_caches[DOMAINS_MAX];

// The domain whose single frame this CPU is filling: it keeps its key
// (mm/keys.c). DOMAIN_NONE: none.
extern uint32_t frame_filling;

// Frames of a domain that somebody has.
static inline uint32_t domain_frames(const struct domain *domain)
{
    return domain->frames - frame_caches[domain->id].count;
}

// Fill the empty list of a domain with free frames that it has already. mm_lock
// held.
void frame_cache_refill_locked(struct domain *domain);

// Give the oldest frames of a full list back to the domain's blocks. Interrupts
// off.
void frame_cache_spill(struct domain *domain);

// Give all of them back. mm_lock held.
void frame_cache_drain_locked(struct domain *domain);
