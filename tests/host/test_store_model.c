// SPDX-License-Identifier: MIT
//
// The store beside a plain sorted array: random puts, deletions, commits,
// aborts, snapshots taken and dropped, mounts, views that stay open; on media
// so small that they are full again and again. After each commit everything is
// compared, and the blocks that count as used with those that are.
//
// STORE_SEED=N STORE_STEPS=N in the environment: another run, a longer one.
#include <stdlib.h>

#include "tests/host/store_help.h"
#include "tests/host/tap.h"

#define KEYS 400
#define SNAPSHOTS 6
#define STEPS 1500

struct entry {
    struct store_key key;
    uint64_t seed;
    uint32_t size;
    bool there;
};

struct contents {
    struct entry entries[KEYS]; // keys are in order
};

struct run {
    struct store_help help;
    struct store_tx *tx;
    uint64_t random;
    struct contents now, committed, snapshot[SNAPSHOTS];
    uint64_t ids[SNAPSHOTS]; // 0: none
    uint64_t taken;
    unsigned largest; // value
    unsigned full;    // how often there was no room
    bool failed;
    uint8_t value[STORE_VALUE_MAX], got[STORE_VALUE_MAX];
};

static unsigned pick(struct run *run, unsigned below)
{
    return (unsigned)(store_help_random(&run->random) % below);
}

// Keys that differ in one part only, and are in order.
static void set_keys(struct contents *contents)
{
    for (unsigned i = 0; i < KEYS; i++) {
        contents->entries[i].key = (struct store_key){
            .object = 1 + i / 40,
            .type = (uint8_t)(i / 8 % 5 * 50),
            .offset = (uint64_t)(i % 8) << 60 | i,
        };
    }
}

