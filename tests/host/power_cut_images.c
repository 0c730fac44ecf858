// SPDX-License-Identifier: MIT
//
// Power cuts: the images of one.

#include <stdlib.h>
#include <string.h>

#include "tests/host/power_cut_internal.h"

static uint64_t next_random(struct walk *walk)
{
    walk->random ^= walk->random << 13;
    walk->random ^= walk->random >> 7;
    walk->random ^= walk->random << 17;
    return walk->random * 0x2545f4914f6cdd1dull >> 16;
}

// What a flight can be, as a line or as one of its words. A word has fewer
// values than the line has, or is certain.
static void add_unit(struct walk *walk, const struct flight *flight,
                     unsigned first, unsigned words)
{
    struct unit *unit = &walk->units[walk->unit_count];
    const uint64_t *last = &walk->floor[flight->line * LINE_WORDS + first];
    size_t values = 0;

    if (walk->unit_count > 0) {
        struct unit *before = unit - 1;
        values = before->values + before->words * before->choices;
    }
    *unit = (struct unit){flight->line * LINE_WORDS + first, words, 0, values,
                          flight->stamp};
    for (unsigned i = 0; i <= flight->count; i++) {
        const uint64_t *from =
            i == 0 ? last : &flight->versions[i - 1].words[first];
        if (i == 0 || memcmp(from, last, words * 8) != 0) {
            memcpy(&walk->values[values], from, words * 8);
            values += words;
            unit->choices++;
            last = from;
        }
    }
    if (unit->choices > 1) {
        walk->newest = unit->stamp >= walk->units[walk->newest].stamp
                           ? walk->unit_count
                           : walk->newest;
        walk->unit_count++;
    }
}

static void make_units(struct walk *walk, bool by_word)
{
    size_t versions = 0, flights = walk->flight_count;
    size_t units = flights * (by_word ? LINE_WORDS : 1) + 1;

    for (size_t i = 0; i < flights; i++) {
        versions += walk->flights[i].count + 1;
    }
    walk->units =
        power_cut_memory(realloc(walk->units, units * sizeof(struct unit)));
    walk->chosen =
        power_cut_memory(realloc(walk->chosen, units * sizeof(unsigned)));
    walk->values = power_cut_memory(
        realloc(walk->values, (versions + 1) * sizeof(struct version)));
    walk->unit_count = walk->newest = 0;
    for (size_t i = 0; i < flights; i++) {
        for (unsigned w = 0; w < LINE_WORDS; w += by_word ? 1 : LINE_WORDS) {
            add_unit(walk, &walk->flights[i], w, by_word ? 1 : LINE_WORDS);
        }
    }
}

// Whether the image of what is chosen is recovered.
static bool try_image(struct walk *walk)
{
    size_t bytes = medium_bytes(walk->trial);
    const struct power_cut *cut = walk->cut;

    memcpy(walk->image, walk->floor, bytes);
    for (size_t i = 0; i < walk->unit_count; i++) {
        const struct unit *unit = &walk->units[i];
        memcpy(&walk->image[unit->first],
               &walk->values[unit->values + walk->chosen[i] * unit->words],
               unit->words * 8);
    }
    medium_write(walk->trial, 0, walk->image, bytes);
    walk->result->images++;
    walk->result->wrong = cut->recover(cut->arg, walk->trial, walk->mark);
    return walk->result->wrong == NULL;
}

// The next combination, as one counts.
static bool choose_next(struct walk *walk)
{
    for (size_t i = 0; i < walk->unit_count; i++) {
        if (++walk->chosen[i] < walk->units[i].choices) {
            return true;
        }
        walk->chosen[i] = 0;
    }
    return false;
}

static void choose_all(struct walk *walk, bool newest_value)
{
    for (size_t i = 0; i < walk->unit_count; i++) {
        walk->chosen[i] = newest_value ? walk->units[i].choices - 1 : 0;
    }
}

// The n-th sample where there are too many combinations. Those with one by
// itself, or all but one, begin with what was stored last: the store that says
// that all others are there.
static void choose_sample(struct walk *walk, unsigned n)
{
    size_t one = n < 4 ? walk->newest : next_random(walk) % walk->unit_count;
    unsigned newest = walk->units[one].choices - 1;

    if (n >= 4 && n % 4 >= 2) {
        for (size_t i = 0; i < walk->unit_count; i++) {
            walk->chosen[i] =
                (unsigned)(next_random(walk) % walk->units[i].choices);
        }
        return;
    }
    choose_all(walk, n % 2 == 1);
    if (n >= 2) {
        walk->chosen[one] = n % 2 == 1 ? 0 : newest;
    }
}

bool power_cut_images(struct walk *walk, bool by_word)
{
    unsigned most = walk->cut->images;
    uint64_t combinations = 1;

    make_units(walk, by_word);
    for (size_t i = 0; i < walk->unit_count && combinations <= most; i++) {
        combinations *= walk->units[i].choices;
    }
    walk->result->by_word = by_word;
    choose_all(walk, false);
    if (combinations <= most) {
        walk->result->complete += by_word;
        do {
            if (!try_image(walk)) {
                return false;
            }
        } while (choose_next(walk));
        return true;
    }
    for (unsigned n = 0; n < most; n++) {
        choose_sample(walk, n);
        if (!try_image(walk)) {
            return false;
        }
    }
    return true;
}
