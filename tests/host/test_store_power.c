// SPDX-License-Identifier: MIT
//
// The store's commits and power cuts: whenever power goes, what was
// acknowledged is there, whole, and goes on working; and no flush and no fence
// is there for nothing. KEYHOLE_POWER_CUTS, a number, makes the run so many
// times as long, with images that are not tried otherwise.

#include <stdlib.h>

#include "tests/host/power_cut.h"
#include "tests/host/store_model.h"
#include "tests/host/tap.h"

#define BLOCKS 40u
#define BYTES ((size_t)BLOCKS * STORE_BLOCK_SIZE)
#define FRESH_BYTES (1024ul * STORE_BLOCK_SIZE)
#define STEPS_MAX 64u

// State 0 is another store, over which state 1 was formatted, an empty one.
static struct store_model states[STEPS_MAX + 2];
static unsigned acknowledged; // the last state
static struct recorder *recorder;
static const char *flushes_wrong;
static bool is_fresh; // no block is used twice

static unsigned effort(void)
{
    const char *text = getenv("KEYHOLE_POWER_CUTS");
    unsigned times = text == NULL ? 1 : (unsigned)strtoul(text, NULL, 10);

    return times == 0 ? 1 : times;
}

// ------------------------------------------------------------- The recording

#define ROLE_BLOCK 4u
#define ROLE_ABORTED 5u
static bool aborts;

static unsigned role_of(size_t offset)
{
    return aborts                      ? ROLE_ABORTED
           : offset < STORE_BLOCK_SIZE ? (unsigned)(offset / PAGE_SIZE)
                                       : ROLE_BLOCK;
}

// Lines of a superblock that a commit stores to with what is there already: the
// end of it; and after a mount all that is zero.
static unsigned unchanged_lines(void)
{
    return acknowledged <= 3 ? 1 + 62 : 1;
}

// What a commit flushed.
static void look_at_flushes(void)
{
    struct recorder_counts counts;

    recorder_count(recorder, &counts);
    if (acknowledged == 1) {
        return; // that was the format
    }
    if (counts.fences != 2) {
        flushes_wrong = "not two fences in a commit";
    } else if (counts.again > 0) {
        flushes_wrong = "a line is flushed twice in a commit";
    } else if (is_fresh && counts.unchanged > unchanged_lines()) {
        flushes_wrong = "a line is flushed that was not stored to";
    } else if (is_fresh && counts.lines - counts.unchanged != counts.changed) {
        flushes_wrong = "a line is not flushed that was stored to";
    }
}

static void note(void *arg, enum store_event event)
{
    struct store_workload *workload = arg;
    struct record_mark mark = {acknowledged, acknowledged};

    if (event == STORE_COMMITS) {
        states[++mark.high] = workload->next;
    } else if (event == STORE_ACKNOWLEDGED) {
        mark.low = mark.high = ++acknowledged;
    }
    aborts = event == STORE_ABORTS;
    recorder_mark(recorder, mark);
    if (event == STORE_ACKNOWLEDGED) {
        look_at_flushes();
    }
}

// Full of what looks like nothing, so that whatever is stored is a change.
static void fill(struct medium *medium, uint64_t seed)
{
    size_t bytes = medium_bytes(medium);
    uint64_t *noise = malloc(bytes);

    for (size_t i = 0; i < bytes / 8; i++) {
        seed = seed * 6364136223846793005ull + 1442695040888963407ull;
        noise[i] = seed ^ seed >> 29;
    }
    medium_write(medium, 0, noise, bytes);
    free(noise);
}

// Another store, which is to be overwritten.
static bool prepare(struct store_workload *workload, uint64_t seed)
{
    bool right = store_workload_begin(workload, seed ^ 0xff);

    for (unsigned i = 0; right && i < 8; i++) {
        right = store_workload_step(workload);
    }
    states[0] = workload->model;
    return right && store_workload_end(workload);
}

