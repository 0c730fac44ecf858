// SPDX-License-Identifier: MIT
//
// The way down to a leaf that is to be changed: each node on it becomes the
// transaction's own, by a copy if it is a committed one. After each step the
// tree holds what it held before, so that a failure in the middle loses
// nothing.
#include "apps/store/search.h"

// Copy what counts of a committed node to a new one.
static int copy_node(struct store_edit *edit, const struct store_node *from)
{
    struct store_node *node = edit->node;
    uint32_t count = from->count, start = from->data_start;
    uint32_t end = sizeof(*node);

    if (node->level > 0) {
        end += count * (uint32_t)sizeof(struct store_inner_item);
        start = STORE_BLOCK_SIZE;
    } else {
        end += count * (uint32_t)sizeof(struct store_leaf_item);
    }
    if (unlikely(count == 0 || end > start || start > STORE_BLOCK_SIZE)) {
        return -EUCLEAN;
    }
    memcpy(node + 1, from + 1, end - sizeof(*node));
    if (start < STORE_BLOCK_SIZE) {
        memcpy((uint8_t *)node + start, (const uint8_t *)from + start,
               STORE_BLOCK_SIZE - start);
    }
    node->count = (uint16_t)count;
    if (node->level == 0) {
        node->data_start = (uint16_t)start;
        node->data_bytes = from->data_bytes;
    }
    edit_mark(edit, 0, end);
    edit_mark(edit, start, STORE_BLOCK_SIZE);
    return 0;
}

// A copy of a committed node, mapped; `ref` names the copy then.
static int copy_on_write(struct store_tx *tx, struct store_ref *ref,
                         struct store_edit *edit)
{
    int result = store_alloc_expect_free(tx, 1);

    if (result == 0) {
        result = store_alloc_node(tx, ref->level, edit);
    }
    if (result != 0) {
        return result;
    }
    const struct store_node *from = node_open(tx->store, ref, 0);
    if (from != NULL) {
        result = copy_node(edit, from);
        node_close(tx->store, from);
    }
    if (from == NULL || result != 0) {
        kunmap_local(edit->node);
        store_alloc_release(tx, edit->record);
        return -EUCLEAN;
    }
    store_alloc_let_go(tx, ref);
    ref->block = tx->records[edit->record].block;
    ref->generation = tx->state.generation;
    return 0;
}

// Map a node that is to be changed.
static int edit_open(struct store_tx *tx, struct store_ref *ref,
                     struct store_edit *edit)
{
    if (ref->generation != tx->state.generation) {
        return copy_on_write(tx, ref, edit);
    }
    if (ref->block == 0 || ref->block >= tx->store->blocks) {
        return -EUCLEAN;
    }
    struct store_node *node = kmap_local_range(
        block_page(tx->store, ref->block), 0, STORE_BLOCK_SIZE);
    *edit = (struct store_edit){tx, node, store_alloc_record(tx, node)};
    if (unlikely(edit->record == RECORD_ALIVE || node->block != ref->block ||
                 node->level != ref->level ||
                 node->generation != ref->generation)) {
        kunmap_local(node);
        return -EUCLEAN;
    }
    return 0;
}

void store_path_close_below(struct store_path *path, unsigned level)
{
    for (; path->low < level; path->low++) {
        kunmap_local(path->edit[path->low].node);
    }
}

void store_path_close(struct store_path *path)
{
    store_path_close_below(path, path->top + 1);
}

int store_tree_grow(struct store_tx *tx)
{
    struct store_ref *root = &tx->state.root;
    struct store_edit edit;

    if (root->level + 1 == STORE_LEVELS) {
        return -ENOSPC;
    }
    int result = store_alloc_node(tx, root->level + 1, &edit);
    if (result != 0) {
        return result;
    }
    // A key of 0 is not above any.
    struct store_inner_item item = {.block = root->block,
                                    .generation = root->generation};
    store_inner_insert(&edit, 0, &item);
    root->block = tx->records[edit.record].block;
    root->level++;
    root->generation = tx->state.generation;
    kunmap_local(edit.node);
    return 0;
}

// Make two of a full inner node; its parent has room, or there is none yet.
static int split_inner(struct store_path *path, unsigned level)
{
    struct store_edit *edit = &path->edit[level];
    struct store_edit right;
    uint32_t count = edit->node->count;

    if (level == path->top) {
        return store_tree_grow(edit->tx);
    }
    int result = store_alloc_node(edit->tx, level, &right);
    if (result != 0) {
        return result;
    }
    // Where keys come in order, leave the left one nearly full.
    store_inner_move(edit, path->rightmost ? count - count / 8 : count / 2,
                     &right);
    struct store_inner_item item = inner_items(right.node)[0];
    item.block = edit->tx->records[right.record].block;
    item.generation = edit->tx->state.generation;
    kunmap_local(right.node);
    store_inner_insert(&path->edit[level + 1], path->index[level + 1] + 1,
                       &item);
    return 0;
}

// From the node at `level`, which is open, to its child.
static int path_step(struct store_path *path, unsigned level,
                     const struct store_key *key)
{
    struct store_edit *edit = &path->edit[level];
    struct store_inner_item *items =
        (struct store_inner_item *)(edit->node + 1);
    uint32_t count = edit->node->count;
    struct store_ref ref;

    uint32_t at = (uint32_t)(inner_find(edit->node, count, key) -
                             inner_items(edit->node));
    path->index[level] = at;
    path->rightmost = path->rightmost && at + 1 == count;
    inner_child(&items[at], level, &ref);
    uint32_t before = ref.block;
    int result = edit_open(edit->tx, &ref, &path->edit[level - 1]);
    if (result != 0) {
        return result;
    }
    path->low = level - 1;
    if (ref.block != before) {
        store_inner_set_child(edit, at, &ref);
    }
    if (at == 0 && KEY_IS_BELOW(key, &items[0])) {
        items[0].object = key->object;
        items[0].offset = key->offset;
        items[0].type = key->type;
        edit_mark(edit, sizeof(struct store_node),
                  sizeof(struct store_node) + sizeof(items[0]));
    }
    return 0;
}

int store_path_open(struct store_tx *tx, struct store_path *path,
                    const struct store_key *key, bool grow)
{
    unsigned top = tx->state.root.level;
    int result = edit_open(tx, &tx->state.root, &path->edit[top]);

    if (result != 0) {
        return result;
    }
    path->top = path->low = top;
    path->rightmost = true;
    for (unsigned level = top; level > 0 && result == 0; level--) {
        uint32_t count = path->edit[level].node->count;
        if (unlikely(!inner_count_is_sane(count))) {
            result = -EUCLEAN;
        } else if (unlikely(grow && count == STORE_INNER_MAX)) {
            result = split_inner(path, level);
            result = result == 0 ? TREE_AGAIN : result;
        } else {
            result = path_step(path, level, key);
        }
    }
    if (result != 0) {
        store_path_close(path);
    }
    return result;
}
