// SPDX-License-Identifier: MIT
//
// The recorder. A copy of the medium, brought up to date whenever somebody may
// have stored, tells which words have changed since.

#include "tests/host/recorder.h"

#include <stdlib.h>
#include <string.h>

#include "tests/host/medium_internal.h"

#define WORD 8u
#define WORDS_IN_LINE (MEDIUM_LINE / WORD)

struct recorder {
    struct medium *medium;
    unsigned (*role)(size_t offset);
    uint8_t *start;   // the medium at the beginning
    uint64_t *copy;   // and at the last event
    uint64_t *window; // a bracket's frames
    struct record *records;
    size_t record_count, record_room;
    struct record_word *words;
    size_t word_count, word_room;
    // Line by line.
    uint8_t *dirty;   // stored to since it was flushed last
    uint8_t *touched; // since counts began: TOUCHED_*
    struct recorder_counts counts;
    unsigned fences; // since the last mark
};

#define TOUCHED_STORE 1u
#define TOUCHED_FLUSH 2u

static void *demand(void *memory)
{
    if (memory == NULL) {
        medium_misuse("the host is out of memory");
    }
    return memory;
}

static struct record *add_record(struct recorder *recorder,
                                 enum record_kind kind)
{
    struct record *record;

    if (recorder->record_count == recorder->record_room) {
        recorder->record_room = 2 * recorder->record_room + 64;
        recorder->records = demand(reallocarray(
            recorder->records, recorder->record_room, sizeof(*record)));
    }
    record = &recorder->records[recorder->record_count++];
    memset(record, 0, sizeof(*record));
    record->kind = kind;
    return record;
}

static void add_word(struct recorder *recorder, size_t word, uint64_t value)
{
    size_t line = word / WORDS_IN_LINE;

    if (recorder->word_count == recorder->word_room) {
        recorder->word_room = 2 * recorder->word_room + 1024;
        recorder->words = demand(reallocarray(
            recorder->words, recorder->word_room, sizeof(*recorder->words)));
    }
    recorder->words[recorder->word_count++] =
        (struct record_word){(uint32_t)word, value};
    recorder->copy[word] = value;
    recorder->dirty[line] = 1;
    recorder->counts.changed += !(recorder->touched[line] & TOUCHED_STORE);
    recorder->touched[line] |= TOUCHED_STORE;
}

// Add to the words of this event those in a range that have changed.
static void look(struct recorder *recorder, size_t offset, size_t length)
{
    size_t first = offset / WORD;
    size_t count = (offset + length + WORD - 1) / WORD - first;

    medium_read(recorder->medium, first * WORD, recorder->window, count * WORD);
    for (size_t i = 0; i < count; i++) {
        if (recorder->window[i] != recorder->copy[first + i]) {
            add_word(recorder, first + i, recorder->window[i]);
        }
    }
}

// Look in all that this thread may store to.
static void look_everywhere(struct recorder *recorder)
{
    size_t before = recorder->word_count;
    const struct medium_bracket *open;
    unsigned n = medium_brackets(&open);

    for (unsigned i = 0; i < n; i++) {
        if (open[i].medium == recorder->medium && open[i].writable) {
            look(recorder, open[i].offset, open[i].length);
        }
    }
    if (recorder->word_count > before) {
        struct record *record = add_record(recorder, RECORD_STORE);
        record->first_word = before;
        record->words = recorder->word_count - before;
    }
}

static void note_unmap(void *arg, size_t offset, size_t length)
{
    (void)offset;
    (void)length;
    look_everywhere(arg);
}

static void note_flush(void *arg, size_t offset, size_t length, uintptr_t site)
{
    struct recorder *recorder = arg;
    struct record *record;

    look_everywhere(recorder);
    record = add_record(recorder, RECORD_FLUSH);
    record->site = site;
    record->role = recorder->role == NULL ? 0 : recorder->role(offset);
    record->first = offset / MEDIUM_LINE;
    record->last = (offset + length - 1) / MEDIUM_LINE;
    for (size_t i = record->first; i <= record->last; i++) {
        recorder->counts.lines++;
        recorder->counts.again += (recorder->touched[i] & TOUCHED_FLUSH) != 0;
        recorder->counts.unchanged += !recorder->dirty[i];
        recorder->touched[i] |= TOUCHED_FLUSH;
        recorder->dirty[i] = 0;
    }
}

static void note_drain(void *arg, uintptr_t site)
{
    struct recorder *recorder = arg;
    struct record *record;

    look_everywhere(recorder);
    record = add_record(recorder, RECORD_FENCE);
    record->site = site;
    record->role = recorder->fences++;
    recorder->counts.fences++;
}

static const struct medium_watcher watcher = {note_unmap, note_flush,
                                              note_drain};

struct recorder *recorder_begin(struct medium *medium,
                                unsigned (*role)(size_t offset))
{
    struct recorder *recorder = demand(calloc(1, sizeof(*recorder)));
    size_t bytes = medium_bytes(medium);

    recorder->medium = medium;
    recorder->role = role;
    recorder->start = demand(malloc(bytes));
    recorder->copy = demand(malloc(bytes));
    recorder->window = demand(malloc(bytes));
    recorder->dirty = demand(calloc(bytes / MEDIUM_LINE, 1));
    recorder->touched = demand(calloc(bytes / MEDIUM_LINE, 1));
    medium_read(medium, 0, recorder->start, bytes);
    memcpy(recorder->copy, recorder->start, bytes);
    medium_watch(medium, &watcher, recorder);
    return recorder;
}

void recorder_stop(struct recorder *recorder)
{
    look_everywhere(recorder);
    medium_watch(recorder->medium, NULL, NULL);
}

void recorder_end(struct recorder *recorder)
{
    medium_watch(recorder->medium, NULL, NULL);
    free(recorder->start);
    free(recorder->copy);
    free(recorder->window);
    free(recorder->dirty);
    free(recorder->touched);
    free(recorder->records);
    free(recorder->words);
    free(recorder);
}

void recorder_mark(struct recorder *recorder, struct record_mark mark)
{
    look_everywhere(recorder);
    add_record(recorder, RECORD_MARK)->mark = mark;
    recorder->fences = 0;
}

size_t recorder_records(const struct recorder *recorder)
{
    return recorder->record_count;
}

const struct record *recorder_record(const struct recorder *recorder, size_t n)
{
    return &recorder->records[n];
}

const struct record_word *recorder_words(const struct recorder *recorder)
{
    return recorder->words;
}

const struct medium *recorder_medium(const struct recorder *recorder)
{
    return recorder->medium;
}

const uint8_t *recorder_image(const struct recorder *recorder)
{
    return recorder->start;
}

void recorder_count(const struct recorder *recorder,
                    struct recorder_counts *counts)
{
    *counts = recorder->counts;
}

void recorder_count_anew(struct recorder *recorder)
{
    look_everywhere(recorder);
    memset(recorder->touched, 0, recorder->medium->bytes / MEDIUM_LINE);
    memset(&recorder->counts, 0, sizeof(recorder->counts));
}
