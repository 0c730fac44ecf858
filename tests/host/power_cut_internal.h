// SPDX-License-Identifier: MIT
//
// What the parts of the power cuts know of each other.
#pragma once

#include "tests/host/medium_internal.h"
#include "tests/host/power_cut.h"

#define LINE_WORDS (MEDIUM_LINE / 8u)

struct version {
    uint64_t words[LINE_WORDS];
};

struct flight {
    size_t line;
    size_t stamp;     // of the record that stored last
    unsigned pending; // so many versions come true with the next fence
    unsigned count, room;
    struct version *versions;
};

// What may have one of several values: a word, or a line.
struct unit {
    size_t first; // word
    unsigned words, choices;
    size_t values; // words * choices of them, choice 0 first: what is certain
    size_t stamp;
};

struct walk {
    const struct power_cut *cut;
    struct power_cut_result *result;
    struct medium *trial;
    struct record_mark mark;
    uint64_t *floor, *image;
    uint32_t *index; // line by line: number of its flight + 1
    struct flight *flights;
    size_t flight_count;
    // At a cut, for the images.
    struct unit *units;
    unsigned *chosen;
    uint64_t *values;
    size_t unit_count, newest;
    uint64_t random;
};

// Memory that the host gave, or the end.
void *power_cut_memory(void *memory);

// Try the images of a cut, at one grain. False: one is not recovered, which is
// in the result.
bool power_cut_images(struct walk *walk, bool by_word);
