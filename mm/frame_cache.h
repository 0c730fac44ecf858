// SPDX-License-Identifier: MIT
//
// A short list of free single frames for each domain, so that alloc_page() and
// free_page() seldom need mm_lock. Each CPU has lists of its own, in its own
// data. Used with interrupts off; filled from the domain's
// free blocks and emptied into them in batches, under mm_lock.
//
// A frame in it is free like any other: FRAME_FREE, FRAME_HEAD, its domain's
// number with DOMAIN_FREE, poisoned if it was used before. FRAME_CACHED keeps
// it from being joined with its buddy. An NMI never comes here, and what comes
// in between may be abandoned (kernel/catch.c): that loses one frame at most.
#pragma once

#include "arch/percpu.h"
#include "keyhole.h"
#include "lib/types.h"
#include "mm/domain.h"
#include "mm/frames.h"

#define FRAME_CACHE_MAX 32
#define FRAME_CACHE_BATCH 16 // moved at once

_Static_assert(PERCPU_DOMAINS == DOMAINS_MAX, "arch/percpu.h");

// This CPU's list of a domain. Interrupts off.
static inline struct frame_cache *frame_cache_of(const struct domain *domain)
{
    return &percpu.self->frame_cache[domain->id];
}

// Its head and its count by the domain's number, in one instruction each.
// Interrupts off.
#define frame_cache_head(id)                                                   \
    (((struct frame_cache __seg_gs *)offsetof(struct cpu_data,                 \
                                              frame_cache))[id]                \
         .head)
#define frame_cache_count_add(id, constant)                                    \
    __asm__ volatile("addl %1, %%gs:%c2(,%q0,8)"                               \
                     :                                                         \
                     : "r"(id), "i"(constant),                                 \
                       "i"(offsetof(struct cpu_data, frame_cache) +            \
                           offsetof(struct frame_cache, count))                \
                     : "cc", "memory")
#define frame_cache_is_full(id)                                                \
    ({                                                                         \
        bool full_;                                                            \
        __asm__ volatile("cmpl %2, %%gs:%c3(,%q1,8)"                           \
                         : "=@cce"(full_)                                      \
                         : "r"(id), "i"(FRAME_CACHE_MAX),                      \
                           "i"(offsetof(struct cpu_data, frame_cache) +        \
                               offsetof(struct frame_cache, count))            \
                         : "memory");                                          \
        full_;                                                                 \
    })

// Frames of a domain that somebody has.
uint32_t domain_frames(const struct domain *domain);

// Fill the empty list of a domain with free frames that it has already. mm_lock
// held.
void frame_cache_refill_locked(struct domain *domain);

// Give the oldest frames of a full list back to the domain's blocks. Interrupts
// off.
void frame_cache_spill(struct domain *domain);

// Give all that this CPU has back. mm_lock held.
void frame_cache_drain_locked(struct domain *domain);

// The same on every CPU that has some. Thread context.
void frame_cache_drain_all(struct domain *domain);
