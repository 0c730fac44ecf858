// SPDX-License-Identifier: MIT
//
// Dropping a snapshot: its blocks that neither the one before it nor the tree
// after it has are free with the commit.
//
// A block that was written after the snapshot before was taken is not in that
// one. One that the tree after it has is found by walking that tree: where a
// node is from the snapshot's time or older, all below it is, too, and is the
// snapshot's as well; so the walk ends there, and so does the one that frees.
#include "apps/store/search.h"

// The snapshot, and those beside it; an id of 0: there is none.
struct neighbours {
    struct store *store;
    uint64_t id, before, after; // before: its generation
    struct store_snapshot_record record, next;
};

static int look(void *arg, const struct store_key *key, const void *value,
                size_t size)
{
    struct neighbours *found = arg;
    struct store_snapshot_record record;

    if (!store_snapshot_parse(found->store, value, size, &record)) {
        return -EUCLEAN;
    }
    if (key->offset < found->id) {
        found->before = record.generation;
    } else if (key->offset == found->id) {
        found->record = record;
    } else {
        found->after = key->offset;
        found->next = record;
        return 1;
    }
    return 0;
}

static bool mark_kept(struct store_walk *walk, const struct store_ref *ref)
{
    if (ref->generation > walk->ceiling) {
        return true;
    }
    bits_set(walk->store->marks, ref->block);
    return false;
}

static bool free_unkept(struct store_walk *walk, const struct store_ref *ref)
{
    struct store_tx *tx = &walk->store->tx;

    if (ref->generation <= walk->floor ||
        bits_get(walk->store->marks, ref->block)) {
        return false;
    }
    if (store_alloc_expect_free(tx, 1) != 0) {
        walk->problem.error = -ENOMEM;
        return false;
    }
    // Once is enough, should a damaged tree name it twice.
    bits_set(walk->store->marks, ref->block);
    store_alloc_free(tx, ref->block);
    return true;
}

static int free_blocks(struct store_tx *tx, const struct neighbours *found)
{
    struct store *store = tx->store;
    struct store_ref mine, next = tx->state.root;
    struct store_walk walk = {
        .store = store,
        .own = tx->state.generation,
        .visit = mark_kept,
        .floor = found->before,
        .ceiling = found->record.generation,
    };

    if (found->after != 0) {
        store_snapshot_root(&found->next, &next);
    }
    store_snapshot_root(&found->record, &mine);
    memset(store->marks, 0, bits_size(store->blocks));
    store_walk_tree(&walk, &next);
    if (walk.problem.error != 0) {
        return walk.problem.error;
    }
    walk.visit = free_unkept;
    store_walk_tree(&walk, &mine);
    return walk.problem.error;
}

static int drop(struct store_tx *tx, uint64_t id)
{
    const struct store_key key = {STORE_OWN_OBJECT, id, STORE_OWN_SNAPSHOT};
    struct neighbours found = {.store = tx->store, .id = id};
    int result = store_snapshot_scan(tx->store, &tx->state.root,
                                     tx->state.generation, look, &found);

    if (result < 0) {
        return result;
    }
    if (found.record.generation == 0) {
        return -ENOENT;
    }
    tx->reserve = 0;
    tx->changed = true;
    result = store_tree_del(tx, &key);
    if (result == 0) {
        result = free_blocks(tx, &found);
    }
    if (found.after == 0) {
        tx->state.newest = found.before;
    }
    tx->state.snapshots--;
    return result;
}

int store_snapshot_drop(struct store *store, uint64_t id)
{
    struct store_tx *tx;
    int result = store_begin(store, &tx);

    if (result != 0) {
        return result;
    }
    result = drop(tx, id);
    if (result != 0) {
        store_abort(tx);
        return result;
    }
    return store_commit(tx);
}
