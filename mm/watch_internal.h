// SPDX-License-Identifier: MIT
//
// Between the list of watches and the leaves that they close. mm_lock is held
// in all of it.
#pragma once

#include "mm/watch.h"

// See that each of these frames has leaves of its own, of 4 KiB, wherever it is
// mapped for longer than a bracket. -ENOMEM: no page table left; what was cut
// stays cut.
int watch_cut_locked(const struct page *first, size_t count);

// Close whatever maps the frames of a watch, or open it again. True: a bracket
// has such a frame, but not in its window yet. Other CPUs parked, the page
// tables open for writing.
bool watch_leaves_locked(const struct watch *watch, bool begin,
                         struct tlb_batch *batch);

// Whether vmap() must look at each frame (mm/vmap.c). Where there is a history,
// it goes where that is written, with watches or without.
void vmap_watch_locked(bool on);
