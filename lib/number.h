// SPDX-License-Identifier: MIT
//
// Numbers as people type them.
#pragma once

#include "lib/types.h"

// Read all of `s`: decimal digits, or 0x and hexadecimal digits, then at most
// one of K, M, G (either case; times 2^10, 2^20, 2^30). False, and *out is
// left alone, if it is anything else or does not fit in 64 bits.
bool number_parse(const char *s, uint64_t *out);
