// SPDX-License-Identifier: MIT
//
// Persistent memory on the host: frames behind the map calls of <keyhole.h>,
// for code of the kernel that takes frames of it (apps/store). Outside of a
// bracket nobody reads them (AddressSanitizer) or writes to them (the host's
// page tables); the grain is a frame. What the kernel would report as misuse,
// and a write to frozen frames, ends the program with a line that says so.
// Several media may be there at once. Any thread may open brackets.
//
// Flushes and fences can be counted here and recorded (tests/host/recorder.h).
#pragma once

#include <keyhole.h>

struct medium;

// A new medium of so many bytes, a multiple of PAGE_SIZE, full of zeroes.
// Cannot fail: without memory the program ends.
struct medium *medium_create(size_t bytes);

// No bracket may be open on it, no frame of it frozen.
void medium_destroy(struct medium *medium);

struct page *medium_pages(const struct medium *medium);
size_t medium_bytes(const struct medium *medium);

// Behind the back of the code under test, without a bracket: what is there, and
// damage to it. Frozen frames too.
void medium_read(const struct medium *medium, size_t offset, void *to,
                 size_t length);
void medium_write(struct medium *medium, size_t offset, const void *from,
                  size_t length);

// ---- What fails on request; the counters go back to "never" once it has.

// The n-th kmalloc() or kzalloc() from now on gives NULL; 1 is the next, 0:
// none does.
void medium_fail_allocation(unsigned nth);

// The n-th freeze_range() from now on is refused with this error, -ENOSPC for
// example; 0: none is.
void medium_fail_freeze(unsigned nth, int error);

// Called right after every freeze_range() that succeeded, with the bytes that
// it froze: the place for a stray write by medium_write(). NULL: nothing is.
typedef void medium_freeze_hook(struct medium *medium, size_t offset,
                                size_t length);
void medium_on_freeze(medium_freeze_hook *hook);

// ---- Counters, of all media together.

struct medium_counts {
    uint64_t brackets, write_brackets;
    uint64_t lines;     // flushed, by the line
    uint64_t fences;    // drains
    uint64_t freezes;   // that succeeded
    uint64_t allocated; // objects of kmalloc() that are not freed yet
};

void medium_count(struct medium_counts *counts);
