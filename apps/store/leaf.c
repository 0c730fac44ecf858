// SPDX-License-Identifier: MIT
//
// Changing a leaf. Items grow up from the header, values down from the end;
// what is deleted or replaced leaves a hole among the values, which compaction
// closes when its room is needed.
#include "apps/store/search.h"

#define ITEM_SIZE ((uint32_t)sizeof(struct store_leaf_item))

static inline struct store_leaf_item *edit_items(struct store_edit *edit)
{
    return (struct store_leaf_item *)(edit->node + 1);
}

static inline uint32_t items_end(uint32_t count)
{
    return (uint32_t)sizeof(struct store_node) + count * ITEM_SIZE;
}

static inline void mark_header(struct store_edit *edit)
{
    edit_mark(edit, 0, sizeof(struct store_node));
}

// Whether what the header says is so that nothing leaves the block.
static bool header_is_sane(const struct store_node *node)
{
    return node->count <= STORE_LEAF_MAX &&
           node->data_start <= STORE_BLOCK_SIZE &&
           node->data_start >= items_end(node->count);
}

// Close all holes.
static int compact(struct store_edit *edit)
{
    struct store_node *node = edit->node;
    struct store_leaf_item *items = edit_items(edit);
    uint8_t *scratch = edit->tx->store->scratch;
    uint32_t start = node->data_start, at = STORE_BLOCK_SIZE;

    memcpy(scratch + start, (uint8_t *)node + start, STORE_BLOCK_SIZE - start);
    for (uint32_t i = 0; i < node->count; i++) {
        uint32_t from = items[i].data_offset, size = items[i].size;
        if (from + size > STORE_BLOCK_SIZE || (size > 0 && from < start) ||
            at < items_end(node->count) + size) {
            return -EUCLEAN;
        }
        at -= size;
        memcpy((uint8_t *)node + at, scratch + from, size);
        items[i].data_offset = (uint16_t)at;
    }
    node->data_start = (uint16_t)at;
    edit_mark(edit, 0, items_end(node->count));
    edit_mark(edit, at, STORE_BLOCK_SIZE);
    return 0;
}

// Move the items from `at` on up by `gap`: from the end, and item by item, as
// memmove() would go by 8 bytes.
static void items_move_up(struct store_leaf_item *items, uint32_t at,
                          uint32_t count, uint32_t gap)
{
    struct store_leaf_item *from = items + count, *to = from + gap;
    uint32_t left = count - at;

    for (; left >= 4; left -= 4) {
        from -= 4;
        to -= 4;
        to[3] = from[3];
        to[2] = from[2];
        to[1] = from[1];
        to[0] = from[0];
    }
    for (; left > 0; left--) {
        *--to = *--from;
    }
}

// Make room for `gap` items at an index, and `size` bytes of values below
// data_start.
static int open_gap(struct store_edit *edit, uint32_t at, uint32_t gap,
                    uint32_t size)
{
    struct store_node *node = edit->node;
    uint32_t count = node->count;

    if (unlikely(!header_is_sane(node) || at > count)) {
        return -EUCLEAN;
    }
    if (items_end(count + gap) + size > node->data_start) {
        if (compact(edit) != 0 ||
            items_end(count + gap) + size > node->data_start) {
            return -EUCLEAN;
        }
    }
    items_move_up(edit_items(edit), at, count, gap);
    node->count = (uint16_t)(count + gap);
    return 0;
}

// Fill an item of a gap.
static inline void fill(struct store_edit *edit, uint32_t at,
                        const struct store_leaf_item *key, const void *value,
                        uint32_t size)
{
    struct store_node *node = edit->node;
    uint32_t offset = STORE_BLOCK_SIZE;

    if (size > 0) {
        offset = node->data_start - size;
        memcpy((uint8_t *)node + offset, value, size);
        node->data_start = (uint16_t)offset;
        node->data_bytes = (uint16_t)(node->data_bytes + size);
    }
    edit_items(edit)[at] = (struct store_leaf_item){
        .object = key->object,
        .offset = key->offset,
        .type = key->type,
        .data_offset = (uint16_t)offset,
        .size = (uint16_t)size,
    };
}

