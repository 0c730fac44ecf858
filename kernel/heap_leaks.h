// SPDX-License-Identifier: MIT
//
// What the heap's users forgot, for people.
#pragma once

#include "lib/types.h"

// Print, as comment lines, how many objects and bytes came from the heap after
// `mark` (heap_mark(), 0: all) and are still live, by call site. Prints nothing
// if there are none, and in release builds, which do not know. Thread context.
void heap_leaks_print(uint32_t mark);
