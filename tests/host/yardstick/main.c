// SPDX-License-Identifier: MIT
//
// One store under a load that is the same for all: random keys, values of 100
// bytes. Takes a store's name, how many items it has before anything is
// counted, and a folder. Under callgrind the instructions of each part are
// dumped, with the part's name and how many operations it was. Run by
// tools/store-yardstick.
#include "yardstick.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <valgrind/callgrind.h>

#define GETS 5000
#define SCANS 20
#define SCAN_ITEMS 1000
#define LOAD_BATCH 1000
#define WORK_MAX 5000 // items in one part

static const struct yardstick_engine *const engines[] = {
    &yardstick_sqlite, &yardstick_lmdb, &yardstick_store};

void yardstick_fail(const char *what, const char *why)
{
    fprintf(stderr, "yardstick: %s: %s\n", what, why);
    exit(1);
}

// What is put or got, made and looked at outside of what is counted.
struct item {
    struct yardstick_key key;
    uint8_t value[YARDSTICK_VALUE_SIZE];
};

static struct item *work;
static uint64_t items_there;

// The finalizer of splitmix64: a bijection, so that keys differ.
static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

static struct yardstick_key key_of(uint64_t number)
{
    return (struct yardstick_key){.object = mix(number + 1) >> 1,
                                  .type = (uint8_t)(number % 4),
                                  .offset = number};
}

// Begins and ends are where what is counted begins and ends.
static void count_from_here(void)
{
    CALLGRIND_START_INSTRUMENTATION;
    CALLGRIND_ZERO_STATS;
}

static void count_to_here(const char *part, unsigned operations)
{
    char label[64];

    snprintf(label, sizeof(label), "%s/%u", part, operations);
    CALLGRIND_DUMP_STATS_AT(label);
    CALLGRIND_STOP_INSTRUMENTATION;
}

// -------------------------------------------------------------------- Puts

static void put_batch(const struct yardstick_engine *engine,
                      const struct item *items, unsigned count)
{
    engine->begin();
    for (unsigned i = 0; i < count; i++) {
        engine->put(&items[i].key, items[i].value);
    }
    engine->commit();
}

static void make_new(unsigned count)
{
    for (unsigned i = 0; i < count; i++, items_there++) {
        work[i].key = key_of(items_there);
        memset(work[i].value, (int)(items_there % 251), YARDSTICK_VALUE_SIZE);
        memcpy(work[i].value, &items_there, sizeof(items_there));
    }
}

static void puts_counted(const struct yardstick_engine *engine,
                         const char *part, unsigned batch, unsigned batches)
{
    make_new(batch);
    put_batch(engine, work, batch); // warm
    make_new(batch * batches);
    count_from_here();
    for (unsigned i = 0; i < batches; i++) {
        put_batch(engine, &work[i * batch], batch);
    }
    count_to_here(part, batch * batches);
}

// -------------------------------------------------------------------- Gets

static void gets_counted(const struct yardstick_engine *engine,
                         const char *part, uint64_t seed)
{
    for (unsigned i = 0; i < GETS; i++) {
        work[i].key = key_of(mix(seed + i) % items_there);
    }
    engine->get(&work[0].key, work[0].value); // warm
    count_from_here();
    for (unsigned i = 0; i < GETS; i++) {
        engine->get(&work[i].key, work[i].value);
    }
    count_to_here(part, GETS);
    for (unsigned i = 0; i < GETS; i++) {
        uint64_t found;
        memcpy(&found, work[i].value, sizeof(found));
        if (found != work[i].key.offset) {
            yardstick_fail(engine->name, "a value is wrong");
        }
    }
}

// -------------------------------------------------------------------- Scans

static int compare(const void *a, const void *b)
{
    const struct yardstick_key *x = a, *y = b;

    return x->object < y->object ? -1 : x->object > y->object;
}

static struct yardstick_key *sort_all(void)
{
    struct yardstick_key *sorted = calloc(items_there, sizeof(*sorted));

    for (uint64_t i = 0; i < items_there; i++) {
        sorted[i] = key_of(i);
    }
    qsort(sorted, items_there, sizeof(*sorted), compare);
    return sorted;
}

static void scans_counted(const struct yardstick_engine *engine)
{
    struct yardstick_key *sorted = sort_all();
    uint64_t want = 0, got = 0, at[SCANS];
    unsigned items = 0, seen;

    for (unsigned i = 0; i < SCANS; i++) {
        at[i] = mix(i) % (items_there - SCAN_ITEMS);
        for (unsigned k = 0; k < SCAN_ITEMS; k++) {
            want += sorted[at[i] + k].offset;
        }
    }
    count_from_here();
    for (unsigned i = 0; i < SCANS; i++) {
        got += engine->scan(&sorted[at[i]], SCAN_ITEMS, &seen);
        items += seen;
    }
    count_to_here("scan", items);
    free(sorted);
    if (items != SCANS * SCAN_ITEMS || got != want) {
        yardstick_fail(engine->name, "a scan saw other items");
    }
}

static void run(const struct yardstick_engine *engine, uint64_t items,
                const char *folder)
{
    work = calloc(WORK_MAX, sizeof(*work));
    engine->open(folder, items);
    while (items_there < items) {
        make_new(LOAD_BATCH);
        put_batch(engine, work, LOAD_BATCH);
    }
    gets_counted(engine, "get", 1);
    engine->view_begin();
    gets_counted(engine, "get in a view", 2);
    engine->view_end();
    scans_counted(engine);
    puts_counted(engine, "put by 1", 1, 1000);
    puts_counted(engine, "put by 100", 100, 30);
    puts_counted(engine, "put by 1000", 1000, 5);
    gets_counted(engine, "get again", 3);
    engine->close();
    free(work);
}

int main(int argc, char **argv)
{
    if (argc == 4) {
        for (size_t i = 0; i < sizeof(engines) / sizeof(engines[0]); i++) {
            if (strcmp(argv[1], engines[i]->name) == 0) {
                run(engines[i], strtoull(argv[2], NULL, 10), argv[3]);
                return 0;
            }
        }
    }
    fprintf(stderr, "usage: yardstick sqlite|lmdb|store ITEMS FOLDER\n");
    return 2;
}
