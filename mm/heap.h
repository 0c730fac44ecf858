// SPDX-License-Identifier: MIT
//
// What the rest of the kernel may ask of the heap beside kmalloc() and kfree():
// how much is in use, by whom, and to give back what it keeps for speed.
#pragma once

#include "keyhole.h"
#include "lib/types.h"

struct cpu_data; // arch/percpu.h

// Empty stacks for a CPU that has allocated nothing yet. Boot.
void heap_init_cpu(struct cpu_data *cpu);

struct heap_usage {
    size_t objects; // live
    size_t bytes;   // that were asked for; in release builds, that they take
};

// Count the live objects. Takes time in proportion to them. Thread context.
void heap_usage_read(struct heap_usage *usage);

// A point in time for heap_leaks(): objects made later have it as their past.
// Always 0 in release builds, which do not record when an object was made.
uint32_t heap_mark(void);

// Live objects that came from one call.
struct heap_leak {
    uintptr_t site; // return address of the kmalloc() or kzalloc()
    size_t objects;
    size_t bytes;
};

// Sum up by call site what was made after `mark` and is still live; 0 is the
// beginning of time. Returns how many of the `max` entries of `leaks` were
// filled; what has no entry left is added to the last. Release builds know no
// sites: 0. Thread context.
size_t heap_leaks(uint32_t mark, struct heap_leak *leaks, size_t max);

// Give all memory back that no live object needs. Thread context. When memory
// runs out, what this CPU keeps is given back anyway.
void heap_trim(void);
