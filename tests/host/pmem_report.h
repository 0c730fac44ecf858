// SPDX-License-Identifier: MIT
//
// What firmware reports of persistent memory, put together range by range, and
// mm/pmem_find's answer to it. Both are state of the test that is at work.
#pragma once

#include "mm/pmem_find.h"

// Behind all that a CPU, or the direct map, can reach.
#define REPORT_LIMIT TIB(16)
#define ANY (~0u)

// Begin with nothing; report a range to the map; let the NFIT list one, by a
// module whose handle is its number in the list, from 1, its serial number 4096
// more than that, vendor and device 256 and 512.
void report_begin(void);
void report_map(uint64_t base, uint64_t length, enum memory_type type);
void report_nfit(uint64_t base, uint64_t length);

// Find the regions. Whether there are so many, and so many refusals (the first
// may be ANY), and all that must be true of every answer is: regions are
// aligned, apart from each other, and each is what was reported, less its ends;
// none is where the map has RAM; and there is a word on all that was reported.
bool answer_below(uint64_t limit, unsigned want_regions,
                  unsigned want_refusals);
bool answer(unsigned want_regions, unsigned want_refusals);

// Of the answer: a region, or NULL; whether a region, or a refusal, is this.
const struct pmem_region *answer_region(unsigned index);
bool is_region(unsigned index, uint64_t base, uint64_t length, bool from_nfit);
bool is_refusal(unsigned index, uint64_t base, uint64_t length,
                const char *words);
