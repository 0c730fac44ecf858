// SPDX-License-Identifier: MIT
//
// What the parts of the host's medium know of each other.
#pragma once

#include "tests/host/medium.h"

#define MEDIUM_LINE 64u
#define MEDIUM_BRACKETS 32u // that one thread may have open

// What is told to who watches a medium, in the order in which it happens.
// `site`: the address to which the call of the code under test returns.
struct medium_watcher {
    // A bracket for writing closes; it has stored what it has stored.
    void (*unmap)(void *arg, size_t offset, size_t length);
    void (*flush)(void *arg, size_t offset, size_t length, uintptr_t site);
    void (*drain)(void *arg, uintptr_t site);
};

struct medium {
    struct medium *next;
    uint8_t *image; // with an unmapped page at each end
    struct page *pages;
    uint16_t *readers, *writers; // open brackets of each frame
    uint8_t *frozen;             // frame by frame
    size_t bytes, frames;
    const struct medium_watcher *watcher; // NULL: nobody looks
    void *watcher_arg;
};

// An open bracket of the calling thread; the innermost is the last.
struct medium_bracket {
    struct medium *medium;
    size_t offset, length;
    bool writable;
};

// Brackets, lines, fences and objects by atomic additions; freezes under the
// lock of medium.c.
extern struct medium_counts medium_counted;

// The medium that a frame is of, or whose bytes have an address.
struct medium *medium_of(const struct page *page);
struct medium *medium_at(uintptr_t address);

// Open (by 1) or close (by -1) the frames of a bracket or a mapping.
void medium_turn(const struct medium_bracket *bracket, int by);

// End the program.
void medium_misuse(const char *what) __attribute__((noreturn));

// Tell `watcher`, or with NULL nobody, from now on. One thread at a time may
// use a medium that is watched.
void medium_watch(struct medium *medium, const struct medium_watcher *watcher,
                  void *arg);

// Tell all watchers of a drain.
void medium_tell_drain(uintptr_t site);

// The open brackets of this thread.
unsigned medium_brackets(const struct medium_bracket **first);
