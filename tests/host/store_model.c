// SPDX-License-Identifier: MIT
//
// The model of a store, and its workload.

#include "tests/host/store_model.h"

#include <stdio.h>
#include <string.h>

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 32) * 0xd6e8feb86659fd93ull;
    x = (x ^ x >> 32) * 0xd6e8feb86659fd93ull;
    return x ^ x >> 32;
}

// Neighbours in each of a key's parts.
struct store_key store_model_key(unsigned key)
{
    return (struct store_key){.object = 1 + key / 16 * 0x100000001ull,
                              .type = (uint8_t)(1 + key / 4 % 4 * 60),
                              .offset = key % 4 * 0x4000000000001000ull};
}

// Most are short, some of them empty; a few are as long as can be.
static size_t value_size(uint64_t random)
{
    switch (random % 32) {
    case 0:
        return 0;
    case 1:
        return STORE_VALUE_MAX - random / 64 % 2;
    case 2 ... 9:
        return random / 64 % 3000;
    default:
        return random / 64 % 200;
    }
}

size_t store_model_value(unsigned key, unsigned version, uint8_t *value)
{
    uint64_t random = mix((uint64_t)version << 32 | key);
    size_t size = value_size(random);

    for (size_t i = 0; i < size; i++) {
        value[i] = (uint8_t)(mix(random + i / 8) >> (8 * (i % 8)));
    }
    return size;
}

// ---------------------------------------------------------------- Comparison

struct comparison {
    const uint16_t *versions;
    unsigned key; // the next
    const char *wrong;
};

static void skip_absent(struct comparison *comparison)
{
    while (comparison->key < MODEL_KEYS &&
           comparison->versions[comparison->key] == 0) {
        comparison->key++;
    }
}

static int compare_item(void *arg, const struct store_key *key,
                        const void *value, size_t size)
{
    static uint8_t want_value[STORE_VALUE_MAX];
    struct comparison *comparison = arg;
    unsigned n = comparison->key;

    if (n == MODEL_KEYS) {
        comparison->wrong = "an item too many";
        return 1;
    }
    struct store_key want = store_model_key(n);
    size_t want_size =
        store_model_value(n, comparison->versions[n], want_value);
    if (key->object != want.object || key->type != want.type ||
        key->offset != want.offset) {
        comparison->wrong = "another key";
    } else if (size != want_size || memcmp(value, want_value, size) != 0) {
        comparison->wrong = "another value";
    }
    comparison->key++;
    skip_absent(comparison);
    return comparison->wrong != NULL;
}

// Also by store_view_get(), which goes down another way.
static const char *compare_get(struct store_view *view, unsigned n,
                               unsigned version, int *error)
{
    static uint8_t got[STORE_VALUE_MAX], want[STORE_VALUE_MAX];
    struct store_key key = store_model_key(n);
    size_t size = 0, want_size = store_model_value(n, version, want);
    int answer = store_view_get(view, &key, got, sizeof(got), &size);

    if (answer != 0 && answer != -ENOENT) {
        *error = answer;
        return "a get fails";
    }
    if ((answer == 0) != (version != 0)) {
        return "a get finds too much or too little";
    }
    return answer == 0 && (size != want_size || memcmp(got, want, size) != 0)
               ? "a get finds another value"
               : NULL;
}

static const char *compare_tree(struct store *store, uint64_t snapshot,
                                const uint16_t *versions, int *error)
{
    static const struct store_key first, last = {~0ull - 1, ~0ull, 255};
    struct comparison comparison = {versions, 0, NULL};
    struct store_view view;

    *error = store_view_begin(store, snapshot, &view);
    if (*error != 0) {
        return "a view does not begin";
    }
    skip_absent(&comparison);
    int answer =
        store_view_scan(&view, &first, &last, compare_item, &comparison);
    if (comparison.wrong == NULL && answer != 0) {
        *error = answer;
        comparison.wrong = "a scan fails";
    } else if (comparison.wrong == NULL && comparison.key < MODEL_KEYS) {
        comparison.wrong = "an item is not there";
    }
    for (unsigned i = 0; i < MODEL_KEYS && comparison.wrong == NULL; i++) {
        comparison.wrong = compare_get(&view, i, versions[i], error);
    }
    store_view_end(&view);
    return comparison.wrong;
}

struct snapshot_list {
    unsigned count;
    uint64_t ids[MODEL_SNAPSHOTS + 1];
};

static int list_snapshot(void *arg, const struct store_snapshot *snapshot)
{
    struct snapshot_list *list = arg;
    char name[STORE_NAME_MAX + 1];

    snprintf(name, sizeof(name), "snapshot-%lu", (unsigned long)snapshot->id);
    list->ids[list->count++] = snapshot->id;
    return list->count > MODEL_SNAPSHOTS || strcmp(name, snapshot->name) != 0;
}

const char *store_model_compare(struct store *store,
                                const struct store_model *model, int *error)
{
    struct snapshot_list list = {0};
    const char *wrong = compare_tree(store, 0, model->versions, error);

    if (wrong != NULL) {
        return wrong;
    }
    int answer = store_snapshots(store, list_snapshot, &list);
    if (answer < 0) {
        *error = answer;
        return "the snapshots cannot be listed";
    }
    if (answer != 0 || list.count != model->snapshots) {
        return "other snapshots";
    }
    for (unsigned i = 0; i < list.count; i++) {
        if (list.ids[i] != model->snapshot[i].id) {
            return "another snapshot";
        }
        wrong = compare_tree(store, list.ids[i], model->snapshot[i].versions,
                             error);
        if (wrong != NULL) {
            return wrong;
        }
    }
    return NULL;
}