static bool record(struct medium *medium, uint64_t seed, unsigned steps,
                   unsigned abort_one_in)
{
    struct store_workload workload = {.first = medium_pages(medium),
                                      .bytes = medium_bytes(medium),
                                      .stays_mounted = is_fresh,
                                      .abort_one_in = abort_one_in};

    acknowledged = 0;
    flushes_wrong = NULL;
    fill(medium, seed);
    bool right = prepare(&workload, seed);
    workload.note = note;
    workload.arg = &workload;
    recorder = recorder_begin(medium, role_of);
    right = right && store_workload_begin(&workload, seed);
    for (unsigned i = 0; right && i < steps; i++) {
        recorder_count_anew(recorder);
        aborts = false;
        right = store_workload_step(&workload);
    }
    right = right && store_workload_end(&workload);
    recorder_stop(recorder);
    return right;
}

// -------------------------------------------------------------- The recovery

static const char *text_of(const char *what, int error, const char *more)
{
    static char text[256];

    snprintf(text, sizeof(text), "%s (%d%s%s)", what, error,
             more == NULL ? "" : ": ", more == NULL ? "" : more);
    return text;
}

static const char *mount(struct medium *image, struct store **store, int *error)
{
    struct store_problem problem = {0};
    struct store_stats stats;

    *error = store_mount(medium_pages(image), BYTES, 0, store, &problem);
    if (*error != 0) {
        return text_of("it cannot be mounted", *error, problem.text);
    }
    store_stats(*store, &stats);
    if (stats.read_only) {
        store_unmount(*store);
        return text_of("it is read-only", problem.error, problem.text);
    }
    return NULL;
}

static void note_problem(void *arg, const struct store_problem *problem)
{
    *(const char **)arg = text_of("damage", (int)problem->block, problem->text);
}

// Damage, and whether it has one of the states.
static const char *inspect(struct store *store, const struct store_model *low,
                           const struct store_model *high)
{
    const char *damage = NULL, *wrong = "neither state";
    struct store_check check;
    int error = store_check(store, &check, note_problem, &damage);

    if (error != 0) {
        return damage == NULL ? "check is silent" : damage;
    }
    for (const struct store_model *state = low; state <= high; state++) {
        const char *why = store_model_compare(store, state, &error);
        if (why == NULL) {
            return NULL;
        }
        wrong = low == high ? text_of(why, error, NULL) : wrong;
    }
    return wrong;
}

// The store goes on: one more key, that is there after the next mount.
static const char *go_on(struct medium *image, struct store *store)
{
    static const struct store_key key = {7, 8, 9};
    uint64_t value = 10, got = 0;
    size_t size;
    int error = store_put(store, &key, &value, sizeof(value));

    store_unmount(store);
    if (error != 0) {
        return error == -ENOSPC ? NULL : text_of("put", error, NULL);
    }
    const char *wrong = mount(image, &store, &error);
    if (wrong != NULL) {
        return wrong;
    }
    error = store_get(store, &key, &got, sizeof(got), &size);
    if (error != 0 || got != value) {
        wrong = text_of("what was put is not there", error, NULL);
    }
    struct store_check check;
    if (wrong == NULL) {
        error = store_check(store, &check, note_problem, &wrong);
    }
    store_unmount(store);
    return wrong;
}

static const char *recover(void *arg, struct medium *image,
                           struct record_mark mark)
{
    struct store *store;
    int error;
    const char *wrong = mount(image, &store, &error);

    (void)arg;
    if (wrong != NULL) {
        return mark.low == 0 && error == -ENODEV ? NULL : wrong;
    }
    wrong = inspect(store, &states[mark.low], &states[mark.high]);
    if (wrong != NULL) {
        store_unmount(store);
        return wrong;
    }
    return go_on(image, store);
}

