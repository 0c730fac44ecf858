// SPDX-License-Identifier: MIT
//
// Finding a key in a node: the inner loops of every operation, in line. Counts
// and offsets come from the medium: they are looked at before they are used,
// whoever wrote to it meanwhile.
#pragma once

#include "apps/store/store_internal.h"

static inline const struct store_leaf_item *
leaf_items(const struct store_node *node)
{
    return (const struct store_leaf_item *)(node + 1);
}

static inline const struct store_inner_item *
inner_items(const struct store_node *node)
{
    return (const struct store_inner_item *)(node + 1);
}

static inline bool leaf_count_is_sane(uint32_t count)
{
    return count - 1 < STORE_LEAF_MAX;
}

static inline bool inner_count_is_sane(uint32_t count)
{
    return count - 1 < STORE_INNER_MAX;
}

// Whether the key with these three parts is below `key`. Leaf and inner items
// have the parts in the same places.
#define ITEM_IS_BELOW(item, key)                                               \
    ((item)->object != (key)->object ? (item)->object < (key)->object          \
     : (item)->type != (key)->type   ? (item)->type < (key)->type              \
                                     : (item)->offset < (key)->offset)

#define KEY_IS_BELOW_ITEM(key, item)                                           \
    ((item)->object != (key)->object ? (key)->object < (item)->object          \
     : (item)->type != (key)->type   ? (key)->type < (item)->type              \
                                     : (key)->offset < (item)->offset)

static inline bool leaf_item_is(const struct store_leaf_item *item,
                                const struct store_key *key)
{
    return item->object == key->object && item->offset == key->offset &&
           item->type == key->type;
}

// The index of the first item that is not below the key; `count` is sane.
static inline uint32_t leaf_find(const struct store_node *node, uint32_t count,
                                 const struct store_key *key)
{
    const struct store_leaf_item *items = leaf_items(node);
    uint32_t low = 0;

    while (count > 0) {
        uint32_t half = count / 2;
        const struct store_leaf_item *item = &items[low + half];
        if (ITEM_IS_BELOW(item, key)) {
            low += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return low;
}

// The index of the last item that is not above the key; 0 if all are.
static inline uint32_t inner_find(const struct store_node *node, uint32_t count,
                                  const struct store_key *key)
{
    const struct store_inner_item *items = inner_items(node);
    uint32_t low = 0;

    while (count > 1) {
        uint32_t half = count / 2;
        const struct store_inner_item *item = &items[low + half];
        if (KEY_IS_BELOW_ITEM(key, item)) {
            count = half;
        } else {
            low += half;
            count -= half;
        }
    }
    return low;
}

// What an inner item of a node at `level` names.
static inline void inner_child(const struct store_inner_item *item,
                               uint32_t level, struct store_ref *ref)
{
    ref->generation = item->generation;
    ref->block = item->block;
    ref->level = level - 1;
}

// Where a leaf item's value is; NULL: outside of the block, or it is larger
// than a value can be.
static inline const uint8_t *leaf_value(const struct store_node *node,
                                        const struct store_leaf_item *item,
                                        uint32_t *size)
{
    uint32_t offset = item->data_offset;

    *size = item->size;
    if (unlikely(*size > STORE_VALUE_MAX || offset - sizeof(struct store_node) >
                                                STORE_ITEMS_SIZE - *size)) {
        return NULL;
    }
    return (const uint8_t *)node + offset;
}

// Note that bytes `from` to `to` (not included) of a node were stored to.
static inline void edit_mark(struct store_edit *edit, uint32_t from,
                             uint32_t to)
{
    uint64_t *lines = edit->tx->records[edit->record].lines;
    uint32_t first = from / STORE_LINE;
    uint32_t last = (to - 1) / STORE_LINE;

    if (unlikely(from >= to)) {
        return;
    }
    if (first / 64 == last / 64) {
        lines[first / 64] |= BITS(last % 64, first % 64);
        return;
    }
    lines[first / 64] |= BITS(63, first % 64);
    for (uint32_t word = first / 64 + 1; word < last / 64; word++) {
        lines[word] = ~0ull;
    }
    lines[last / 64] |= BITS(last % 64, 0);
}
