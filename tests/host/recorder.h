// SPDX-License-Identifier: MIT
//
// Records what happens to a medium (tests/host/medium.h), in order: what was
// stored, by the 8 bytes; which lines were flushed; fences. From it the images
// are built that a power cut could leave (tests/host/power_cut.h).
//
// Stores are seen when a bracket for writing closes, and before every flush
// and fence: what was stored in between has no order. One thread at a time may
// use the medium.
#pragma once

#include "tests/host/medium.h"

struct recorder;

enum record_kind {
    RECORD_STORE, // `words` words
    RECORD_FLUSH, // lines `first` to `last`
    RECORD_FENCE,
    RECORD_MARK, // `mark`
};

// Which states a power cut from here on may leave: the number of the last one
// that was acknowledged, and of the one on its way, if there is one. What they
// are is the test's to know.
struct record_mark {
    unsigned low, high;
};

struct record_word {
    uint32_t word; // its offset / 8
    uint64_t value;
};

struct record {
    enum record_kind kind;
    // Of a flush or a fence: where it was called from, and which it is of those
    // that were called there: for a flush what the test says about its offset,
    // for a fence how many came since the last mark.
    uintptr_t site;
    unsigned role;
    union {
        struct {
            size_t first_word, words; // in recorder_words()
        };
        struct {
            size_t first, last;
        };
        struct record_mark mark;
    };
};

// Begin. What is on the medium now is there for certain. `role` may be NULL.
struct recorder *recorder_begin(struct medium *medium,
                                unsigned (*role)(size_t offset));
void recorder_end(struct recorder *recorder);

// No more events, of this medium or fences of others: before power cuts.
void recorder_stop(struct recorder *recorder);

// Lines of code that begin and end an operation say so.
void recorder_mark(struct recorder *recorder, struct record_mark mark);

size_t recorder_records(const struct recorder *recorder);
const struct record *recorder_record(const struct recorder *recorder, size_t n);
const struct record_word *recorder_words(const struct recorder *recorder);
const struct medium *recorder_medium(const struct recorder *recorder);

// What was there at the beginning.
const uint8_t *recorder_image(const struct recorder *recorder);

// Since recorder_begin() or recorder_count_anew().
struct recorder_counts {
    unsigned fences;
    unsigned lines;     // flushed
    unsigned again;     // of those, flushed before
    unsigned unchanged; // of those, as they were when they were flushed last
    unsigned changed;   // lines that were stored to
};

void recorder_count(const struct recorder *recorder,
                    struct recorder_counts *counts);
void recorder_count_anew(struct recorder *recorder);
