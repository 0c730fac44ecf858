// SPDX-License-Identifier: MIT
//
// Blocks with a sound checksum that say what cannot be: each rule of the format
// broken once.
#include "apps/store/crc32c.h"
#include "apps/store/format.h"
#include "tests/host/damage.h"
#include "tests/host/tap.h"

static uint8_t block[STORE_BLOCK_SIZE];

static struct store_node *load(unsigned number)
{
    medium_read(damaged.medium, (size_t)number * STORE_BLOCK_SIZE, block,
                sizeof(block));
    return (void *)block;
}

static void save(unsigned number)
{
    struct store_node *node = (void *)block;

    node->crc = crc32c_rest(block, sizeof(block));
    medium_write(damaged.medium, (size_t)number * STORE_BLOCK_SIZE, block,
                 sizeof(block));
}

typedef void spoil_fn(struct store_node *node);

static struct store_leaf_item *leaf_item(struct store_node *node)
{
    return (struct store_leaf_item *)(node + 1);
}

static struct store_inner_item *inner_item(struct store_node *node)
{
    return (struct store_inner_item *)(node + 1);
}

static void no_items(struct store_node *node)
{
    node->count = 0;
}

static void many_items(struct store_node *node)
{
    node->count = 0xffff;
}

static void other_block(struct store_node *node)
{
    node->block++;
}

static void other_generation(struct store_node *node)
{
    node->generation--;
}

static void other_level(struct store_node *node)
{
    node->level++;
}

static void other_store(struct store_node *node)
{
    node->uuid[3] ^= 1;
}

static void not_zero(struct store_node *node)
{
    node->zeroes[1] = 1;
}

static void data_too_early(struct store_node *node)
{
    node->data_start = 80;
}

static void data_too_late(struct store_node *node)
{
    node->data_start = 16385;
}

static void bytes_wrong(struct store_node *node)
{
    node->data_bytes++;
}

static void value_outside(struct store_node *node)
{
    leaf_item(node)->data_offset = 16000;
}

static void value_in_items(struct store_node *node)
{
    leaf_item(node)->data_offset = 100;
}

static void value_too_large(struct store_node *node)
{
    node->data_bytes += 7100;
    leaf_item(node)->size += 7100;
}

static void values_overlap(struct store_node *node)
{
    leaf_item(node)[0].data_offset = leaf_item(node)[1].data_offset + 1;
}

static void leaf_out_of_order(struct store_node *node)
{
    leaf_item(node)[1].object = leaf_item(node)[0].object;
}

static void leaf_item_not_zero(struct store_node *node)
{
    leaf_item(node)->zero2 = 1;
}

static void key_above_parent(struct store_node *node)
{
    leaf_item(node)[node->count - 1].object = 1ull << 60;
}

static void child_is_0(struct store_node *node)
{
    inner_item(node)->block = 0;
}

static void child_outside(struct store_node *node)
{
    inner_item(node)->block = DAMAGE_BLOCKS;
}

static void child_twice(struct store_node *node)
{
    inner_item(node)[1].block = inner_item(node)[0].block;
    inner_item(node)[1].generation = inner_item(node)[0].generation;
}

static void child_is_itself(struct store_node *node)
{
    inner_item(node)[0].block = (uint32_t)node->block;
    inner_item(node)[0].generation = node->generation;
}

static void child_is_younger(struct store_node *node)
{
    inner_item(node)->generation = node->generation + 1;
}

static void inner_out_of_order(struct store_node *node)
{
    inner_item(node)[0].object = 1ull << 60;
}

static void inner_item_not_zero(struct store_node *node)
{
    inner_item(node)->zero[2] = 1;
}

static void key_below_leaf(struct store_node *node)
{
    inner_item(node)[1].object += 3; // above keys that its child has
}

// The format lets a value of no bytes be anywhere.
HOST_TEST(nothing_is_anywhere)
{
    const struct store_key key = {1, 0, 0};
    const uint16_t places[] = {0, 63, 64, 16384};
    struct store_check check;
    struct store_tx *tx;
    uint8_t got[1];
    size_t size;

    for (unsigned i = 0; i < 4; i++) {
        store_help_make(&damaged, DAMAGE_BLOCKS, 0);
        CHECK_EQ(store_put(damaged.store, &key, NULL, 0), 0);
        leaf_item(load(1))->data_offset = places[i];
        save(1);
        CHECK_EQ(store_help_remount(&damaged, 0), 0);
        CHECK(store_help_check(damaged.store, &check));
        CHECK_EQ(store_get(damaged.store, &key, got, 1, &size), 0);
        CHECK_EQ(size, 0);
        CHECK_EQ(store_begin(damaged.store, &tx), 0);
        CHECK_EQ(store_tx_put(tx, &key, NULL, 0), 0);
        CHECK_EQ(store_tx_put(tx, &key, "x", 1), 0);
        CHECK_EQ(store_commit(tx), 0);
        CHECK(store_help_check(damaged.store, &check));
        store_help_end(&damaged);
    }
}

static void spoil(spoil_fn *fn, bool leaf, const char *what)
{
    damage_make();
    unsigned number = damage_find(leaf);
    CHECK(number != 0);
    fn(load(number));
    save(number);
    if (damage_look() != -EUCLEAN) {
        host_test_fail(__FILE__, __LINE__, "%s is not found", what);
    }
    store_help_end(&damaged);
}

#define SPOIL(fn, leaf) spoil(fn, leaf, #fn)

HOST_TEST(sound_checksum_wrong_leaf)
{
    SPOIL(no_items, true);
    SPOIL(many_items, true);
    SPOIL(other_block, true);
    SPOIL(other_generation, true);
    SPOIL(other_level, true);
    SPOIL(other_store, true);
    SPOIL(not_zero, true);
    SPOIL(data_too_early, true);
    SPOIL(data_too_late, true);
    SPOIL(bytes_wrong, true);
    SPOIL(value_outside, true);
    SPOIL(value_in_items, true);
    SPOIL(value_too_large, true);
    SPOIL(values_overlap, true);
    SPOIL(leaf_out_of_order, true);
    SPOIL(leaf_item_not_zero, true);
    SPOIL(key_above_parent, true);
}

HOST_TEST(sound_checksum_wrong_inner_node)
{
    SPOIL(no_items, false);
    SPOIL(many_items, false);
    SPOIL(bytes_wrong, false);
    SPOIL(child_is_0, false);
    SPOIL(child_outside, false);
    SPOIL(child_twice, false);
    SPOIL(child_is_itself, false);
    SPOIL(child_is_younger, false);
    SPOIL(inner_out_of_order, false);
    SPOIL(inner_item_not_zero, false);
    SPOIL(key_below_leaf, false);
}
