// SPDX-License-Identifier: MIT
//
// What the frame table and the domains share with the allocator. mm_lock is
// held in all of it.
#pragma once

#include "mm/frames.h"

// Put free memory [base, end) in the pool, or among the kernel's own frames.
void pool_add_locked(phys_addr_t base, phys_addr_t end);
void kernel_area_add_locked(phys_addr_t base, phys_addr_t end);

// A free block of 2^order frames of a domain: its first frame, 0: out of
// memory. And back.
uint64_t domain_take_locked(struct domain *domain, unsigned order);
void domain_give_locked(struct domain *domain, uint64_t frame, unsigned order);

// frames_rekey_locked() where the direct map has all of RAM, by key.
int direct_rekey_locked(phys_addr_t block, unsigned order, unsigned key);

// Set FRAME_KERNEL on every frame of a range.
void frames_mark_kernel(phys_addr_t base, uint64_t size);

// Lists of free blocks; `owner` is the number of the domain that they are of.
void area_add(struct free_area *area, uint64_t frame, unsigned order,
              unsigned owner);
// Add a block, joined with its free buddies of the same owner. Returns the
// order that it has in the end.
unsigned area_merge(struct free_area *area, uint64_t *frame, unsigned order,
                    unsigned owner);
void area_remove(struct free_area *area, uint64_t frame);
// Take a block of this order, cut from the smallest that is large enough. 0:
// none.
uint64_t area_take(struct free_area *area, unsigned order);
// The first block of the largest order in the area; false: it is empty.
bool area_any(const struct free_area *area, uint64_t *frame, unsigned *order);
