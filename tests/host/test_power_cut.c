// SPDX-License-Identifier: MIT
//
// The recorder and the power cuts, by a log of two slots that is simple enough
// to be right: written, flushed and fenced before the selector names it. Each
// way to get that wrong must be found.

#include "tests/host/power_cut.h"

#include <stdlib.h>

#include "tests/host/tap.h"

#define BYTES (4 * PAGE_SIZE)
#define HEAD 0u // page 0: what it is
#define SELECTOR_AT PAGE_SIZE
#define SLOT_AT(n) ((2 + (n) % 2) * PAGE_SIZE + 8)
#define MAGIC 0x676f6cull
#define SLOT_WORDS 20u
#define COMMITS 5u

// What a log does wrong.
enum mistake {
    NONE,
    SELECTOR_FIRST,  // names a slot that is not there for certain
    SELECTOR_OF_TWO, // words, both of which it needs
    SLOT_IN_PLACE,   // the one in use is overwritten
    FLUSH_TWICE,
    FLUSH_TOO_MUCH,
};

struct log {
    struct medium *medium;
    struct recorder *recorder;
    enum mistake mistake;
};

struct slot {
    uint64_t sum, number, words[SLOT_WORDS];
};

static void fill(struct slot *slot, uint64_t number)
{
    slot->number = number;
    slot->sum = number;
    for (unsigned i = 0; i < SLOT_WORDS; i++) {
        slot->words[i] = (number * SLOT_WORDS + i) * 0x9e3779b97f4a7c15ull;
        slot->sum = slot->sum * 31 + slot->words[i];
    }
}

static void *open_at(struct medium *medium, size_t offset, size_t length)
{
    return kmap_local_range(medium_pages(medium), offset, length);
}

static void write_slot(struct medium *medium, uint64_t number, bool in_place)
{
    size_t at = SLOT_AT(in_place ? 0 : number);
    struct slot *slot = open_at(medium, at, sizeof(*slot));

    fill(slot, number);
    pmem_flush(slot, sizeof(*slot));
    kunmap_local(slot);
    pmem_drain();
}

static void write_selector(struct medium *medium, uint64_t number, bool two)
{
    uint64_t *selector = open_at(medium, SELECTOR_AT, 16);

    selector[0] = number;
    selector[1] = two ? ~number : 0;
    pmem_flush(selector, 16);
    kunmap_local(selector);
    pmem_drain();
}

static void make_mistake(const struct log *log)
{
    uint64_t *at = open_at(log->medium, SELECTOR_AT, PAGE_SIZE);

    if (log->mistake == FLUSH_TWICE) {
        pmem_flush(at, 8);
    }
    if (log->mistake == FLUSH_TOO_MUCH) {
        pmem_flush(at + 8, 8);
    }
    kunmap_local(at);
}

static void log_commit(const struct log *log, unsigned number)
{
    bool two = log->mistake == SELECTOR_OF_TWO;

    recorder_mark(log->recorder, (struct record_mark){number, number + 1});
    if (log->mistake == SELECTOR_FIRST) {
        write_selector(log->medium, number, two);
    }
    write_slot(log->medium, number, log->mistake == SLOT_IN_PLACE);
    if (log->mistake != SELECTOR_FIRST) {
        write_selector(log->medium, number, two);
    }
    make_mistake(log);
}

static void acknowledge(const struct log *log, unsigned number)
{
    recorder_mark(log->recorder, (struct record_mark){number + 1, number + 1});
}

static unsigned role_of(size_t offset)
{
    return (unsigned)(offset / PAGE_SIZE);
}

static void log_run(struct log *log, enum mistake mistake)
{
    log->medium = medium_create(BYTES);
    log->recorder = recorder_begin(log->medium, role_of);
    log->mistake = mistake;
    recorder_mark(log->recorder, (struct record_mark){0, 1});
    pmem_copy_to(medium_pages(log->medium), HEAD, &(uint64_t){MAGIC}, 8);
    pmem_drain();
    acknowledge(log, 0);
    for (unsigned i = 1; i <= COMMITS; i++) {
        log_commit(log, i);
        acknowledge(log, i);
    }
}

static void log_end(struct log *log)
{
    recorder_end(log->recorder);
    medium_destroy(log->medium);
}

// State 0 is before the head was written, n + 1 is after commit n.
static const char *recover(void *arg, struct medium *image,
                           struct record_mark mark)
{
    const struct log *log = arg;
    uint64_t magic, selector[2];
    struct slot got, want;

    medium_read(image, HEAD, &magic, 8);
    medium_read(image, SELECTOR_AT, selector, sizeof(selector));
    uint64_t state = magic == MAGIC ? selector[0] + 1 : selector[0];
    if (state < mark.low || state > mark.high) {
        return "not the last state that was acknowledged";
    }
    if (log->mistake == SELECTOR_OF_TWO && selector[0] != 0 &&
        selector[1] != ~selector[0]) {
        return "half a selector";
    }
    if (selector[0] == 0) {
        return NULL;
    }
    medium_read(image, SLOT_AT(log->mistake == SLOT_IN_PLACE ? 0 : selector[0]),
                &got, sizeof(got));
    fill(&want, selector[0]);
    if (magic != MAGIC || memcmp(&got, &want, sizeof(got)) != 0) {
        return "what is selected is not there";
    }
    return NULL;
}

static struct power_cut cut_of(struct log *log, unsigned images)
{
    return (struct power_cut){.recorder = log->recorder,
                              .recover = recover,
                              .arg = log,
                              .images = images,
                              .seed = 1,
                              .omit_record = POWER_CUT_NONE,
                              .omit_line = POWER_CUT_NONE};
}

