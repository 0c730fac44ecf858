// SPDX-License-Identifier: MIT
//
// Random sequences of calls against the model of tests/model.h. A sequence that
// fails is shrunk: the same steps are run again with some left out, as long as
// that still fails, and what is left is printed. A failure that leaves the
// kernel broken is shrunk by tools/shrink-model, with a new machine each time.
#include "arch/pks.h"
#include "kernel/config.h"
#include "kernel/watchdog.h"
#include "lib/glob.h"
#include "mm/audit.h"
#include "tests/alias.h"
#include "tests/engines.h"
#include "tests/framework.h"
#include "tests/model.h"
#include "tests/scratch.h"
#include "tests/storm.h"

#define STEPS 4000
#define STEPS_LONG 1000000
#define STEPS_ALIKE 1000
#define STEPS_KEPT 4096        // the most that are shrunk, from the last on
#define STEPS_TO_SHRINK 400000 // steps done again, at most
#define STEPS_FOR_AN_AUDIT 512

SCRATCH_ARRAY(uint32_t, kept, STEPS_KEPT, 0);
SCRATCH_ARRAY(uint32_t, without, STEPS_KEPT, STEPS_KEPT * sizeof(uint32_t));
SCRATCH_ARRAY(struct model, model, 1, 2 * STEPS_KEPT * sizeof(uint32_t));

// A sequence: `count` steps, numbered from `first` on, or those of a list.
struct sequence {
    uint64_t seed;
    const uint32_t *list;
    uint32_t first, count;
    bool one_block; // struct model
};

static uint32_t step_number(const struct sequence *sequence, uint32_t index)
{
    return sequence->list != NULL ? sequence->list[index]
                                  : sequence->first + index;
}

static void audit_check(void)
{
    static struct audit_report report;
    storm_hold(true);
    bool sound = audit_run(&report);
    storm_hold(false);
    if (!sound) {
        model_fail(model, audit_rule_text(report.finding[0].rule),
                   report.finding[0].address);
    }
}

static void model_end_run(void *argument)
{
    (void)argument;
    model_end(model);
    audit_check();
}

static void sequence_run(void *argument)
{
    const struct sequence *sequence = argument;
    for (uint32_t i = 0; i < sequence->count && model->failure == NULL; i++) {
        model_step(model, sequence->seed, step_number(sequence, i));
        model_check(model);
        if (i % STEPS_FOR_AN_AUDIT == 0) {
            watchdog_progress();
            audit_check();
        }
    }
    model_end_run(NULL);
}

// Run a sequence from the beginning. True: the kernel and the model agree.
static bool sequence_agrees(const struct sequence *sequence)
{
    struct fault fault;
    *model = (struct model){.domains = {domain_ram},
                            .one_block = sequence->one_block};
    pks_set_rights(PKRS_CLOSED); // what a failure before may have left open
    if (!run_protected(sequence_run, (void *)sequence, &fault)) {
        model->depth = model->base = 0; // run_protected() closed them
        model->steps += model->failure == NULL;
        model_fail(model,
                   fault.kind == FAULT_OTHER ? "a step is a misuse"
                                             : "a step faulted",
                   fault.address);
        run_protected(model_end_run, NULL, NULL);
    }
    return model->failure == NULL;
}

// Run a list of steps. True: it fails in this way.
static bool list_fails(uint64_t seed, const uint32_t *list, uint32_t count,
                       const char *failure)
{
    return !sequence_agrees(&(struct sequence){
               .seed = seed, .list = list, .count = count}) &&
           model->failure == failure;
}

// Leave out what is not needed for a failure. `kept` holds *count steps that
// fail; so it does in the end.
static void sequence_shrink(uint64_t seed, uint32_t *count, const char *failure)
{
    uint64_t left = STEPS_TO_SHRINK;
    for (uint32_t chunk = *count / 2; chunk > 0; chunk /= 2) {
        for (uint32_t at = 0; at + chunk <= *count && left > *count;) {
            uint32_t rest = *count - chunk;
            memcpy(without, kept, at * sizeof(*kept));
            memcpy(without + at, kept + at + chunk,
                   (rest - at) * sizeof(*kept));
            left -= rest;
            if (!list_fails(seed, without, rest, failure)) {
                at += chunk;
                continue;
            }
            *count = MIN(rest, model->steps); // what follows the failure
            memcpy(kept, without, *count * sizeof(*kept));
        }
    }
}

static void failure_print(void)
{
    uint64_t from = model->steps > MODEL_LOG ? model->steps - MODEL_LOG : 0;
    printf("# %s: 0x%lx\n", model->failure, model->failure_address);
    for (uint64_t i = from; i < model->steps; i++) {
        const struct model_log *log = &model->log[i % MODEL_LOG];
        printf("#   step %u: %s, 0x%llx\n", log->step, log->name,
               (unsigned long long)log->about);
    }
}

