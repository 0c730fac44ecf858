// SPDX-License-Identifier: MIT
//
// Reading a tree: one bracket for each level, none of them for writing, or none
// at all where the store is mapped; and no copy of a block. The root's bracket,
// if the caller has it open, makes the others nested ones, which change no
// right.
#include "apps/store/search.h"

// The leaf where a key is, if it is anywhere; mapped, unless it is `top`, the
// root, which is. NULL: damage.
static inline __attribute__((always_inline)) const struct store_node *
find_leaf(struct store *store, const struct store_ref *root,
          const struct store_node *top, uint64_t own,
          const struct store_key *key, bool mapped)
{
    struct store_ref ref = *root;
    const struct store_node *node = top;

    while (likely(node != NULL) && ref.level > 0) {
        uint32_t count = node->count;
        bool sane = inner_count_is_sane(count);
        if (likely(sane)) {
            inner_child(inner_find(node, count, key), ref.level, &ref);
        }
        if (node != top) {
            node_close_in_line(node, mapped);
        }
        node =
            likely(sane) ? node_open_in_line(store, &ref, own, mapped) : NULL;
    }
    return node;
}

static inline __attribute__((always_inline)) int
copy_value(const struct store_node *leaf, const struct store_key *key,
           void *value, size_t room, size_t *size)
{
    uint32_t count = leaf->count, length;

    if (unlikely(!leaf_count_is_sane(count))) {
        return -EUCLEAN;
    }
    const struct store_leaf_item *item = leaf_find_item(leaf, count, key);
    if (item == NULL) {
        return -ENOENT;
    }
    const uint8_t *from = leaf_value(leaf, item, &length);
    if (unlikely(from == NULL)) {
        return -EUCLEAN;
    }
    *size = length;
    if (length > room) {
        return -ERANGE;
    }
    if (length > 0) { // NULL has room for none
        memcpy(value, from, length);
    }
    return 0;
}

static inline __attribute__((always_inline)) int
get(struct store *store, const struct store_ref *root,
    const struct store_node *top, uint64_t own, const struct store_key *key,
    void *value, size_t room, size_t *size, bool mapped)
{
    const struct store_node *leaf =
        find_leaf(store, root, top, own, key, mapped);

    if (unlikely(leaf == NULL)) {
        return -EUCLEAN;
    }
    int result = copy_value(leaf, key, value, room, size);
    if (leaf != top) {
        node_close_in_line(leaf, mapped);
    }
    return result;
}

static __noinline int get_mapped(struct store *store,
                                 const struct store_ref *root,
                                 const struct store_node *top, uint64_t own,
                                 const struct store_key *key, void *value,
                                 size_t room, size_t *size)
{
    return get(store, root, top, own, key, value, room, size, true);
}

// From a root that the caller has not mapped.
static __noinline int get_from(struct store *store,
                               const struct store_ref *root, uint64_t own,
                               const struct store_key *key, void *value,
                               size_t room, size_t *size)
{
    if (root->block == 0) {
        return -ENOENT;
    }
    const struct store_node *top = node_open(store, root, own);
    if (top == NULL) {
        return -EUCLEAN;
    }
    int result = store_tree_get(store, root, top, own, key, value, room, size);
    node_close(store, top);
    return result;
}

// Made twice, because a get is so short that to ask at each level whether the
// store is mapped is much of it.
int store_tree_get(struct store *store, const struct store_ref *root,
                   const struct store_node *top, uint64_t own,
                   const struct store_key *key, void *value, size_t room,
                   size_t *size)
{
    if (unlikely(top == NULL)) {
        return get_from(store, root, own, key, value, room, size);
    }
    if (store->mapped != NULL) {
        return get_mapped(store, root, top, own, key, value, room, size);
    }
    return get(store, root, top, own, key, value, room, size, false);
}

// ---------------------------------------------------------------------- Scans

// Where a scan is: the nodes from the root to the leaf, all mapped, and in each
// the next item.
struct scan {
    struct store *store;
    const struct store_key *from, *to;
    uint64_t own;
    const struct store_node *node[STORE_LEVELS], *top;
    uint32_t at[STORE_LEVELS], root_level;
};

