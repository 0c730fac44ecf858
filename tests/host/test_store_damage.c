// SPDX-License-Identifier: MIT
//
// Damage: whatever byte of a store changes, it is found, and no answer is
// wrong without an error.
#include <stdlib.h>

#include "apps/store/crc32c.h"
#include "apps/store/format.h"
#include "tests/host/store_help.h"
#include "tests/host/tap.h"

#define KEYS 60
#define BLOCKS 32

static struct store_help help;
static uint8_t value[1000], got[1000];

static uint64_t seed_of(unsigned i)
{
    return i * 7919ull;
}

// Two levels, and a snapshot that has a leaf of its own.
static void make(void)
{
    uint64_t id;

    store_help_make(&help, BLOCKS, 0);
    for (unsigned i = 0; i < KEYS; i++) {
        const struct store_key key = {i, 0, 0};
        store_help_fill(value, sizeof(value), seed_of(i));
        if (store_put(help.store, &key, value, sizeof(value)) != 0 ||
            (i == 30 && store_snapshot_take(help.store, "s", &id) != 0)) {
            abort();
        }
    }
    if (store_unmount(help.store) != 0) {
        abort();
    }
    help.store = NULL;
}

static void flip(size_t offset, uint8_t bits)
{
    uint8_t byte;

    medium_read(help.medium, offset, &byte, 1);
    byte ^= bits;
    medium_write(help.medium, offset, &byte, 1);
}

static bool is_used(unsigned block)
{
    struct store_node node;
    uint64_t selector;

    medium_read(help.medium, STORE_SELECTOR_AT, &selector, sizeof(selector));
    medium_read(help.medium, (size_t)block * STORE_BLOCK_SIZE, &node,
                sizeof(node));
    return node.block == block;
}

static unsigned reported;

static void count(void *arg, const struct store_problem *problem)
{
    (void)arg;
    reported += problem->error == -EUCLEAN && problem->text != NULL;
}

// Mount and look for damage: 0 if there is none to be found.
static int look(void)
{
    struct store_problem problem;
    struct store_check check;
    int result = store_help_mount(&help, 0, &problem);

    if (result != 0) {
        return result;
    }
    reported = 0;
    result = store_check(help.store, &check, count, NULL);
    if ((result != 0) != (reported != 0) || reported != check.damaged) {
        result = -EIO; // not what it says
    }
    if (store_unmount(help.store) != 0) {
        abort();
    }
    help.store = NULL;
    return result;
}

// Which blocks some tree has: those whose loss is noticed.
static bool is_needed(unsigned block)
{
    size_t offset = (size_t)block * STORE_BLOCK_SIZE;

    if (!is_used(block)) {
        return false;
    }
    flip(offset, 1);
    bool needed = look() == -EUCLEAN;
    flip(offset, 1);
    return needed;
}

HOST_TEST(every_byte_of_every_block)
{
    unsigned needed = 0;

    make();
    CHECK_EQ(look(), 0);
    for (unsigned block = 1; block < BLOCKS; block++) {
        if (!is_needed(block)) {
            continue;
        }
        needed++;
        // Headers and items all, of the values each seventh.
        for (size_t at = 0; at < STORE_BLOCK_SIZE; at += at < 600 ? 1 : 7) {
            size_t offset = (size_t)block * STORE_BLOCK_SIZE + at;
            uint8_t bits = (uint8_t)(1 << at % 8);
            flip(offset, bits);
            CHECK_EQ(look(), -EUCLEAN);
            flip(offset, bits);
        }
    }
    CHECK(needed >= 6); // a root and leaves, and the snapshot's
    CHECK_EQ(look(), 0);
    store_help_end(&help);
}

// Of block 0, all but the superblock that is not current: a commit may have
// been there when the power went.
HOST_TEST(every_byte_of_block_0)
{
    uint64_t selector;

    make();
    medium_read(help.medium, STORE_SELECTOR_AT, &selector, sizeof(selector));
    for (size_t at = 0; at < STORE_BLOCK_SIZE; at++) {
        unsigned part = (unsigned)(at / STORE_PART_SIZE);
        bool other = part == 2 + (selector + 1) % 2;
        flip(at, 0x40);
        int result = look();
        if (other) {
            CHECK_EQ(result, 0);
        } else {
            CHECK(result == -EUCLEAN || (result == -ENODEV && at < 16));
        }
        flip(at, 0x40);
    }
    CHECK_EQ(look(), 0);
    store_help_end(&help);
}