// ------------------------------------------------------------------ Workload

static uint64_t below(struct store_workload *workload, uint64_t limit)
{
    workload->random = workload->random * 6364136223846793005ull + 1;
    return mix(workload->random) % limit;
}

static void note(struct store_workload *workload, enum store_event event)
{
    if (event == STORE_ACKNOWLEDGED) {
        workload->model = workload->next;
    }
    if (workload->note != NULL) {
        workload->note(workload->arg, event);
    }
}

bool store_workload_begin(struct store_workload *workload, uint64_t seed)
{
    uint8_t uuid[STORE_UUID_SIZE] = "model of ";

    memcpy(uuid + 8, &seed, sizeof(seed));
    workload->random = seed;
    workload->snapshots_taken = 0;
    memset(&workload->next, 0, sizeof(workload->next));
    note(workload, STORE_COMMITS);
    if (store_format(workload->first, workload->bytes, uuid, true) != 0) {
        return false;
    }
    note(workload, STORE_ACKNOWLEDGED);
    return store_mount(workload->first, workload->bytes, 0, &workload->store,
                       NULL) == 0;
}

static int change(struct store_workload *workload, struct store_tx *tx)
{
    static uint8_t value[STORE_VALUE_MAX];
    unsigned n = (unsigned)below(workload, MODEL_KEYS);
    struct store_key key = store_model_key(n);
    uint16_t *version = &workload->next.versions[n];
    int answer;

    if (*version != 0 && below(workload, 3) == 0) {
        answer = store_tx_del(tx, &key);
        *version = answer == 0 ? 0 : *version;
        return answer;
    }
    size_t size = store_model_value(n, ++workload->version, value);
    answer = store_tx_put(tx, &key, value, size);
    *version = answer == 0 ? workload->version : *version;
    return answer;
}

static bool transaction(struct store_workload *workload)
{
    uint64_t changes = 1 + below(workload, 5);
    bool abort = workload->abort_one_in > 0 &&
                 below(workload, workload->abort_one_in) == 0;
    struct store_tx *tx;
    int answer = 0;

    if (store_begin(workload->store, &tx) != 0) {
        return false;
    }
    for (uint64_t i = 0; i < changes && answer == 0; i++) {
        answer = change(workload, tx);
    }
    if (answer != 0 || abort) {
        note(workload, STORE_ABORTS);
        store_abort(tx);
        workload->full += answer == -ENOSPC;
        return answer == 0 || answer == -ENOSPC;
    }
    note(workload, STORE_COMMITS);
    if (store_commit(tx) != 0) {
        return false;
    }
    note(workload, STORE_ACKNOWLEDGED);
    return true;
}

static bool take_snapshot(struct store_workload *workload)
{
    struct store_model *next = &workload->next;
    struct store_model_snapshot *snapshot = &next->snapshot[next->snapshots++];
    // As the store counts: this test sees whether it does.
    static char name[STORE_NAME_MAX + 1];
    uint64_t id;

    snapshot->id = ++workload->snapshots_taken;
    memcpy(snapshot->versions, next->versions, sizeof(snapshot->versions));
    snprintf(name, sizeof(name), "snapshot-%lu", (unsigned long)snapshot->id);
    note(workload, STORE_COMMITS);
    int answer = store_snapshot_take(workload->store, name, &id);
    if (answer == -ENOSPC) {
        workload->full++;
        workload->snapshots_taken--;
        return true;
    }
    if (answer != 0 || id != snapshot->id) {
        return false;
    }
    note(workload, STORE_ACKNOWLEDGED);
    return true;
}

static bool drop_snapshot(struct store_workload *workload)
{
    struct store_model *next = &workload->next;
    unsigned n = (unsigned)below(workload, next->snapshots);
    uint64_t id = next->snapshot[n].id;

    next->snapshots--;
    memmove(&next->snapshot[n], &next->snapshot[n + 1],
            (next->snapshots - n) * sizeof(next->snapshot[0]));
    note(workload, STORE_COMMITS);
    int answer = store_snapshot_drop(workload->store, id);
    if (answer == -ENOSPC) {
        workload->full++;
        return true;
    }
    if (answer != 0) {
        return false;
    }
    note(workload, STORE_ACKNOWLEDGED);
    return true;
}

static bool mount_anew(struct store_workload *workload)
{
    return store_unmount(workload->store) == 0 &&
           store_mount(workload->first, workload->bytes, 0, &workload->store,
                       NULL) == 0;
}

bool store_workload_step(struct store_workload *workload)
{
    workload->next = workload->model;
    switch (below(workload, 16)) {
    case 0:
    case 1:
        return workload->model.snapshots < MODEL_SNAPSHOTS
                   ? take_snapshot(workload)
                   : drop_snapshot(workload);
    case 2:
        return workload->model.snapshots > 0 ? drop_snapshot(workload)
                                             : transaction(workload);
    case 3:
        return workload->stays_mounted || mount_anew(workload);
    default:
        return transaction(workload);
    }
}

bool store_workload_end(struct store_workload *workload)
{
    return store_unmount(workload->store) == 0;
}
