// SPDX-License-Identifier: MIT
//
// A thread's window: addresses for frames that do not lie side by side. Its
// page tables are there before it is used, so filling it cannot fail and takes
// no lock. Used like a stack, one part for each bracket with an unmapped page
// behind it; handlers go on where the interrupted code stopped.
#pragma once

#include "keyhole.h"
#include "lib/types.h"
#include "mm/layout.h"

// In one bracket, and in all brackets of a thread together.
#define LOCAL_WINDOW_FRAMES 512

// Make the boot thread's window. Boot, with the frame allocator.
void local_window_init_boot(void);

static inline bool local_window_has(uintptr_t address)
{
    return address - LOCAL_WINDOWS_BASE < LOCAL_WINDOWS_SIZE;
}

// Reserve room for `count` frames: its address, or 0 when the window is full.
// Any context.
uintptr_t local_window_take(size_t count);

// Map `count` frames in room that was reserved, under a key, and leave the
// context with `rights`: those that a list names, or those from pages[0] on.
// Any context.
void local_window_fill(uintptr_t address, struct page *const pages[],
                       bool scattered, size_t count, unsigned key,
                       bool writable, uint32_t rights);

// Unmap what was filled last, invalidate it on this CPU, give its room back,
// and leave the context with `rights`. Any context.
void local_window_close(uintptr_t address, size_t count, uint32_t rights);

// Give back room behind the part at `address` with `count` pages (0: all of the
// room), which abandoned code had taken. Thread context.
void local_window_trim(uintptr_t address, size_t count);

// Whether one of `n` frames from `page` on is mapped in a part of the window.
bool local_window_holds(uintptr_t address, size_t count,
                        const struct page *page, size_t n);

// The frame at an address of the window; NULL: none. Any context.
struct page *local_window_page(uintptr_t address);
