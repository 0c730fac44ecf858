// SPDX-License-Identifier: MIT
//
// What the map and unmap calls do when something is wrong: find out what, and
// report it with both call sites. `site` is the return address of the call.
#pragma once

#include "keyhole.h"
#include "mm/bracket.h"

// A map with no slot left.
__noreturn void bracket_misuse_depth(const struct page *page, uintptr_t site);

// A map of a frame that is not allocated, by its address in the direct map.
__noreturn void bracket_misuse_frame(uintptr_t address, uintptr_t site);

// Offsets and lengths of a range below this cannot overflow anything.
#define RANGE_MAX BIT(44)

// A map of a range that is not inside one block, or not a range at all.
// Returns if every frame of it is allocated and of one domain; otherwise it
// is a misuse.
void bracket_check_range(const struct page *first, size_t offset, size_t length,
                         uintptr_t site);

// A map of a list of scattered frames that has none, or too many; or of one in
// which `page` is not allocated, or not of the domain of the first.
__noreturn void bracket_misuse_count(size_t count, uintptr_t site);
__noreturn void bracket_misuse_list(const struct page *page, uintptr_t site);

// A map of scattered frames for which the thread's window has no room.
__noreturn void bracket_misuse_window(const struct page *page, uintptr_t site);

// An unmap of an address that is not the innermost bracket's.
__noreturn void bracket_misuse_unmap(const void *address, uintptr_t site);
