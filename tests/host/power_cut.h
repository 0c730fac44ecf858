// SPDX-License-Identifier: MIT
//
// Power cuts: builds the images that one could leave, from what a recorder
// noted, and has each recovered.
//
// A word that was stored may be on the medium from then on, and is there for
// certain once its line was flushed and a fence has come after that. Until then
// the medium has any of the values that it had since: line by line (what caches
// evict), and also word by word (what is written at once for certain; a line
// that is torn). Power goes after every store and at every mark. Where there
// are not more images than asked for, all are tried, else some: without all
// that is uncertain, with all, with one line alone, with all but one, random.
//
// The words "with one alone" begin with what was stored last.
#pragma once

#include "tests/host/recorder.h"

#define POWER_CUT_NONE SIZE_MAX

struct power_cut {
    const struct recorder *recorder;
    // What is wrong with an image, which may be changed; NULL: nothing.
    const char *(*recover)(void *arg, struct medium *image,
                           struct record_mark mark);
    void *arg;
    unsigned images; // that are tried at each cut, at most; of each grain
    uint64_t seed;   // for those that are random
    // As if these had never been: every flush or fence of one site and role
    // (NULL: of none); or the record with this number, or of that flush one
    // line (POWER_CUT_NONE: none, all).
    const struct record *omit_alike;
    size_t omit_record, omit_line;
    size_t from; // no power cut before the record with this number
};

struct power_cut_result {
    const char *wrong; // NULL: every image was recovered
    size_t record;     // power went after it
    bool by_word;      // which grain was that
    uint64_t cuts;
    bool omitted;      // something that was omitted had something to do
    uint64_t complete; // of those, all images were tried
    uint64_t images;
};

// Ends with the first image that is not recovered.
void power_cut_run(const struct power_cut *cut,
                   struct power_cut_result *result);

// Takes out every flush and fence, to see that recover() notices: each by
// itself, and all of the same site and role. Returns how many were taken out;
// `missed` is how many of those nobody noticed, and each of them is printed.
// Of all lines that flushes have, every `stride`th is also taken out by itself
// (0: none), if it was stored to.
unsigned power_cut_prove(const struct power_cut *cut, unsigned stride,
                         unsigned *missed);
