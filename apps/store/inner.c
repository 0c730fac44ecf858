// SPDX-License-Identifier: MIT
//
// Changing an inner node: an array of items in order.
#include "apps/store/search.h"

#define ITEM_SIZE ((uint32_t)sizeof(struct store_inner_item))

static inline struct store_inner_item *edit_items(struct store_edit *edit)
{
    return (struct store_inner_item *)(edit->node + 1);
}

static inline uint32_t items_end(uint32_t count)
{
    return (uint32_t)sizeof(struct store_node) + count * ITEM_SIZE;
}

static void set_count(struct store_edit *edit, uint32_t count)
{
    edit->node->count = (uint16_t)count;
    edit_mark(edit, 0, sizeof(struct store_node));
}

// Callers have seen to the counts, and that all fits.
static void insert_many(struct store_edit *edit, uint32_t at,
                        const struct store_inner_item *from, uint32_t gap)
{
    struct store_inner_item *items = edit_items(edit);
    uint32_t count = edit->node->count;

    for (uint32_t i = count; i > at; i--) {
        items[i - 1 + gap] = items[i - 1];
    }
    memcpy(&items[at], from, gap * ITEM_SIZE);
    set_count(edit, count + gap);
    edit_mark(edit, items_end(at), items_end(count + gap));
}

void store_inner_insert(struct store_edit *edit, uint32_t at,
                        const struct store_inner_item *item)
{
    insert_many(edit, at, item, 1);
}

void store_inner_remove(struct store_edit *edit, uint32_t at)
{
    struct store_inner_item *items = edit_items(edit);
    uint32_t count = edit->node->count;

    memmove(&items[at], &items[at + 1], (count - at - 1) * ITEM_SIZE);
    set_count(edit, count - 1);
    edit_mark(edit, items_end(at), items_end(count - 1));
}

void store_inner_set_child(struct store_edit *edit, uint32_t at,
                           const struct store_ref *ref)
{
    struct store_inner_item *item = &edit_items(edit)[at];

    item->block = ref->block;
    item->generation = ref->generation;
    edit_mark(edit, items_end(at), items_end(at + 1));
}

void store_inner_move(struct store_edit *edit, uint32_t from,
                      struct store_edit *to)
{
    uint32_t count = edit->node->count;

    insert_many(to, 0, &edit_items(edit)[from], count - from);
    set_count(edit, from);
}

void store_inner_merge(struct store_edit *edit,
                       const struct store_node *sibling, bool before)
{
    insert_many(edit, before ? 0 : edit->node->count, inner_items(sibling),
                sibling->count);
}
