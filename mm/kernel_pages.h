// SPDX-License-Identifier: MIT
//
// Pages for the kernel's own tables, which have address space from the start
// and get memory where they are used: writable, never executable, behind key 0.
#pragma once

#include "keyhole.h"
#include "lib/types.h"

// Put a page of zeroes at an address of a kernel region that has none. False:
// no memory, nothing changed. mm_lock held.
bool kernel_page_map_locked(uintptr_t address);

// The same for the page around `address`, unless it is there already.
bool kernel_page_ensure_locked(uintptr_t address);
