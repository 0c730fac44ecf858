// SPDX-License-Identifier: MIT
//
// Filling one frame with zeroes or poison: open the domain's key, store, close.
// The allocator's hot paths and the benchmark of what they leave out share it.
#pragma once

#include "arch/cpu.h"
#include "arch/pks.h"
#include "mm/domain.h"
#include "mm/frame_cache.h"
#include "mm/frames.h"

#ifdef KEYHOLE_DEBUG
#define FRAME_CHECKS 1
#else
#define FRAME_CHECKS 0
#endif

#define FRAME_POISON_WORD (FRAME_POISON * 0x0101010101010101ull)

// The first word of a frame that is not poison; NULL: all are.
static inline const uint64_t *poison_broken(const uint64_t *word)
{
    for (unsigned i = 0; i < PAGE_SIZE / sizeof(*word); i++) {
        if (word[i] != FRAME_POISON_WORD) {
            return &word[i];
        }
    }
    return NULL;
}

// Fill an allocated frame of the domain `id` with copies of a word. With
// `broken`, look first whether it is all poison still: *broken becomes the
// address of the first word that is not, or stays. False: the domain has no
// key, or the engine uses none; nothing was done. Interrupts off.
//
// frame_filling comes before the look at the domain's rights, so that no NMI
// takes the key in between or later (docs/TRICKS.md, "Nobody loses a key that
// is open"). Nothing here can fault.
static inline __attribute__((always_inline)) bool
frame_fill(struct page *page, uint64_t id, uint64_t word, uintptr_t *broken)
{
    percpu.frame_filling = id;
    cpu_compiler_barrier();
    uint32_t rights = pks_rights();
    uint32_t open = rights & domain_fill_[id];
    if (unlikely(open == 0)) {
        percpu.frame_filling = DOMAIN_NONE;
        return false;
    }
    uintptr_t address = page_direct_address(page);
    pks_set_rights(open);
    if (FRAME_CHECKS && broken != NULL) {
        const uint64_t *at = poison_broken((const uint64_t *)address);
        *broken = at != NULL ? (uintptr_t)at : *broken;
    }
    cpu_store_words(address, word, PAGE_SIZE / sizeof(word));
    pks_set_rights(rights);
    percpu.frame_filling = DOMAIN_NONE;
    return true;
}
