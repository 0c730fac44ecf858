// SPDX-License-Identifier: MIT
//
// Deleting an item: a leaf that becomes empty goes, one that becomes small
// takes in a sibling if both fill no more than two thirds, and so on upwards.
// No block is allocated for that: the node that was changed takes in the other.
#include "apps/store/search.h"

#define SMALL(whole) ((whole) / 3)
#define FITS(whole) (2 * ((whole) / 3))

static uint32_t fill_of(const struct store_node *node)
{
    return node->level == 0
               ? leaf_used(node)
               : node->count * (uint32_t)sizeof(struct store_inner_item);
}

// Let go of a node that its parent does not name any more; `record` counts if
// it is the transaction's own.
static void drop_node(struct store_tx *tx, const struct store_ref *ref,
                      uint32_t record)
{
    if (ref->generation == tx->state.generation) {
        store_alloc_release(tx, record);
    } else {
        store_alloc_let_go(tx, ref);
    }
}

// Take the sibling at an index of the parent in. False: it does not fit, or
// cannot be read. A merge that fails half-way breaks the transaction.
static bool merge(struct store_path *path, unsigned level, uint32_t other)
{
    struct store_edit *edit = &path->edit[level];
    struct store_edit *parent = &path->edit[level + 1];
    struct store_tx *tx = edit->tx;
    uint32_t at = path->index[level + 1];
    struct store_ref ref;

    inner_child(&inner_items(parent->node)[other], level + 1, &ref);
    const struct store_node *sibling =
        node_open(tx->store, &ref, tx->state.generation);
    if (sibling == NULL) {
        return false;
    }
    uint32_t record = store_alloc_record(tx, sibling);
    bool own = ref.generation == tx->state.generation;
    if (fill_of(sibling) + fill_of(edit->node) > FITS(STORE_ITEMS_SIZE) ||
        sibling->count == 0 || (own && record == RECORD_ALIVE)) {
        node_close(tx->store, sibling);
        return false;
    }
    if (level > 0) {
        store_inner_merge(edit, sibling, other < at);
    } else if (store_leaf_merge(edit, sibling, other < at) != 0) {
        tx->broken = true;
    }
    node_close(tx->store, sibling);
    drop_node(tx, &ref, record);
    if (other < at) {
        inner_child(&inner_items(parent->node)[at], level + 1, &ref);
        store_inner_set_child(parent, other, &ref);
    }
    store_inner_remove(parent, MAX(at, other));
    return true;
}

// See to the node at `level`, which has lost an item; false: its parent has
// not. The parent is open.
static bool mend(struct store_path *path, unsigned level)
{
    struct store_edit *edit = &path->edit[level];
    struct store_edit *parent = &path->edit[level + 1];
    uint32_t at = path->index[level + 1];

    if (edit->node->count == 0) {
        store_path_close_below(path, level + 1);
        store_alloc_release(edit->tx, edit->record);
        store_inner_remove(parent, at);
        return true;
    }
    if (fill_of(edit->node) >= SMALL(STORE_ITEMS_SIZE) ||
        store_alloc_expect_free(edit->tx, 1) != 0) {
        return false;
    }
    return (at + 1 < parent->node->count && merge(path, level, at + 1)) ||
           (at > 0 && merge(path, level, at - 1));
}

// A root with one child is none. The root's path is open and its own.
static void lower_root(struct store_path *path)
{
    struct store_edit *edit = &path->edit[path->top];
    struct store_tx *tx = edit->tx;
    struct store_ref *root = &tx->state.root;
    uint32_t record = edit->record;
    bool last = edit->node->count == 0;
    bool one = edit->node->count == 1 && root->level > 0;
    struct store_ref child = {0};

    if (one) {
        inner_child(inner_items(edit->node), root->level, &child);
    }
    store_path_close(path);
    while (one || last) {
        drop_node(tx, root, record);
        *root = child;
        if (last || root->level == 0) {
            break;
        }
        const struct store_node *node =
            store_alloc_expect_free(tx, 1) != 0
                ? NULL
                : node_open(tx->store, root, tx->state.generation);
        if (node == NULL) {
            break; // as good a root as any
        }
        record = store_alloc_record(tx, node);
        one = node->count == 1 && (root->generation != tx->state.generation ||
                                   record != RECORD_ALIVE);
        inner_child(inner_items(node), root->level, &child);
        node_close(tx->store, node);
    }
}

int store_tree_del(struct store_tx *tx, const struct store_key *key)
{
    struct store_path path;
    int result = tx->state.root.block == 0
                     ? -ENOENT
                     : store_path_open(tx, &path, key, false);

    if (result != 0) {
        return result;
    }
    struct store_edit *leaf = &path.edit[0];
    uint32_t count = leaf->node->count;
    uint32_t at =
        leaf_count_is_sane(count) ? leaf_find(leaf->node, count, key) : count;
    if (at >= count || !leaf_item_is(&leaf_items(leaf->node)[at], key)) {
        store_path_close(&path);
        return -EUCLEAN; // the caller saw it
    }
    result = store_leaf_remove(leaf, at);
    if (result != 0) {
        store_path_close(&path);
        return result;
    }
    unsigned level = 0;
    while (level < path.top && mend(&path, level)) {
        store_path_close_below(&path, ++level);
    }
    if (level < path.top) {
        store_path_close(&path);
    } else {
        lower_root(&path);
    }
    return tx->broken ? -EUCLEAN : 0;
}
