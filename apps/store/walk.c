// SPDX-License-Identifier: MIT
//
// Walking all nodes of a tree by its inner nodes alone: leaves are named by
// their parents. This is how mounting finds out which blocks are used, and how
// it is found which blocks only a snapshot has.
#include "apps/store/search.h"

static void damage(struct store_walk *walk, const struct store_ref *ref)
{
    if (walk->problem.error == 0) {
        walk->problem = (struct store_problem){
            .error = -EUCLEAN,
            .block = ref->block,
            .text = "an inner node is damaged; check says more",
        };
    }
}

// As deep as the tree is high: the level falls with each call.
void store_walk_tree(struct store_walk *walk, const struct store_ref *root)
{
    struct store *store = walk->store;

    if (root->block == 0) {
        return;
    }
    if (root->block >= store->blocks) {
        damage(walk, root);
        return;
    }
    if (!walk->visit(walk, root) || root->level == 0) {
        return;
    }
    const struct store_node *node = node_open(store, root, walk->own);
    if (node == NULL) {
        damage(walk, root);
        return;
    }
    uint32_t count = MIN(node->count, STORE_INNER_MAX);
    for (uint32_t i = 0; i < count; i++) {
        struct store_ref child;
        inner_child(&inner_items(node)[i], root->level, &child);
        store_walk_tree(walk, &child);
    }
    node_close(store, node);
}
