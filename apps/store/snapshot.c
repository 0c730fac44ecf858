// SPDX-License-Identifier: MIT
//
// Snapshots: records in the head tree, each with the root of a committed
// generation. Taking one copies nothing; it only moves the generation up to
// which blocks stay when the head lets go of them.
#include "apps/store/search.h"
#include "lib/string.h"

bool store_snapshot_parse(const struct store *store, const void *value,
                          size_t size, struct store_snapshot_record *record)
{
    if (size != sizeof(*record)) {
        return false;
    }
    memmove(record, value, sizeof(*record));
    uint32_t length = record->name_length;
    if (length < 1 || length > STORE_NAME_MAX || record->zero != 0 ||
        record->generation == 0 || record->level >= STORE_LEVELS ||
        record->root >= store->blocks ||
        record->root_generation > record->generation ||
        (record->root == 0) != (record->root_generation == 0)) {
        return false;
    }
    for (uint32_t i = 0; i < sizeof(record->name); i++) {
        if ((record->name[i] == 0) != (i >= length)) {
            return false;
        }
    }
    return true;
}

void store_snapshot_root(const struct store_snapshot_record *record,
                         struct store_ref *root)
{
    *root = (struct store_ref){record->root_generation, (uint32_t)record->root,
                               record->level};
}

int store_snapshot_scan(struct store *store, const struct store_ref *root,
                        uint64_t own, store_scan_fn *fn, void *arg)
{
    const struct store_key first = {STORE_OWN_OBJECT, 0, STORE_OWN_SNAPSHOT};
    const struct store_key last = {STORE_OWN_OBJECT, UINT64_MAX,
                                   STORE_OWN_SNAPSHOT};

    return store_tree_scan(store, root, NULL, own, &first, &last, fn, arg);
}

// ----------------------------------------------------------------------- List

struct list {
    struct store *store;
    store_snapshot_fn *fn;
    void *arg;
};

static int list_one(void *arg, const struct store_key *key, const void *value,
                    size_t size)
{
    const struct list *list = arg;
    struct store_snapshot_record record;

    if (!store_snapshot_parse(list->store, value, size, &record)) {
        return -EUCLEAN;
    }
    struct store_snapshot snapshot = {
        .id = key->offset,
        .generation = record.generation,
        .items = record.items,
    };
    memcpy(snapshot.name, record.name, sizeof(snapshot.name));
    return list->fn(list->arg, &snapshot);
}

int store_snapshots(struct store *store, store_snapshot_fn *fn, void *arg)
{
    struct list list = {store, fn, arg};
    struct store_view view;
    int result = store_view_begin(store, 0, &view);

    if (result != 0) {
        return result;
    }
    const struct store_ref root = {view.private_generation, view.private_block,
                                   view.private_level};
    result = store_snapshot_scan(store, &root, 0, list_one, &list);
    store_view_end(&view);
    return result;
}

struct wanted {
    const char *name;
    uint64_t id;
};

static int is_wanted(void *arg, const struct store_snapshot *snapshot)
{
    struct wanted *wanted = arg;

    if (strcmp(snapshot->name, wanted->name) != 0) {
        return 0;
    }
    wanted->id = snapshot->id;
    return 1;
}

int store_snapshot_find(struct store *store, const char *name, uint64_t *id)
{
    struct wanted wanted = {name, 0};
    int result = store_snapshots(store, is_wanted, &wanted);

    if (result == 1) {
        *id = wanted.id;
        return 0;
    }
    return result == 0 ? -ENOENT : result;
}

// ----------------------------------------------------------------------- Take

static int take(struct store_tx *tx, const char *name, size_t length)
{
    const struct store_state *now = state_current(tx->store);
    const struct store_key key = {STORE_OWN_OBJECT, tx->state.next_snapshot,
                                  STORE_OWN_SNAPSHOT};
    struct store_snapshot_record record = {
        .generation = now->generation,
        .root = now->root.block,
        .root_generation = now->root.generation,
        .level = now->root.level,
        .name_length = (uint32_t)length,
        .items = now->items,
    };
    bool existed;

    memcpy(record.name, name, length);
    // From here on the snapshot has what the head lets go of.
    tx->state.newest = now->generation;
    tx->reserve = store_alloc_reserve_put(tx->store);
    tx->state.next_snapshot++;
    tx->state.snapshots++;
    tx->changed = true;
    return store_tree_put(tx, &key, &record, sizeof(record), &existed);
}

int store_snapshot_take(struct store *store, const char *name, uint64_t *id)
{
    size_t length = strlen(name);
    struct store_tx *tx;

    if (length < 1 || length > STORE_NAME_MAX) {
        return -EINVAL;
    }
    int result = store_begin(store, &tx);
    if (result != 0) {
        return result;
    }
    // Nobody else can take the name meanwhile.
    result = store_snapshot_find(store, name, id);
    if (tx->state.next_snapshot == UINT64_MAX) {
        result = -ERANGE;
    } else if (result == -ENOENT) {
        *id = tx->state.next_snapshot;
        result = take(tx, name, length);
    } else if (result == 0) {
        result = -EEXIST;
    }
    if (result != 0) {
        store_abort(tx);
        return result;
    }
    return store_commit(tx);
}