static struct power_cut cut_of(unsigned images, uint64_t seed)
{
    return (struct power_cut){.recorder = recorder,
                              .recover = recover,
                              .images = images,
                              .seed = seed,
                              .omit_record = POWER_CUT_NONE,
                              .omit_line = POWER_CUT_NONE};
}

static void survive(uint64_t seed, unsigned steps, unsigned images)
{
    struct medium *medium = medium_create(BYTES);
    struct power_cut_result result;

    bool right = record(medium, seed, steps, 6);
    struct power_cut cut = cut_of(images, seed);
    power_cut_run(&cut, &result);
    if (result.wrong != NULL) {
        printf("# seed %lu, after record %zu, by the %s: %s\n",
               (unsigned long)seed, result.record,
               result.by_word ? "word" : "line", result.wrong);
    }
    printf("# seed %lu: %u states, %lu cuts, %lu of them complete, %lu "
           "images\n",
           (unsigned long)seed, acknowledged, (unsigned long)result.cuts,
           (unsigned long)result.complete, (unsigned long)result.images);
    recorder_end(recorder);
    medium_destroy(medium);
    CHECK(right);
    CHECK(result.wrong == NULL);
    CHECK_STR(flushes_wrong == NULL ? "" : flushes_wrong, "");
}

HOST_TEST(a_store_survives_every_power_cut)
{
    unsigned times = effort();

    survive(2, 0, 512); // the format
    survive(1, 40, 4);
    for (unsigned i = 1; i < times; i++) {
        survive(1 + i, STEPS_MAX, i % 16 == 0 ? 1024 : 16);
    }
}

// Of a format lines that nobody reads are flushed too, to be zero.
HOST_TEST(every_flush_and_fence_is_needed)
{
    struct medium *medium = medium_create(BYTES);
    unsigned missed, missed_lines;

    bool right = record(medium, 3, 6, 0);
    struct power_cut cut = cut_of(16, 1);
    unsigned tried = power_cut_prove(&cut, 0, &missed);
    while (recorder_record(recorder, cut.from)->kind != RECORD_MARK ||
           recorder_record(recorder, cut.from)->mark.low < 1) {
        cut.from++;
    }
    unsigned lines =
        power_cut_prove(&cut, effort() > 1 ? 1 : 37, &missed_lines);
    printf("# %u and %u taken out, %u states\n", tried, lines, acknowledged);
    recorder_end(recorder);
    medium_destroy(medium);
    CHECK(right);
    CHECK_EQ(missed, 0);
    CHECK_EQ(missed_lines, 0);
}

// A block that is used again may have parts that are as an aborted transaction
// left them, and the checksum covers those too.
HOST_TEST(what_an_aborted_transaction_flushes_is_needed)
{
    struct medium *medium = medium_create(BYTES);
    struct power_cut_result result = {0};

    bool right = record(medium, 4, STEPS_MAX, 3);
    struct power_cut cut = cut_of(1, 1);
    size_t n = 0;
    while (n < recorder_records(recorder) &&
           (recorder_record(recorder, n)->kind != RECORD_FLUSH ||
            recorder_record(recorder, n)->role != ROLE_ABORTED)) {
        n++;
    }
    bool found = n < recorder_records(recorder);
    if (found) {
        cut.omit_alike = recorder_record(recorder, n);
        cut.from = n;
        power_cut_run(&cut, &result);
    }
    recorder_end(recorder);
    medium_destroy(medium);
    CHECK(right && found);
    CHECK(result.wrong != NULL);
}

// On a medium that is large enough for the allocator not to come round: there
// every store changes something.
HOST_TEST(a_commit_flushes_each_line_that_it_stored_to_once)
{
    struct medium *medium = medium_create(FRESH_BYTES);

    is_fresh = true;
    bool right = record(medium, 5, STEPS_MAX, 6);
    is_fresh = false;
    recorder_end(recorder);
    medium_destroy(medium);
    CHECK(right);
    CHECK_STR(flushes_wrong == NULL ? "" : flushes_wrong, "");
}