static void scan_leave(struct scan *scan, uint32_t level)
{
    if (scan->node[level] != scan->top) {
        node_close(scan->store, scan->node[level]);
    }
}

static int scan_enter(struct scan *scan, const struct store_ref *ref)
{
    const struct store_node *node =
        ref->level == scan->root_level && scan->top != NULL
            ? scan->top
            : node_open(scan->store, ref, scan->own);

    if (node == NULL) {
        return -EUCLEAN;
    }
    uint32_t count = node->count;
    scan->node[ref->level] = node;
    if (!(ref->level == 0 ? leaf_count_is_sane(count)
                          : inner_count_is_sane(count))) {
        scan_leave(scan, ref->level);
        return -EUCLEAN;
    }
    scan->at[ref->level] =
        ref->level == 0 ? leaf_find(node, count, scan->from)
                        : (uint32_t)(inner_find(node, count, scan->from) -
                                     inner_items(node));
    return 0;
}

// What the scan is over with: no more items, or a key above the last one.
#define SCAN_END 1
// A leaf is over with.
#define SCAN_NEXT 2

static int scan_leaf(struct scan *scan, store_scan_fn *fn, void *arg,
                     int *answer)
{
    const struct store_node *node = scan->node[0];
    const struct store_leaf_item *items = leaf_items(node);
    uint32_t count = MIN(node->count, STORE_LEAF_MAX);

    for (uint32_t i = scan->at[0]; i < count; i++) {
        if (KEY_IS_BELOW(scan->to, &items[i])) {
            return SCAN_END;
        }
        struct store_key key = {
            .object = items[i].object,
            .offset = items[i].offset,
            .type = items[i].type,
        };
        uint32_t size;
        const uint8_t *value = leaf_value(node, &items[i], &size);
        if (unlikely(value == NULL)) {
            return -EUCLEAN;
        }
        *answer = fn(arg, &key, value, size);
        if (*answer != 0) {
            return SCAN_END;
        }
    }
    return SCAN_NEXT;
}

// Go to the next leaf: up as far as nodes are over with, then down. What is
// open afterwards begins at *level.
static int scan_next(struct scan *scan, uint32_t *level)
{
    const struct store_inner_item *item;
    struct store_ref ref;

    for (;;) {
        if (scan->at[*level] <
            MIN(scan->node[*level]->count, STORE_INNER_MAX)) {
            item = &inner_items(scan->node[*level])[scan->at[*level]++];
            break;
        }
        if (*level == scan->root_level) {
            return SCAN_END;
        }
        scan_leave(scan, (*level)++);
    }
    if (KEY_IS_BELOW(scan->to, item)) {
        return SCAN_END;
    }
    inner_child(item, *level, &ref);
    int result = scan_enter(scan, &ref);
    if (result == 0) {
        (*level)--;
    }
    return result;
}

int store_tree_scan(struct store *store, const struct store_ref *root,
                    const struct store_node *top, uint64_t own,
                    const struct store_key *from, const struct store_key *to,
                    store_scan_fn *fn, void *arg)
{
    struct scan scan = {.store = store,
                        .from = from,
                        .to = to,
                        .own = own,
                        .top = top,
                        .root_level = root->level};
    uint32_t level = root->level;
    int answer = 0;

    if (root->block == 0) {
        return 0;
    }
    int result = scan_enter(&scan, root);
    if (result != 0) {
        return result;
    }
    while (result == 0) {
        if (level > 0) {
            result = scan_next(&scan, &level);
            continue;
        }
        result = scan_leaf(&scan, fn, arg, &answer);
        if (result == SCAN_NEXT) {
            result = level == root->level ? SCAN_END : 0;
            scan_leave(&scan, level);
            level++;
        }
    }
    for (; level <= root->level; level++) {
        scan_leave(&scan, level);
    }
    return result == SCAN_END ? answer : result;
}
