// SPDX-License-Identifier: MIT
//
// What the tests of vmap() share: many frames, what each holds, and what is to
// be seen at an address where nothing is. Tests run one after the other.
#pragma once

#include "keyhole.h"
#include "lib/types.h"
#include "tests/scratch.h"

// Room for the frames of one test, at the end of what tests share.
#define VMAP_FRAMES_MAX 3000
SCRATCH_ARRAY(struct page *, vmap_frames, VMAP_FRAMES_MAX,
              SCRATCH_SIZE - VMAP_FRAMES_MAX * sizeof(void *));

// Take frames of domain_ram, each with its number in its first word. False: not
// enough memory, none was taken. And back.
bool vmap_frames_take(size_t count);
void vmap_frames_give(size_t count);

// The number in a frame at an address.
static inline uint64_t vmap_frame_at(const void *area, size_t page)
{
    return *(const volatile uint64_t *)((const char *)area + page * PAGE_SIZE);
}

// Whether reading and writing an address are both refused, and how exactly:
// nothing is mapped.
bool vmap_nothing_at(const void *address);

// Whether an area of `pages` pages can be read at both ends, and has an
// unmapped page at each.
bool vmap_area_is_guarded(const void *area, size_t pages);

// xorshift64 (Marsaglia 2003); *state is not 0.
uint64_t vmap_random(uint64_t *state);
