// SPDX-License-Identifier: MIT
//
// Power cuts: the events one after the other. `floor` is what is on the medium
// for certain; each line in flight has the contents that it had since, oldest
// first.

#include "tests/host/power_cut.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/host/power_cut_internal.h"

void *power_cut_memory(void *memory)
{
    if (memory == NULL) {
        medium_misuse("the host is out of memory");
    }
    return memory;
}

// --------------------------------------------------------- What is in flight

static struct flight *flight_of(struct walk *walk, size_t line)
{
    if (walk->index[line] == 0) {
        struct flight *flight = &walk->flights[walk->flight_count++];
        flight->line = line;
        flight->count = flight->pending = 0;
        walk->index[line] = (uint32_t)walk->flight_count;
    }
    return &walk->flights[walk->index[line] - 1];
}

// A version more, which is the last one again.
static struct version *add_version(struct walk *walk, struct flight *flight)
{
    if (flight->count == flight->room) {
        flight->room = 2 * flight->room + 2;
        flight->versions = power_cut_memory(reallocarray(
            flight->versions, flight->room, sizeof(*flight->versions)));
    }
    const void *last = flight->count > 0
                           ? (void *)&flight->versions[flight->count - 1]
                           : (void *)&walk->floor[flight->line * LINE_WORDS];
    memcpy(&flight->versions[flight->count], last, sizeof(struct version));
    return &flight->versions[flight->count++];
}

static void apply_store(struct walk *walk, const struct record *record,
                        size_t number)
{
    const struct record_word *words = recorder_words(walk->cut->recorder);

    words += record->first_word;
    for (size_t i = 0; i < record->words; i++) {
        struct flight *flight = flight_of(walk, words[i].word / LINE_WORDS);
        if (flight->count == 0 || flight->stamp != number) {
            add_version(walk, flight);
            flight->stamp = number;
        }
        flight->versions[flight->count - 1].words[words[i].word % LINE_WORDS] =
            words[i].value;
    }
}

static void apply_flush(struct walk *walk, const struct record *record,
                        size_t omitted_line)
{
    for (size_t line = record->first; line <= record->last; line++) {
        if (walk->index[line] == 0) {
            continue;
        }
        struct flight *flight = &walk->flights[walk->index[line] - 1];
        if (line != omitted_line) {
            flight->pending = flight->count;
        } else if (flight->pending < flight->count) {
            walk->result->omitted = true;
        }
    }
}

static void land(struct walk *walk, size_t n)
{
    struct flight *flight = &walk->flights[n], swap;

    memcpy(&walk->floor[flight->line * LINE_WORDS],
           &flight->versions[flight->pending - 1], sizeof(struct version));
    flight->count -= flight->pending;
    memmove(flight->versions, flight->versions + flight->pending,
            flight->count * sizeof(*flight->versions));
    flight->pending = 0;
    if (flight->count == 0) {
        // The last one takes its place; versions stay with somebody.
        walk->index[flight->line] = 0;
        swap = *flight;
        *flight = walk->flights[--walk->flight_count];
        walk->flights[walk->flight_count] = swap;
        if (n < walk->flight_count) {
            walk->index[flight->line] = (uint32_t)n + 1;
        }
    }
}

static void apply_fence(struct walk *walk)
{
    for (size_t n = walk->flight_count; n-- > 0;) {
        if (walk->flights[n].pending > 0) {
            land(walk, n);
        }
    }
}

static bool is_omitted(const struct power_cut *cut, const struct record *record,
                       size_t number)
{
    const struct record *alike = cut->omit_alike;

    if (number == cut->omit_record && cut->omit_line == POWER_CUT_NONE) {
        return true;
    }
    return alike != NULL && record->kind == alike->kind &&
           record->site == alike->site && record->role == alike->role;
}

static void apply(struct walk *walk, const struct record *record, size_t number)
{
    const struct power_cut *cut = walk->cut;

    switch (record->kind) {
    case RECORD_STORE:
        apply_store(walk, record, number);
        break;
    case RECORD_FLUSH:
        if (!is_omitted(cut, record, number)) {
            apply_flush(walk, record,
                        number == cut->omit_record ? cut->omit_line
                                                   : POWER_CUT_NONE);
        }
        break;
    case RECORD_FENCE:
        if (!is_omitted(cut, record, number)) {
            apply_fence(walk);
        }
        break;
    case RECORD_MARK:
        walk->mark = record->mark;
        break;
    }
}

// ----------------------------------------------------------------- The cuts

