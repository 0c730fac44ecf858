// SPDX-License-Identifier: MIT
//
// Putting a value into a leaf, and making two of a leaf that has no room.
#include "apps/store/search.h"

#define ITEM_SIZE ((uint32_t)sizeof(struct store_leaf_item))

// What is put, and at which index of the leaf.
struct put {
    const struct store_key *key;
    const void *value;
    uint32_t size, at;
    bool found;
};

// Of the items with the new one among them: how many go left, so that both
// halves fit and are about as large. The largest item is less than half of a
// leaf, so that there is one.
static uint32_t find_middle(const struct store_node *node,
                            const struct put *put)
{
    const struct store_leaf_item *items = leaf_items(node);
    uint32_t total = leaf_used(node) + ITEM_SIZE + put->size;
    uint32_t left = 0;

    for (uint32_t middle = 0; middle <= node->count; middle++) {
        uint32_t size = ITEM_SIZE;
        if (middle == put->at) {
            size += put->size;
        } else {
            size += items[middle - (middle > put->at)].size;
        }
        if (2 * (left + size) < total) {
            left += size;
            continue;
        }
        // The one in the middle: left or right, where the larger half is less.
        return MAX(left + size, total - left - size) < MAX(left, total - left)
                   ? middle + 1
                   : middle;
    }
    return node->count; // the total is wrong: moving items will find it
}

// Fill the right half, and name it in the parent.
static int fill_right(struct store_path *path, const struct put *put,
                      uint32_t middle, struct store_edit *right)
{
    struct store_edit *edit = &path->edit[0];
    uint32_t stay = put->at < middle ? middle - 1 : middle;
    int result = store_leaf_move(edit, stay, right);

    if (result != 0) {
        return result;
    }
    if (put->at < middle) {
        result =
            store_leaf_insert(edit, put->at, put->key, put->value, put->size);
    } else {
        result = store_leaf_insert(right, put->at - middle, put->key,
                                   put->value, put->size);
    }
    const struct store_leaf_item *first = leaf_items(right->node);
    struct store_inner_item item = {
        .object = first->object,
        .offset = first->offset,
        .type = first->type,
        .block = edit->tx->records[right->record].block,
        .generation = edit->tx->state.generation,
    };
    store_inner_insert(&path->edit[1], path->index[1] + 1, &item);
    return result;
}

// Until the new block is there, nothing is changed; afterwards, nothing fails
// but for damage.
static int split_leaf(struct store_path *path, const struct put *put)
{
    struct store_edit *edit = &path->edit[0];
    struct store_tx *tx = edit->tx;
    struct store_edit right;

    if (path->top == 0) {
        int result = store_tree_grow(tx);
        return result == 0 ? TREE_AGAIN : result;
    }
    int result = store_alloc_node(tx, 0, &right);
    if (result != 0) {
        return result;
    }
    if (put->found) {
        result = store_leaf_remove(edit, put->at);
    }
    if (result == 0) {
        // Where keys come in order, the left one stays full.
        bool append = path->rightmost && put->at == edit->node->count;
        uint32_t middle = append ? put->at : find_middle(edit->node, put);
        result = fill_right(path, put, middle, &right);
    }
    tx->broken = tx->broken || result != 0;
    kunmap_local(right.node);
    return result;
}

static int put_into_leaf(struct store_path *path, struct put *put)
{
    struct store_edit *edit = &path->edit[0];
    uint32_t count = edit->node->count, old = 0;

    if (unlikely(!leaf_count_is_sane(count))) {
        return -EUCLEAN;
    }
    const struct store_leaf_item *items = leaf_items(edit->node);
    put->at = leaf_find(edit->node, count, put->key);
    put->found = put->at < count && leaf_item_is(&items[put->at], put->key);
    if (put->found) {
        if (items[put->at].size == put->size) {
            return store_leaf_overwrite(edit, put->at, put->value);
        }
        old = ITEM_SIZE + items[put->at].size;
    }
    if (leaf_used(edit->node) - old + ITEM_SIZE + put->size >
        STORE_ITEMS_SIZE) {
        return split_leaf(path, put);
    }
    int result = put->found ? store_leaf_remove(edit, put->at) : 0;
    if (result == 0) {
        result =
            store_leaf_insert(edit, put->at, put->key, put->value, put->size);
    }
    edit->tx->broken = edit->tx->broken || result != 0;
    return result;
}

static int put_first(struct store_tx *tx, const struct put *put)
{
    struct store_edit edit;
    int result = store_alloc_node(tx, 0, &edit);

    if (result != 0) {
        return result;
    }
    result = store_leaf_insert(&edit, 0, put->key, put->value, put->size);
    tx->state.root = (struct store_ref){
        .generation = tx->state.generation,
        .block = tx->records[edit.record].block,
    };
    kunmap_local(edit.node);
    return result;
}

int store_tree_put(struct store_tx *tx, const struct store_key *key,
                   const void *value, uint32_t size, bool *existed)
{
    struct put put = {.key = key, .value = value, .size = size};
    struct store_path path;
    int result;

    *existed = false;
    if (tx->state.root.block == 0) {
        return put_first(tx, &put);
    }
    do {
        result = store_path_open(tx, &path, key, true);
        if (result == 0) {
            result = put_into_leaf(&path, &put);
            store_path_close(&path);
        }
    } while (result == TREE_AGAIN);
    *existed = put.found;
    return result;
}
