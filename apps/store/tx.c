// SPDX-License-Identifier: MIT
//
// Transactions: one at a time, whoever holds the writer's lock. What one makes
// is seen by nobody else until the commit.
#include "apps/store/search.h"

int store_begin(struct store *store, struct store_tx **out)
{
    struct store_tx *tx = &store->tx;

    if (store->read_only) {
        return -EROFS;
    }
    mutex_lock(&store->writer);
    if (store->current == STORE_GENERATION_MAX) {
        mutex_unlock(&store->writer);
        return -ERANGE;
    }
    store_alloc_reclaim(store);
    tx->store = store;
    tx->state = *state_current(store);
    tx->state.generation++;
    tx->record_count = 0;
    tx->dead = RECORD_LAST;
    tx->changed = false;
    tx->broken = false;
    *out = tx;
    return 0;
}

int store_tx_put(struct store_tx *tx, const struct store_key *key,
                 const void *value, size_t size)
{
    bool existed;

    if (size > STORE_VALUE_MAX || key_is_own(key)) {
        return -EINVAL;
    }
    tx->reserve = store_alloc_reserve_put(tx->store);
    int result = store_tree_put(tx, key, value, (uint32_t)size, &existed);
    if (result == 0) {
        tx->state.items += !existed;
        tx->changed = true;
    }
    return result;
}

int store_tx_del(struct store_tx *tx, const struct store_key *key)
{
    size_t size;
    int result = store_tx_get(tx, key, NULL, 0, &size);

    if (result != 0 && result != -ERANGE) {
        return result;
    }
    tx->reserve = store_alloc_reserve_del(tx->store);
    result = store_tree_del(tx, key);
    if (result == 0) {
        tx->state.items--;
        tx->changed = true;
    }
    return result;
}

int store_tx_get(struct store_tx *tx, const struct store_key *key, void *value,
                 size_t room, size_t *size)
{
    if (key_is_own(key)) {
        return -EINVAL;
    }
    return store_tree_get(tx->store, &tx->state.root, NULL,
                          tx->state.generation, key, value, room, size);
}

int store_put(struct store *store, const struct store_key *key,
              const void *value, size_t size)
{
    struct store_tx *tx;
    int result = store_begin(store, &tx);

    if (result != 0) {
        return result;
    }
    result = store_tx_put(tx, key, value, size);
    if (result != 0) {
        store_abort(tx);
        return result;
    }
    return store_commit(tx);
}

int store_del(struct store *store, const struct store_key *key)
{
    struct store_tx *tx;
    int result = store_begin(store, &tx);

    if (result != 0) {
        return result;
    }
    result = store_tx_del(tx, key);
    if (result != 0) {
        store_abort(tx);
        return result;
    }
    return store_commit(tx);
}