#define DEMAND(run, condition)                                                 \
    do {                                                                       \
        if (!(condition)) {                                                    \
            (run)->failed = true;                                              \
            host_test_fail(__FILE__, __LINE__, "failed: %s", #condition);      \
            return;                                                            \
        }                                                                      \
    } while (0)

// ------------------------------------------------------------------- Compare

struct scanning {
    struct run *run;
    const struct contents *contents;
    unsigned at;
    bool same;
};

static int compare(void *arg, const struct store_key *key, const void *value,
                   size_t size)
{
    struct scanning *scanning = arg;
    const struct entry *entry;

    do {
        if (scanning->at == KEYS) {
            scanning->same = false;
            return 1;
        }
        entry = &scanning->contents->entries[scanning->at++];
    } while (!entry->there);
    store_help_fill(scanning->run->got, entry->size, entry->seed);
    scanning->same = entry->key.object == key->object &&
                     entry->key.type == key->type &&
                     entry->key.offset == key->offset && entry->size == size &&
                     memcmp(scanning->run->got, value, size) == 0;
    return scanning->same ? 0 : 1;
}

static void compare_view(struct run *run, struct store_view *view,
                         const struct contents *contents)
{
    const struct store_key first = {0, 0, 0};
    const struct store_key last = {UINT64_MAX, UINT64_MAX, UINT8_MAX};
    struct scanning scanning = {run, contents, 0, true};

    DEMAND(run, store_view_scan(view, &first, &last, compare, &scanning) == 0);
    DEMAND(run, scanning.same);
    for (; scanning.at < KEYS; scanning.at++) {
        DEMAND(run, !contents->entries[scanning.at].there);
    }
}

// One key by itself, there or not.
static void compare_one(struct run *run, const struct contents *contents)
{
    const struct entry *entry = &contents->entries[pick(run, KEYS)];
    size_t size = 0;
    int result = store_get(run->help.store, &entry->key, run->value,
                           STORE_VALUE_MAX, &size);

    DEMAND(run, result == (entry->there ? 0 : -ENOENT));
    if (entry->there) {
        store_help_fill(run->got, entry->size, entry->seed);
        DEMAND(run,
               size == entry->size && memcmp(run->got, run->value, size) == 0);
    }
}

// Only while nobody writes.
static void compare_all(struct run *run)
{
    struct store_view view;
    struct store_check check;
    struct store_stats stats;
    uint64_t items = 0, snapshots = 0;

    DEMAND(run, store_help_check(run->help.store, &check));
    store_stats(run->help.store, &stats);
    for (unsigned i = 0; i < KEYS; i++) {
        items += run->committed.entries[i].there;
    }
    DEMAND(run, stats.items == items && check.items == items);
    DEMAND(run, check.used == stats.used);
    DEMAND(run, stats.used + stats.pending + stats.free == stats.blocks);
    DEMAND(run, store_view_begin(run->help.store, 0, &view) == 0);
    compare_view(run, &view, &run->committed);
    store_view_end(&view);
    for (unsigned i = 0; i < SNAPSHOTS; i++) {
        if (run->ids[i] != 0) {
            DEMAND(run,
                   store_view_begin(run->help.store, run->ids[i], &view) == 0);
            compare_view(run, &view, &run->snapshot[i]);
            store_view_end(&view);
            snapshots++;
        }
    }
    DEMAND(run, stats.snapshots == snapshots && check.snapshots == snapshots);
}

// --------------------------------------------------------------------- Steps

static void begin(struct run *run)
{
    if (run->tx == NULL) {
        DEMAND(run, store_begin(run->help.store, &run->tx) == 0);
    }
}

static void put(struct run *run)
{
    struct entry *entry = &run->now.entries[pick(run, KEYS)];
    uint32_t size = pick(run, 4) == 0 ? pick(run, run->largest + 1)
                                      : pick(run, run->largest / 8 + 1);
    uint64_t seed = store_help_random(&run->random);

    if (entry->there && pick(run, 3) == 0) {
        size = entry->size;
    }
    begin(run);
    store_help_fill(run->value, size, seed);
    int result = store_tx_put(run->tx, &entry->key, run->value, size);
    DEMAND(run, result == 0 || result == -ENOSPC);
    if (result == 0) {
        entry->there = true;
        entry->size = size;
        entry->seed = seed;
    }
    run->full += result != 0;
}

static void del(struct run *run)
{
    struct entry *entry = &run->now.entries[pick(run, KEYS)];

    begin(run);
    int result = store_tx_del(run->tx, &entry->key);
    if (entry->there) {
        DEMAND(run, result == 0 || result == -ENOSPC);
        entry->there = result != 0;
    } else {
        DEMAND(run, result == -ENOENT);
    }
}

static void get_own(struct run *run)
{
    const struct entry *entry = &run->now.entries[pick(run, KEYS)];
    size_t size = 0;

    begin(run);
    int result =
        store_tx_get(run->tx, &entry->key, run->value, STORE_VALUE_MAX, &size);
    DEMAND(run, result == (entry->there ? 0 : -ENOENT));
    if (entry->there) {
        store_help_fill(run->got, entry->size, entry->seed);
        DEMAND(run,
               size == entry->size && memcmp(run->got, run->value, size) == 0);
    }
}

static void finish(struct run *run)
{
    if (run->tx == NULL) {
        return;
    }
    if (pick(run, 4) == 0) {
        store_abort(run->tx);
        run->now = run->committed;
    } else {
        DEMAND(run, store_commit(run->tx) == 0);
        run->committed = run->now;
    }
    run->tx = NULL;
    compare_all(run);
}

static void take(struct run *run)
{
    unsigned i = pick(run, SNAPSHOTS);
    char name[32];
    uint64_t id, found;

    finish(run);
    if (run->failed || run->ids[i] != 0) {
        return;
    }
    snprintf(name, sizeof(name), "snapshot %llu",
             (unsigned long long)run->taken);
    int result = store_snapshot_take(run->help.store, name, &id);
    DEMAND(run, result == 0 || result == -ENOSPC);
    if (result == 0) {
        DEMAND(run, id > run->taken);
        DEMAND(run, store_snapshot_find(run->help.store, name, &found) == 0 &&
                        found == id);
        DEMAND(run,
               store_snapshot_take(run->help.store, name, &found) == -EEXIST);
        run->taken = id;
        run->ids[i] = id;
        run->snapshot[i] = run->committed;
    }
    compare_all(run);
}

static void drop(struct run *run)
{
    unsigned i = pick(run, SNAPSHOTS);

    finish(run);
    if (run->failed || run->ids[i] == 0) {
        return;
    }
    int result = store_snapshot_drop(run->help.store, run->ids[i]);
    DEMAND(run, result == 0 || result == -ENOSPC);
    if (result == 0) {
        DEMAND(run,
               store_snapshot_drop(run->help.store, run->ids[i]) == -ENOENT);
        run->ids[i] = 0;
    }
    compare_all(run);
}

static void remount(struct run *run)
{
    unsigned flags = pick(run, 2) == 0 ? STORE_VERIFY_ALWAYS : STORE_RECHECK;
    flags |= pick(run, 2) == 0 ? STORE_READ_MAPPED : 0;

    finish(run);
    if (!run->failed) {
        DEMAND(run, store_help_remount(&run->help, flags) == 0);
        compare_all(run);
    }
}

// A view that stays open over some steps sees none of them.
static void step(struct run *run);

static void hold_view(struct run *run)
{
    struct contents *before = malloc(sizeof(*before));
    struct store_view view;
    unsigned steps = pick(run, 8);

    *before = run->committed;
    DEMAND(run, store_view_begin(run->help.store, 0, &view) == 0);
    for (unsigned i = 0; i < steps && !run->failed; i++) {
        step(run);
    }
    compare_view(run, &view, before);
    store_view_end(&view);
    free(before);
}

static void step(struct run *run)
{
    unsigned what = pick(run, 100);

    if (what < 48) {
        put(run);
    } else if (what < 72) {
        del(run);
    } else if (what < 80) {
        get_own(run);
    } else if (what < 88) {
        compare_one(run, &run->committed);
    } else if (what < 95) {
        finish(run);
    } else if (what < 97) {
        take(run);
    } else {
        drop(run);
    }
}

static void try(unsigned blocks, unsigned largest)
{
    const char *seed = getenv("STORE_SEED");
    const char *steps = getenv("STORE_STEPS");
    unsigned count = steps != NULL ? (unsigned)strtoul(steps, NULL, 0) : STEPS;
    struct run *run = calloc(1, sizeof(*run));

    run->random = seed != NULL ? strtoull(seed, NULL, 0) : blocks + largest;
    run->largest = largest;
    printf("# STORE_SEED=%llu STORE_STEPS=%u\n",
           (unsigned long long)run->random, count);
    set_keys(&run->now);
    run->committed = run->now;
    store_help_make(&run->help, blocks, STORE_RECHECK);
    for (unsigned i = 0; i < count && !run->failed; i++) {
        unsigned what = pick(run, 100);
        if (what == 0) {
            remount(run);
        } else if (what < 3) {
            hold_view(run);
        } else {
            step(run);
        }
        if (run->failed) {
            printf("# at step %u\n", i);
        }
    }
    if (!run->failed) {
        finish(run);
        printf("# %u times no room\n", run->full);
        store_help_end(&run->help);
    }
    free(run);
}

HOST_TEST(tiny_and_full)
{
    try(16, 2000);
}

HOST_TEST(small_and_full)
{
    try(24, STORE_VALUE_MAX);
}

HOST_TEST(a_few_levels)
{
    try(64, 1200);
}

HOST_TEST(large_values)
{
    try(400, STORE_VALUE_MAX);
}

HOST_TEST(small_values)
{
    try(64, 100);
}
