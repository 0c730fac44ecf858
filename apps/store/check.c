// SPDX-License-Identifier: MIT
//
// Reading all that is in use, and comparing all that can be compared: what
// each block says of itself, parents with children, trees with what is counted
// of them, and all trees together with the blocks that count as used.
#include "apps/store/crc32c.h"
#include "apps/store/search.h"

struct check {
    struct store *store;
    struct store_check *out;
    store_report_fn *report;
    void *arg;
    uint64_t *seen, *bad; // blocks, by bits
    // Those of the tree that is walked, and of the tree before it, if that is
    // whole; the latter's generation, or 0.
    uint64_t *here, *before;
    uint64_t before_generation;
};

static void say(struct check *check, uint64_t block, const char *text)
{
    const struct store_problem problem = {-EUCLEAN, block, text};

    check->out->damaged++;
    if (check->report != NULL) {
        check->report(check->arg, &problem);
    }
}

// ----------------------------------------------------------------------- Trees

// A tree that is walked, and what is counted in it.
struct tree {
    struct check *check;
    uint64_t items, snapshots;
};

// Keys that a node may have: from `low`, and below `high` if there is one.
struct bounds {
    const struct store_inner_item *low, *high;
};

// A node that is new is read as if for the first time. False: leave it.
static bool look_at(struct check *check, const struct store_node *node,
                    const struct store_ref *ref)
{
    if (bits_get(check->seen, ref->block)) {
        // Another tree has it too; it may be named there by another right.
        return !bits_get(check->bad, ref->block) &&
               node->generation == ref->generation && node->level == ref->level;
    }
    bits_set(check->seen, ref->block);
    check->out->blocks_read++;
    check->out->used++;
    const char *text = store_node_verify(check->store, node, ref);
    if (text == NULL && !bits_get(check->store->used, ref->block)) {
        text = "it is in a tree, but counts as free";
    }
    if (text == NULL) {
        return true;
    }
    bits_set(check->bad, ref->block);
    block_unverify(check->store, ref->block);
    say(check, ref->block, text);
    return false;
}

// Trees are walked in the order of their generations. What frees blocks relies
// on this: a block that was there at the time of the tree before is in that
// too.
static bool is_placed_well(struct check *check, const struct store_ref *ref)
{
    if (bits_get(check->here, ref->block)) {
        say(check, ref->block, "a tree has it in two places");
        return false;
    }
    bits_set(check->here, ref->block);
    if (ref->generation <= check->before_generation &&
        !bits_get(check->before, ref->block)) {
        say(check, ref->block,
            "a tree has it, and the older snapshot before that does not");
        return false;
    }
    return true;
}

// Of a leaf's items, or of an inner node's.
static void check_bounds(struct tree *tree, const struct store_node *node,
                         const void *first, const void *last,
                         const struct bounds *bounds)
{
    const struct item_key *low = first, *high = last;

    if ((bounds->low != NULL && KEY_IS_BELOW(low, bounds->low)) ||
        (bounds->high != NULL && !KEY_IS_BELOW(high, bounds->high))) {
        say(tree->check, node->block,
            "its keys are not those that its parent says");
    }
}

static void count_leaf(struct tree *tree, const struct store_node *node,
                       const struct bounds *bounds)
{
    const struct store_leaf_item *items = leaf_items(node);
    uint32_t count = MIN(node->count, STORE_LEAF_MAX);

    check_bounds(tree, node, &items[0], &items[count - 1], bounds);
    // Keys are in order: the store's own are the last ones.
    while (count > 0 && items[count - 1].object == STORE_OWN_OBJECT) {
        tree->snapshots += items[count - 1].type == STORE_OWN_SNAPSHOT;
        if (items[count - 1].type != STORE_OWN_SNAPSHOT) {
            say(tree->check, node->block,
                "an item of the store's own is of no known type");
        }
        count--;
    }
    tree->items += count;
}

static void walk(struct tree *tree, const struct store_ref *ref,
                 const struct bounds *bounds);

static void walk_children(struct tree *tree, const struct store_node *node,
                          const struct bounds *bounds)
{
    const struct store_inner_item *items = inner_items(node);
    uint32_t count = MIN(node->count, STORE_INNER_MAX);

    check_bounds(tree, node, &items[0], &items[count - 1], bounds);
    for (uint32_t i = 0; i < count; i++) {
        const struct bounds inside = {&items[i], i + 1 < count ? &items[i + 1]
                                                               : bounds->high};
        struct store_ref child;
        inner_child(&items[i], node->level, &child);
        walk(tree, &child, &inside);
    }
}

// As deep as the tree is high: the level falls with each call.
static void walk(struct tree *tree, const struct store_ref *ref,
                 const struct bounds *bounds)
{
    struct store *store = tree->check->store;

    if (ref->block == 0 || ref->block >= store->blocks) {
        say(tree->check, ref->block, "a root is outside of the store");
        return;
    }
    const struct store_node *node = node_map(store, ref->block);
    if (look_at(tree->check, node, ref) && is_placed_well(tree->check, ref)) {
        if (ref->level == 0) {
            count_leaf(tree, node, bounds);
        } else {
            walk_children(tree, node, bounds);
        }
    }
    node_close(store, node);
}