int store_leaf_insert(struct store_edit *edit, uint32_t at,
                      const struct store_key *key, const void *value,
                      uint32_t size)
{
    struct store_leaf_item item = {
        .object = key->object, .offset = key->offset, .type = key->type};
    int result = open_gap(edit, at, 1, size);

    if (result != 0) {
        return result;
    }
    fill(edit, at, &item, value, size);
    mark_header(edit);
    edit_mark(edit, items_end(at), items_end(edit->node->count));
    edit_mark(edit, edit->node->data_start, edit->node->data_start + size);
    return 0;
}

int store_leaf_remove(struct store_edit *edit, uint32_t at)
{
    struct store_node *node = edit->node;
    struct store_leaf_item *items = edit_items(edit);

    if (unlikely(!header_is_sane(node) || at >= node->count ||
                 items[at].size > node->data_bytes)) {
        return -EUCLEAN;
    }
    node->data_bytes = (uint16_t)(node->data_bytes - items[at].size);
    if (items[at].data_offset == node->data_start &&
        node->data_start + items[at].size <= STORE_BLOCK_SIZE) {
        node->data_start = (uint16_t)(node->data_start + items[at].size);
    }
    memmove(&items[at], &items[at + 1], (node->count - at - 1) * ITEM_SIZE);
    node->count--;
    mark_header(edit);
    edit_mark(edit, items_end(at), items_end(node->count));
    return 0;
}

int store_leaf_overwrite(struct store_edit *edit, uint32_t at,
                         const void *value)
{
    uint32_t size;
    const uint8_t *old = leaf_value(edit->node, &edit_items(edit)[at], &size);

    if (old == NULL) {
        return -EUCLEAN;
    }
    if (size == 0) {
        return 0;
    }
    uint32_t offset = (uint32_t)(old - (const uint8_t *)edit->node);
    memcpy((uint8_t *)edit->node + offset, value, size);
    edit_mark(edit, offset, offset + size);
    return 0;
}

// Insert items of another leaf into a gap that is there for them.
static int fill_from(struct store_edit *edit, uint32_t at,
                     const struct store_node *from, uint32_t first,
                     uint32_t count)
{
    const struct store_leaf_item *items = leaf_items(from) + first;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t size;
        const uint8_t *value = leaf_value(from, &items[i], &size);
        if (value == NULL ||
            items_end(edit->node->count) + size > edit->node->data_start) {
            return -EUCLEAN;
        }
        fill(edit, at + i, &items[i], value, size);
    }
    mark_header(edit);
    edit_mark(edit, items_end(at), items_end(edit->node->count));
    edit_mark(edit, edit->node->data_start, STORE_BLOCK_SIZE);
    return 0;
}

int store_leaf_move(struct store_edit *edit, uint32_t from,
                    struct store_edit *to)
{
    struct store_node *node = edit->node;
    uint32_t count = node->count - from;

    if (!header_is_sane(node) || from > node->count) {
        return -EUCLEAN;
    }
    if (open_gap(to, 0, count, 0) != 0 ||
        fill_from(to, 0, node, from, count) != 0 ||
        to->node->data_bytes > node->data_bytes) {
        return -EUCLEAN;
    }
    node->count = (uint16_t)from;
    node->data_bytes = (uint16_t)(node->data_bytes - to->node->data_bytes);
    return compact(edit);
}

int store_leaf_merge(struct store_edit *edit, const struct store_node *sibling,
                     bool before)
{
    uint32_t at = before ? 0 : edit->node->count;
    uint32_t count = sibling->count;

    if (open_gap(edit, at, count, sibling->data_bytes) != 0) {
        return -EUCLEAN;
    }
    return fill_from(edit, at, sibling, 0, count);
}