// What is in the superblock that is not current does not get into the next one.
HOST_TEST(superblock_is_written_whole)
{
    const struct store_key key = {1, 0, 0};
    uint64_t selector;

    make();
    for (unsigned i = 0; i < 2; i++) {
        medium_read(help.medium, STORE_SELECTOR_AT, &selector,
                    sizeof(selector));
        flip(STORE_SLOT_AT + (selector + 1) % 2 * STORE_PART_SIZE + 3000, 1);
        CHECK_EQ(store_help_mount(&help, 0, NULL), 0);
        CHECK_EQ(store_put(help.store, &key, "x", 1), 0);
        CHECK_EQ(store_put(help.store, &key, "y", 1), 0);
        CHECK_EQ(store_unmount(help.store), 0);
        help.store = NULL;
        CHECK_EQ(look(), 0);
        CHECK_EQ(store_help_mount(&help, 0, NULL), 0);
        CHECK_EQ(store_put(help.store, &key, "z", 1), 0);
        CHECK_EQ(store_unmount(help.store), 0);
        help.store = NULL;
        CHECK_EQ(look(), 0);
    }
    store_help_end(&help);
}

// Right, or an error.
HOST_TEST(no_wrong_answer)
{
    uint64_t random = 11;
    unsigned errors = 0;

    make();
    for (unsigned round = 0; round < 300; round++) {
        size_t offset =
            STORE_BLOCK_SIZE +
            store_help_random(&random) % ((BLOCKS - 1) * STORE_BLOCK_SIZE);
        uint8_t bits = (uint8_t)(1 << round % 8);
        flip(offset, bits);
        CHECK_EQ(store_help_mount(&help, 0, NULL), 0);
        for (unsigned i = 0; i < KEYS; i++) {
            const struct store_key key = {i, 0, 0};
            size_t size = 0;
            int result = store_get(help.store, &key, got, sizeof(got), &size);
            store_help_fill(value, sizeof(value), seed_of(i));
            CHECK(result == -EUCLEAN || (result == 0 && size == sizeof(value) &&
                                         memcmp(value, got, size) == 0));
            errors += result != 0;
        }
        CHECK_EQ(store_unmount(help.store), 0);
        help.store = NULL;
        flip(offset, bits);
    }
    CHECK(errors > 50);
    store_help_end(&help);
}

// ----------------------------------------------- Sound checksums, wrong
// content

static uint8_t block[STORE_BLOCK_SIZE];

static struct store_node *load(unsigned number)
{
    medium_read(help.medium, (size_t)number * STORE_BLOCK_SIZE, block,
                sizeof(block));
    return (void *)block;
}

static void save(unsigned number)
{
    struct store_node *node = (void *)block;

    node->crc = crc32c_rest(block, sizeof(block));
    medium_write(help.medium, (size_t)number * STORE_BLOCK_SIZE, block,
                 sizeof(block));
}

// A leaf, or an inner node, that some tree has.
static unsigned find(bool leaf)
{
    for (unsigned number = 1; number < BLOCKS; number++) {
        if (is_needed(number) && (load(number)->level == 0) == leaf) {
            return number;
        }
    }
    return 0;
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
    inner_item(node)->block = BLOCKS;
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

static void spoil(spoil_fn *fn, bool leaf, const char *what)
{
    make();
    unsigned number = find(leaf);
    CHECK(number != 0);
    fn(load(number));
    save(number);
    if (look() != -EUCLEAN) {
        host_test_fail(__FILE__, __LINE__, "%s is not found", what);
    }
    store_help_end(&help);
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

// ------------------------------------------------------------------- Read-only

HOST_TEST(damaged_inner_node_makes_it_read_only)
{
    struct store_problem problem;
    struct store_stats stats;
    const struct store_key key = {1, 0, 0};

    make();
    unsigned number = find(false);
    flip((size_t)number * STORE_BLOCK_SIZE + 70, 1);
    CHECK_EQ(store_help_mount(&help, 0, &problem), 0);
    CHECK_EQ(problem.error, -EUCLEAN);
    CHECK_EQ(problem.block, number);
    store_stats(help.store, &stats);
    CHECK(stats.read_only);
    CHECK_EQ(store_put(help.store, &key, "x", 1), -EROFS);
    store_help_end(&help);
}

// A damaged leaf: what it had is an error, what others have can be read and
// written.
HOST_TEST(damaged_leaf_is_the_only_one)
{
    unsigned lost = 0;
    size_t size;

    make();
    unsigned number = find(true);
    flip((size_t)number * STORE_BLOCK_SIZE + 16000, 1);
    CHECK_EQ(store_help_mount(&help, 0, NULL), 0);
    for (unsigned i = 0; i < KEYS; i++) {
        const struct store_key key = {i, 0, 0};
        int result = store_get(help.store, &key, got, sizeof(got), &size);
        CHECK_EQ(store_put(help.store, &key, "new", 3), result);
        CHECK_EQ(store_del(help.store, &key), result);
        lost += result == -EUCLEAN;
    }
    CHECK(lost < KEYS / 2);
    store_help_end(&help);
}