// The tree of a generation.
static void walk_root(struct tree *tree, const struct store_ref *root,
                      uint64_t generation)
{
    const struct bounds all = {NULL, NULL};
    struct check *check = tree->check;
    uint64_t damaged = check->out->damaged;

    memset(check->here, 0, bits_size(check->store->blocks));
    if (root->block != 0) {
        walk(tree, root, &all);
    }
    uint64_t *walked = check->here;
    check->here = check->before;
    check->before = walked;
    check->before_generation = damaged == check->out->damaged ? generation : 0;
}

// ------------------------------------------------------------------- Snapshots

struct records {
    struct check *check;
    uint64_t generation; // of the one before
};

// Whether a snapshot before the one with this id has its name.
struct same_name {
    const struct store_snapshot_record *record;
    uint64_t id;
    bool found;
};

static int compare_name(void *arg, const struct store_key *key,
                        const void *value, size_t size)
{
    struct same_name *same = arg;
    struct store_snapshot_record other;

    if (key->offset >= same->id) {
        return 1;
    }
    if (size == sizeof(other)) {
        memcpy(&other, value, sizeof(other));
        same->found =
            memcmp(other.name, same->record->name, sizeof(other.name)) == 0;
    }
    return same->found;
}

static int check_snapshot(void *arg, const struct store_key *key,
                          const void *value, size_t size)
{
    struct records *records = arg;
    struct check *check = records->check;
    const struct store_state *head = state_current(check->store);
    uint64_t damaged = check->out->damaged;
    struct tree tree = {.check = check};
    struct store_snapshot_record record;
    struct store_ref root;

    if (!store_snapshot_parse(check->store, value, size, &record) ||
        key->offset == 0 || key->offset >= head->next_snapshot ||
        record.generation >= head->generation ||
        record.generation <= records->generation) {
        say(check, head->root.block, "a snapshot's record says what cannot be");
        return 0;
    }
    records->generation = record.generation;
    struct same_name same = {&record, key->offset, false};
    store_snapshot_scan(check->store, &head->root, 0, compare_name, &same);
    if (same.found) {
        say(check, head->root.block, "two snapshots have one name");
    }
    store_snapshot_root(&record, &root);
    walk_root(&tree, &root, record.generation);
    if (tree.items != record.items && damaged == check->out->damaged) {
        say(check, record.root,
            "a snapshot does not have as many items as its record says");
    }
    return 0;
}

// -------------------------------------------------------------------- The rest

static void check_head(struct check *check)
{
    const struct store_state *head = state_current(check->store);
    struct tree tree = {.check = check};
    struct records records = {.check = check};

    if (store_snapshot_scan(check->store, &head->root, 0, check_snapshot,
                            &records) != 0) {
        say(check, head->root.block, "not all snapshots could be found");
    }
    walk_root(&tree, &head->root, head->generation);
    check->out->items = tree.items;
    check->out->snapshots = tree.snapshots;
    if (check->out->damaged != 0) {
        // What is missing is missing because of that.
    } else if (tree.items != head->items) {
        say(check, 0, "the store does not have as many items as it says");
    } else if (tree.snapshots != head->snapshots) {
        say(check, 0, "the store does not have as many snapshots as it says");
    }
}

static void check_block_0(struct check *check)
{
    struct store *store = check->store;
    uint64_t generation = state_current(store)->generation;
    const uint8_t *block =
        kmap_local_range_ro(store->first, 0, STORE_BLOCK_SIZE);
    const struct store_header *header = (const void *)block;
    const void *selector = block + STORE_SELECTOR_AT;
    const char *text;

    check->out->blocks_read++;
    check->out->used++;
    if (header->magic != STORE_MAGIC || header->version != STORE_VERSION ||
        header->crc != crc32c_rest(header, STORE_PART_SIZE)) {
        say(check, 0, "the header is damaged");
    }
    if (*(const uint64_t *)selector != store_selector_make(generation) ||
        !store_part_is_zero(selector, sizeof(uint64_t))) {
        say(check, 0, "the selector is damaged");
    }
    text = store_superblock_verify(
        store,
        (const void *)(block + STORE_SLOT_AT +
                       generation % 2 * STORE_PART_SIZE),
        generation);
    kunmap_local(block);
    if (text != NULL) {
        say(check, 0, text);
    }
}

static void check_all(struct check *check)
{
    struct store *store = check->store;

    check_block_0(check);
    check_head(check);
    if (check->out->damaged == 0 &&
        check->out->used != store->used_count - store->pending_count) {
        say(check, 0, "blocks count as used that no tree has");
    }
}

int store_check(struct store *store, struct store_check *out,
                store_report_fn *report, void *arg)
{
    size_t bits = bits_size(store->blocks);
    struct check check = {
        .store = store, .out = out, .report = report, .arg = arg};

    *out = (struct store_check){0};
    check.seen = kzalloc(bits);
    check.bad = kzalloc(bits);
    check.here = kmalloc(bits);
    check.before = kmalloc(bits);
    bool done = check.seen != NULL && check.bad != NULL && check.here != NULL &&
                check.before != NULL;
    if (done) {
        mutex_lock(&store->writer);
        check_all(&check);
        mutex_unlock(&store->writer);
    }
    kfree(check.seen);
    kfree(check.bad);
    kfree(check.here);
    kfree(check.before);
    if (!done) {
        return -ENOMEM;
    }
    return out->damaged == 0 ? 0 : -EUCLEAN;
}
