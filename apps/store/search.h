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

// What leaf and inner items begin with.
struct item_key {
    uint64_t object, offset;
    uint8_t type;
};

_Static_assert(offsetof(struct item_key, type) ==
                       offsetof(struct store_leaf_item, type) &&
                   offsetof(struct item_key, type) ==
                       offsetof(struct store_inner_item, type),
               "keys are alike");

// Whether one key is below another; either may be an item.
#define KEY_IS_BELOW(a, b)                                                     \
    ((a)->object != (b)->object ? (a)->object < (b)->object                    \
     : (a)->type != (b)->type   ? (a)->type < (b)->type                        \
                                : (a)->offset < (b)->offset)

// The last of `count` items, `stride` bytes apart, that is not above the key;
// the first one if all are, or there are none.
static inline const void *find_last_among(const void *items, uint32_t count,
                                          size_t stride,
                                          const struct store_key *key)
{
    const uint8_t *low = items;

    while (count > 1) {
        uint32_t half = count / 2;
        const uint8_t *middle = low + half * stride;
        if (!KEY_IS_BELOW(key, (const struct item_key *)middle)) {
            low = middle;
        }
        count -= half;
    }
    return low;
}

// The same of 1 and more. Most often the object alone decides: so it is what is
// looked for first, without a branch that nobody can predict.
static inline __attribute__((always_inline)) const void *
find_last(const void *items, uint32_t count, size_t stride,
          const struct store_key *key)
{
    const uint8_t *low = items;
    const uint64_t object = key->object;

    while (count > 1) {
        uint32_t half = count / 2;
        const uint8_t *middle = low + half * stride;
        bool above = ((const struct item_key *)middle)->object > object;
        low = __builtin_expect_with_probability(above, 0, 0.5) ? low : middle;
        count -= half;
    }
    const struct item_key *last = (const struct item_key *)low;
    if (unlikely(last->object == object && KEY_IS_BELOW(key, last))) {
        count = (uint32_t)((size_t)(low - (const uint8_t *)items) / stride);
        return find_last_among(items, count, stride, key);
    }
    return low;
}

static inline bool leaf_item_is(const struct store_leaf_item *item,
                                const struct store_key *key)
{
    return item->object == key->object && item->offset == key->offset &&
           item->type == key->type;
}

// The item of a key in a leaf; NULL: it is not there. `count` is sane in all
// three.
static inline const struct store_leaf_item *
leaf_find_item(const struct store_node *node, uint32_t count,
               const struct store_key *key)
{
    const struct store_leaf_item *item =
        find_last(leaf_items(node), count, sizeof(*item), key);

    return likely(leaf_item_is(item, key)) ? item : NULL;
}

// The index of the first item that is not below the key.
static inline uint32_t leaf_find(const struct store_node *node, uint32_t count,
                                 const struct store_key *key)
{
    const struct store_leaf_item *items = leaf_items(node);
    const struct store_leaf_item *item =
        find_last(items, count, sizeof(*item), key);

    return (uint32_t)(item - items) + KEY_IS_BELOW(item, key);
}

// The last item that is not above the key; the first if all are.
static inline const struct store_inner_item *
inner_find(const struct store_node *node, uint32_t count,
           const struct store_key *key)
{
    return find_last(inner_items(node), count, sizeof(struct store_inner_item),
                     key);
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
    if (unlikely(*size > STORE_VALUE_MAX ||
                 offset + *size > STORE_BLOCK_SIZE)) {
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
