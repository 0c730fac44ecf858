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

// An unmap of an address that is not the innermost bracket's.
__noreturn void bracket_misuse_unmap(const void *address, uintptr_t site);