// The run failed: say how, then find out what is needed for it.
static void failure_explain(uint64_t seed)
{
    const char *failure = model->failure;
    uint32_t done = model->steps;
    uint32_t count = MIN(done, STEPS_KEPT);
    printf("# the model with seed=%llu fails after %u steps\n",
           (unsigned long long)seed, done);
    failure_print();
    for (uint32_t i = 0; i < count; i++) {
        kept[i] = done - count + i;
    }
    if (list_fails(seed, kept, 0, failure) ||
        !list_fails(seed, kept, count, failure)) {
        printf("# not shrunk: the failure stays, or needs what was before; "
               "try tools/shrink-model --seed %llu --steps %u\n",
               (unsigned long long)seed, done);
        return;
    }
    count = MIN(count, model->steps);
    sequence_shrink(seed, &count, failure);
    if (list_fails(seed, kept, count, failure)) {
        printf("# shrunk to %u steps:\n", count);
        failure_print();
    }
}

static const char *number_read(const char *text, uint32_t *number)
{
    *number = 0;
    while (*text >= '0' && *text <= '9') {
        *number = *number * 10 + (*text++ - '0');
    }
    return text;
}

// The steps to do, if the command line ends in, say, -- steps=3,10-14. Returns
// how many; they are in `kept`.
static uint32_t steps_asked_for(void)
{
    static const char prefix[] = "steps=";
    uint32_t first, last, count = 0;
    if (config.argc != 2 ||
        memcmp(config.argv[1], prefix, sizeof(prefix) - 1) != 0) {
        return 0;
    }
    const char *text = config.argv[1] + sizeof(prefix) - 1;
    while (*text != '\0') {
        text = number_read(text, &first);
        last = first;
        if (*text == '-') {
            text = number_read(text + 1, &last);
        }
        while (first <= last && count < STEPS_KEPT) {
            kept[count++] = first++;
        }
        text += *text != '\0'; // the comma
    }
    return count;
}

bool model_sequence_run(uint64_t seed, uint32_t steps)
{
    if (sequence_agrees(&(struct sequence){.seed = seed, .count = steps})) {
        return true;
    }
    const char *failure = model->failure;
    failure_explain(seed);
    test_fail(__FILE__, __LINE__, "%s", failure);
    return false;
}

static void model_run(uint32_t steps)
{
    uint64_t seed = test_seed();
    uint32_t asked_for = steps_asked_for();
    if (asked_for != 0) {
        printf("# %u steps asked for\n", asked_for);
        if (!sequence_agrees(&(struct sequence){
                .seed = seed, .list = kept, .count = asked_for})) {
            failure_print();
            test_fail(__FILE__, __LINE__, "%s", model->failure);
        }
        return;
    }
    (void)model_sequence_run(seed, steps);
}

TEST(model, random)
{
    NEEDS_ACCOUNT();
    model_run(test_rounds(STEPS));
}

// The same calls with the same outcomes, whatever the engine, the build and the
// machine: tests/tools/test-engines compares what is printed here.
TEST(model, alike)
{
    NEEDS_ACCOUNT();
    struct sequence sequence = {
        .seed = test_seed(), .count = STEPS_ALIKE, .one_block = true};
    if (!sequence_agrees(&sequence)) {
        failure_print();
        test_fail(__FILE__, __LINE__, "%s", model->failure);
        return;
    }
    printf("# model: hash 0x%016llx of %u steps, seed %llu\n",
           (unsigned long long)model->hash, STEPS_ALIKE,
           (unsigned long long)sequence.seed);
}

TEST(model, long)
{
    if (config.test_globs == NULL ||
        !glob_list_match(config.test_globs, "model.long") ||
        glob_list_match(config.test_globs, "model.random")) {
        SKIP("a million steps; ask for it by test=model.long");
    }
    model_run(STEPS_LONG);
}

// Found by the model: vunmap() of a physical range gave back the page table
// that slots beside it remember, and vmap() wrote into it from then on.
#define AREAS 4
#define AREA_FRAMES 200 // two slots to a table

TEST(model, found_range_beside_areas)
{
    static struct page *pages[AREA_FRAMES];
    static char *areas[AREAS];
    struct page *block = alloc_pages(domain_ram, 8);
    CHECK(block != NULL);
    for (unsigned i = 0; i < AREA_FRAMES; i++) {
        pages[i] = block + i;
    }
    for (unsigned i = 0; i < AREAS; i++) {
        areas[i] = vmap(pages, AREA_FRAMES, MAP_READ | MAP_WRITE);
        CHECK(areas[i] != NULL);
    }
    for (unsigned i = 0; i < AREAS; i += 2) {
        vunmap(areas[i]);
        areas[i] =
            vmap_range(page_to_phys(block), AREA_FRAMES * PAGE_SIZE, MAP_READ);
        CHECK(areas[i] != NULL);
        vunmap(areas[i + 1]);
        vunmap(areas[i]);
    }
    // Somebody else needs page tables now.
    CHECK(alias_map(TEST_REGION_BASE, block, 1, ALIAS_DATA) != NULL);
    for (unsigned i = 0; i < AREAS; i++) {
        areas[i] = vmap(pages, AREA_FRAMES, MAP_READ | MAP_WRITE);
        CHECK(areas[i] != NULL);
        areas[i][AREA_FRAMES * PAGE_SIZE - 1] = (char)i;
        CHECK_EQ(areas[0][AREA_FRAMES * PAGE_SIZE - 1], i);
    }
    for (unsigned i = 0; i < AREAS; i++) {
        vunmap(areas[i]);
    }
    alias_unmap(TEST_REGION_BASE, 1);
    free_pages(block, 8);
}
