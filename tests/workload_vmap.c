// SPDX-License-Identifier: MIT
//
// Long-lived tables by vmap(): 64 are there at any time, of 1 to 16 frames;
// each step reads one through, takes it away, and makes another.
#include "tests/bench.h"
#include "tests/workload.h"

#define FRAMES 256
#define TABLES 64
#define TABLE_FRAMES_MAX 16
#define BATCH 32
#define FRAME_WORDS (PAGE_SIZE / sizeof(uint64_t))

struct churn {
    struct page *frame[FRAMES]; // each begins with its number
    struct table {
        uint64_t *words;
        unsigned first, count; // of the frames
    } table[TABLES];
    uint64_t random;
    uint64_t written; // by tables that may
    unsigned wrong;   // frames that had another number, and maps that failed
};

// Every other table may be written to: the second word of its first frame
// counts that.
static void table_make(struct churn *churn, unsigned i)
{
    struct table *table = &churn->table[i];
    table->count =
        1 + (unsigned)workload_random(&churn->random, TABLE_FRAMES_MAX);
    table->first =
        (unsigned)workload_random(&churn->random, FRAMES - TABLE_FRAMES_MAX);
    table->words = vmap(churn->frame + table->first, table->count,
                        i % 2 ? MAP_READ : MAP_READ | MAP_WRITE);
    if (table->words == NULL) {
        churn->wrong++;
    } else if (i % 2 == 0) {
        table->words[1]++;
        churn->written++;
    }
}

static void table_end(struct churn *churn, unsigned i)
{
    const struct table *table = &churn->table[i];
    if (table->words == NULL) {
        return;
    }
    for (unsigned k = 0; k < table->count; k++) {
        churn->wrong += table->words[k * FRAME_WORDS] != table->first + k;
    }
    vunmap(table->words);
}

static uint64_t second_words(struct churn *churn)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < FRAMES; i++) {
        uint64_t word;
        memcpy_from_page(&word, churn->frame[i], sizeof(word), sizeof(word));
        sum += word;
    }
    return sum;
}

static bool churn_start(struct churn *churn)
{
    churn->random = 5;
    if (!workload_frames_alloc(domain_ram, churn->frame, FRAMES)) {
        return false;
    }
    for (unsigned i = 0; i < FRAMES; i++) {
        workload_tag_write(churn->frame[i], i);
    }
    for (unsigned i = 0; i < TABLES; i++) {
        table_make(churn, i);
    }
    return churn->wrong == 0;
}

BENCH(workload, vmap_churn)
{
    struct churn *churn = kzalloc(sizeof(*churn));
    CHECK(churn != NULL && churn_start(churn));
    bench_batch(BATCH);
    BENCH_LOOP (n) {
        unsigned i = (unsigned)workload_random(&churn->random, TABLES);
        table_end(churn, i);
        table_make(churn, i);
    }
    for (unsigned i = 0; i < TABLES; i++) {
        table_end(churn, i);
    }
    CHECK_EQ(churn->wrong, 0);
    CHECK_EQ(second_words(churn), churn->written);
    workload_frames_free(churn->frame, FRAMES);
    kfree(churn);
}