HOST_TEST(a_log_that_is_right_survives)
{
    struct power_cut_result result;
    struct log log;

    log_run(&log, NONE);
    struct power_cut cut = cut_of(&log, 64);
    power_cut_run(&cut, &result);
    CHECK_STR(result.wrong == NULL ? "" : result.wrong, "");
    printf("# %lu cuts, %lu of them complete, %lu images\n",
           (unsigned long)result.cuts, (unsigned long)result.complete,
           (unsigned long)result.images);
    log_end(&log);
}

// Of what kind a mistake is shows in how it is found.
HOST_TEST(a_log_that_is_wrong_does_not)
{
    static const struct {
        enum mistake mistake;
        const char *wrong;
        bool by_word;
    } cases[] = {
        {SELECTOR_FIRST, "what is selected is not there", false},
        {SELECTOR_OF_TWO, "half a selector", true},
        {SLOT_IN_PLACE, "what is selected is not there", false},
    };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct power_cut_result result;
        struct log log;
        log_run(&log, cases[i].mistake);
        struct power_cut cut = cut_of(&log, 4);
        power_cut_run(&cut, &result);
        CHECK_STR(result.wrong, cases[i].wrong);
        CHECK_EQ(result.by_word, cases[i].by_word);
        log_end(&log);
    }
}

// Its parts: two sites of a flush and a fence each, the slot's in two roles,
// and the head's; COMMITS of each, a line of the selector, of the slot three.
HOST_TEST(every_flush_and_fence_is_missed)
{
    struct log log;
    unsigned missed;

    log_run(&log, NONE);
    struct power_cut cut = cut_of(&log, 8);
    unsigned tried = power_cut_prove(&cut, 1, &missed);
    CHECK_EQ(missed, 0);
    CHECK_EQ(tried, 7 + 2 * (1 + 2 * COMMITS) + 1 + COMMITS * (1 + 3));
    log_end(&log);
}

HOST_TEST(a_flush_that_is_for_nothing_is_seen)
{
    static const struct {
        enum mistake mistake;
        struct recorder_counts counts;
    } cases[] = {
        {NONE, {2, 4, 0, 0, 4}},
        {FLUSH_TWICE, {2, 5, 1, 1, 4}},
        {FLUSH_TOO_MUCH, {2, 5, 0, 1, 4}},
    };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct recorder_counts counts;
        struct log log;
        log_run(&log, cases[i].mistake);
        recorder_count_anew(log.recorder);
        log_commit(&log, COMMITS + 1);
        recorder_count(log.recorder, &counts);
        CHECK(memcmp(&counts, &cases[i].counts, sizeof(counts)) == 0);
        log_end(&log);
    }
}

// All that three lines in flight can leave, one of which was stored to twice,
// another one flushed without a fence. What comes true with the fence.
static uint64_t seen[64];
static unsigned seen_count;

static const char *note_image(void *arg, struct medium *image,
                              struct record_mark mark)
{
    uint64_t words[3], all = 0;

    (void)arg;
    for (unsigned i = 0; i < 3; i++) {
        medium_read(image, i * 64, &words[i], 8);
        all |= words[i] << (8 * i);
    }
    if (mark.low == 1) {
        seen[seen_count++ % 64] = all;
    }
    return NULL;
}

static bool was_seen(uint64_t all)
{
    for (unsigned i = 0; i < seen_count && i < 64; i++) {
        if (seen[i] == all) {
            return true;
        }
    }
    return false;
}

static void store_three(struct medium *medium)
{
    volatile uint64_t *at = open_at(medium, 0, 3 * 64);

    at[0] = 1;
    pmem_flush((void *)&at[0], 8);
    at[0] = 2;
    at[8] = 3;
    pmem_flush((void *)&at[8], 8);
    at[16] = 4;
    kunmap_local((void *)at);
}

HOST_TEST(images_are_all_that_can_be)
{
    struct medium *medium = medium_create(PAGE_SIZE);
    struct recorder *recorder = recorder_begin(medium, NULL);
    struct power_cut_result result;

    recorder_mark(recorder, (struct record_mark){0, 0});
    store_three(medium);
    recorder_mark(recorder, (struct record_mark){1, 1});
    pmem_drain();
    recorder_mark(recorder, (struct record_mark){2, 2});
    struct power_cut cut = {.recorder = recorder,
                            .recover = note_image,
                            .images = 12,
                            .seed = 1,
                            .omit_record = POWER_CUT_NONE,
                            .omit_line = POWER_CUT_NONE};
    seen_count = 0;
    power_cut_run(&cut, &result);
    CHECK(result.wrong == NULL && result.complete == result.cuts);
    // 3 * 2 * 2, by the line and by the word.
    CHECK_EQ(seen_count, 24);
    for (uint64_t i = 0; i < 12; i++) {
        CHECK(was_seen(i % 3 | i / 3 % 2 * 0x300 | i / 6 * 0x40000));
    }
    seen_count = 0;
    recorder_mark(recorder, (struct record_mark){1, 1});
    cut.from = recorder_records(recorder) - 1;
    power_cut_run(&cut, &result);
    // Certain are now 1 in the first line, and the second.
    CHECK_EQ(seen_count, 8);
    for (uint64_t i = 0; i < 4; i++) {
        CHECK(was_seen((1 + i % 2) | 0x300 | i / 2 * 0x40000));
    }
    recorder_end(recorder);
    medium_destroy(medium);
}