static void begin(struct walk *walk, const struct power_cut *cut,
                  struct power_cut_result *result)
{
    size_t bytes = medium_bytes(recorder_medium(cut->recorder));
    size_t lines = bytes / MEDIUM_LINE;

    memset(result, 0, sizeof(*result));
    memset(walk, 0, sizeof(*walk));
    walk->cut = cut;
    walk->result = result;
    walk->random = cut->seed * 2 + 1;
    walk->trial = medium_create(bytes);
    walk->floor = power_cut_memory(malloc(bytes));
    walk->image = power_cut_memory(malloc(bytes));
    walk->index = power_cut_memory(calloc(lines, sizeof(*walk->index)));
    walk->flights = power_cut_memory(calloc(lines, sizeof(*walk->flights)));
    memcpy(walk->floor, recorder_image(cut->recorder), bytes);
}

static void end(struct walk *walk)
{
    size_t lines = medium_bytes(walk->trial) / MEDIUM_LINE;

    for (size_t i = 0; i < lines; i++) {
        free(walk->flights[i].versions);
    }
    medium_destroy(walk->trial);
    free(walk->floor);
    free(walk->image);
    free(walk->index);
    free(walk->flights);
    free(walk->units);
    free(walk->chosen);
    free(walk->values);
}

void power_cut_run(const struct power_cut *cut, struct power_cut_result *result)
{
    size_t records = recorder_records(cut->recorder);
    struct walk walk;

    begin(&walk, cut, result);
    for (size_t i = 0; i < records && result->wrong == NULL; i++) {
        const struct record *record = recorder_record(cut->recorder, i);
        apply(&walk, record, i);
        if (i < cut->from ||
            (record->kind != RECORD_STORE && record->kind != RECORD_MARK)) {
            continue;
        }
        result->cuts++;
        result->record = i;
        if (power_cut_images(&walk, false)) {
            power_cut_images(&walk, true);
        }
    }
    end(&walk);
}

// --------------------------------------------------------------- Every fence

static bool is_noticed(const struct power_cut *cut)
{
    struct power_cut_result result;

    power_cut_run(cut, &result);
    return result.wrong != NULL;
}

static void miss(const struct record *record, size_t number, const char *what,
                 unsigned *missed)
{
    printf("# nobody notices that the %s of record %zu (site %#lx, role %u) "
           "is not there: %s\n",
           record->kind == RECORD_FENCE ? "fence" : "flush", number,
           (unsigned long)record->site, record->role, what);
    (*missed)++;
}

// Whether the record is the first of its site and role.
static bool is_new(const struct recorder *recorder, size_t number)
{
    const struct record *record = recorder_record(recorder, number);

    for (size_t i = 0; i < number; i++) {
        const struct record *other = recorder_record(recorder, i);
        if (other->kind == record->kind && other->site == record->site &&
            other->role == record->role) {
            return false;
        }
    }
    return true;
}

static unsigned prove_record(struct power_cut cut, size_t number,
                             unsigned stride, unsigned *missed)
{
    const struct record *record = recorder_record(cut.recorder, number);
    unsigned tried = 1;

    cut.from = number;
    if (is_new(cut.recorder, number)) {
        cut.omit_alike = record;
        tried++;
        if (!is_noticed(&cut)) {
            miss(record, number, "with all that are alike", missed);
        }
        cut.omit_alike = NULL;
    }
    cut.omit_record = number;
    if (!is_noticed(&cut)) {
        miss(record, number, "by itself", missed);
    }
    if (stride > 0 && record->kind == RECORD_FLUSH) {
        size_t line = record->first;
        line += (stride - line % stride) % stride;
        for (; line <= record->last; line += stride) {
            struct power_cut_result result;
            cut.omit_line = line;
            power_cut_run(&cut, &result);
            tried += result.omitted;
            if (result.omitted && result.wrong == NULL) {
                miss(record, number, "one line", missed);
            }
        }
    }
    return tried;
}

unsigned power_cut_prove(const struct power_cut *cut, unsigned stride,
                         unsigned *missed)
{
    size_t records = recorder_records(cut->recorder);
    unsigned tried = 0;

    *missed = 0;
    for (size_t i = cut->from; i < records; i++) {
        enum record_kind kind = recorder_record(cut->recorder, i)->kind;
        if (kind == RECORD_FLUSH || kind == RECORD_FENCE) {
            tried += prove_record(*cut, i, stride, missed);
        }
    }
    return tried;
}
