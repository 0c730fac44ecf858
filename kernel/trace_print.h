// SPDX-License-Identifier: MIT
//
// The history of brackets and faults in words, and as lines of JSON.
#pragma once

#include "keyhole.h"

// Ticks of the TSC as a time that has passed: microseconds, or milliseconds
// where those are many. Any context.
void print_ago(uint64_t ticks);

// In a fault report: the last events of a frame, then those of other frames of
// its domain, of any thread on any CPU. Nothing where there is no history. Any
// context.
void trace_print_frame(const struct page *page);

// The last `count` events of all CPUs, newest first, below a title. How many
// there were.
unsigned trace_print_last(unsigned count, const char *title);

// All events as lines of JSON (docs/reference/history.md), newest first.
void trace_dump(void);
