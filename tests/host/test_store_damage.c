// SPDX-License-Identifier: MIT
//
// Damage: whatever byte of a store changes, it is found, and no answer is
// wrong without an error.
#include "apps/store/format.h"
#include "tests/host/damage.h"
#include "tests/host/tap.h"

static uint8_t value[DAMAGE_SIZE], got[DAMAGE_SIZE];

HOST_TEST(every_byte_of_every_block)
{
    unsigned needed = 0;

    damage_make();
    CHECK_EQ(damage_look(), 0);
    for (unsigned block = 1; block < DAMAGE_BLOCKS; block++) {
        if (!damage_is_needed(block)) {
            continue;
        }
        needed++;
        // Headers and items all, of the values each seventh.
        for (size_t at = 0; at < STORE_BLOCK_SIZE; at += at < 600 ? 1 : 7) {
            size_t offset = (size_t)block * STORE_BLOCK_SIZE + at;
            uint8_t bits = (uint8_t)(1 << at % 8);
            store_help_flip(&damaged, offset, bits);
            CHECK_EQ(damage_look(), -EUCLEAN);
            store_help_flip(&damaged, offset, bits);
        }
    }
    CHECK(needed >= 6); // a root and leaves, and the snapshot's
    CHECK_EQ(damage_look(), 0);
    store_help_end(&damaged);
}

// Of block 0, all but the superblock that is not current: a commit may have
// been there when the power went.
HOST_TEST(every_byte_of_block_0)
{
    uint64_t selector;

    damage_make();
    medium_read(damaged.medium, STORE_SELECTOR_AT, &selector, sizeof(selector));
    for (size_t at = 0; at < STORE_BLOCK_SIZE; at++) {
        unsigned part = (unsigned)(at / STORE_PART_SIZE);
        bool other = part == 2 + (selector + 1) % 2;
        store_help_flip(&damaged, at, 0x40);
        int result = damage_look();
        if (other) {
            CHECK_EQ(result, 0);
        } else {
            CHECK(result == -EUCLEAN || (result == -ENODEV && at < 16));
        }
        store_help_flip(&damaged, at, 0x40);
    }
    CHECK_EQ(damage_look(), 0);
    store_help_end(&damaged);
}

// What is in the superblock that is not current does not get into the next one.
HOST_TEST(superblock_is_written_whole)
{
    const struct store_key key = {1, 0, 0};
    uint64_t selector;

    damage_make();
    for (unsigned i = 0; i < 2; i++) {
        medium_read(damaged.medium, STORE_SELECTOR_AT, &selector,
                    sizeof(selector));
        store_help_flip(
            &damaged,
            STORE_SLOT_AT + (selector + 1) % 2 * STORE_PART_SIZE + 3000, 1);
        CHECK_EQ(store_help_mount(&damaged, 0, NULL), 0);
        CHECK_EQ(store_put(damaged.store, &key, "x", 1), 0);
        CHECK_EQ(store_put(damaged.store, &key, "y", 1), 0);
        CHECK_EQ(store_unmount(damaged.store), 0);
        damaged.store = NULL;
        CHECK_EQ(damage_look(), 0);
        CHECK_EQ(store_help_mount(&damaged, 0, NULL), 0);
        CHECK_EQ(store_put(damaged.store, &key, "z", 1), 0);
        CHECK_EQ(store_unmount(damaged.store), 0);
        damaged.store = NULL;
        CHECK_EQ(damage_look(), 0);
    }
    store_help_end(&damaged);
}

// Nor does what comes there while the store is mounted.
HOST_TEST(superblock_is_written_whole_each_time)
{
    const struct store_key key = {1, 0, 0};

    damage_make();
    CHECK_EQ(store_help_mount(&damaged, 0, NULL), 0);
    for (unsigned i = 0; i < 4; i++) {
        CHECK_EQ(store_put(damaged.store, &key, "x", 1), 0);
        for (unsigned slot = 0; slot < 2; slot++) {
            store_help_flip(&damaged,
                            STORE_SLOT_AT + slot * STORE_PART_SIZE +
                                sizeof(struct store_superblock) + 1000 * i,
                            1);
        }
        CHECK_EQ(store_put(damaged.store, &key, "y", 1), 0);
        CHECK_EQ(store_help_remount(&damaged, 0), 0);
    }
    store_help_end(&damaged);
}

// Right, or an error.
HOST_TEST(no_wrong_answer)
{
    uint64_t random = 11;
    unsigned errors = 0;

    damage_make();
    for (unsigned round = 0; round < 300; round++) {
        size_t offset =
            STORE_BLOCK_SIZE + store_help_random(&random) %
                                   ((DAMAGE_BLOCKS - 1) * STORE_BLOCK_SIZE);
        uint8_t bits = (uint8_t)(1 << round % 8);
        store_help_flip(&damaged, offset, bits);
        CHECK_EQ(store_help_mount(&damaged, 0, NULL), 0);
        for (unsigned i = 0; i < DAMAGE_KEYS; i++) {
            const struct store_key key = {i, 0, 0};
            size_t size = 0;
            int result =
                store_get(damaged.store, &key, got, sizeof(got), &size);
            store_help_fill(value, sizeof(value), damage_seed_of(i));
            CHECK(result == -EUCLEAN || (result == 0 && size == sizeof(value) &&
                                         memcmp(value, got, size) == 0));
            errors += result != 0;
        }
        CHECK_EQ(store_unmount(damaged.store), 0);
        damaged.store = NULL;
        store_help_flip(&damaged, offset, bits);
    }
    CHECK(errors > 50);
    store_help_end(&damaged);
}

// ------------------------------------------------------------------- Read-only

HOST_TEST(damaged_inner_node_makes_it_read_only)
{
    struct store_problem problem;
    struct store_stats stats;
    const struct store_key key = {1, 0, 0};

    damage_make();
    unsigned number = damage_find(false);
    store_help_flip(&damaged, (size_t)number * STORE_BLOCK_SIZE + 70, 1);
    CHECK_EQ(store_help_mount(&damaged, 0, &problem), 0);
    CHECK_EQ(problem.error, -EUCLEAN);
    CHECK_EQ(problem.block, number);
    store_stats(damaged.store, &stats);
    CHECK(stats.read_only);
    CHECK_EQ(store_put(damaged.store, &key, "x", 1), -EROFS);
    store_help_end(&damaged);
}

// A damaged leaf: what it had is an error, what others have can be read and
// written.
HOST_TEST(damaged_leaf_is_the_only_one)
{
    unsigned lost = 0;
    size_t size;

    damage_make();
    unsigned number = damage_find(true);
    store_help_flip(&damaged, (size_t)number * STORE_BLOCK_SIZE + 16000, 1);
    CHECK_EQ(store_help_mount(&damaged, 0, NULL), 0);
    for (unsigned i = 0; i < DAMAGE_KEYS; i++) {
        const struct store_key key = {i, 0, 0};
        int result = store_get(damaged.store, &key, got, sizeof(got), &size);
        CHECK_EQ(store_put(damaged.store, &key, "new", 3), result);
        CHECK_EQ(store_del(damaged.store, &key), result);
        lost += result == -EUCLEAN;
    }
    CHECK(lost < DAMAGE_KEYS / 2);
    store_help_end(&damaged);
}

// A block that was read before it was damaged: from the check on nobody reads
// it, nor makes a new one of it.
HOST_TEST(what_check_finds_is_not_read_again)
{
    const struct store_key key = {0, 0, 0};
    size_t size, offset, lost = 0;
    struct store_check check;

    damage_make();
    offset = (size_t)damage_find(true) * STORE_BLOCK_SIZE + 16000;
    CHECK_EQ(store_help_mount(&damaged, 0, NULL), 0);
    for (unsigned i = 0; i < DAMAGE_KEYS; i++) {
        const struct store_key each = {i, 0, 0};
        CHECK_EQ(store_get(damaged.store, &each, got, sizeof(got), &size), 0);
    }
    store_help_flip(&damaged, offset, 1);
    CHECK_EQ(store_check(damaged.store, &check, NULL, NULL), -EUCLEAN);
    for (unsigned i = 0; i < DAMAGE_KEYS; i++) {
        const struct store_key each = {i, 0, 0};
        int result = store_get(damaged.store, &each, got, sizeof(got), &size);
        CHECK_EQ(store_put(damaged.store, &each, got, size), result);
        lost += result == -EUCLEAN;
    }
    CHECK(lost > 0 && lost < DAMAGE_KEYS);
    store_help_flip(&damaged, offset, 1);
    CHECK(store_help_check(damaged.store, &check));
    CHECK_EQ(store_get(damaged.store, &key, got, sizeof(got), &size), 0);
    store_help_end(&damaged);
}

// ------------------------------------------------- While a transaction is open

// A leaf that the open transaction has made, or 0.
static unsigned find_own_leaf(void)
{
    struct store_stats stats;
    struct store_node node;

    store_stats(damaged.store, &stats);
    for (unsigned number = 1; number < DAMAGE_BLOCKS; number++) {
        medium_read(damaged.medium, (size_t)number * STORE_BLOCK_SIZE, &node,
                    sizeof(node));
        if (node.block == number && node.level == 0 &&
            node.generation == stats.generation + 1) {
            return number;
        }
    }
    return 0;
}

// A change that damage stops half-way is not forgotten by one that succeeds
// elsewhere.
HOST_TEST(half_a_change_is_never_committed)
{
    static uint8_t large[STORE_VALUE_MAX];
    const struct store_key first = {0, 0, 0}, last = {DAMAGE_KEYS - 1, 0, 0};
    const uint16_t outside = 0xfff0;
    struct store_tx *tx;
    size_t size;

    damage_make();
    CHECK_EQ(store_help_mount(&damaged, 0, NULL), 0);
    CHECK_EQ(store_begin(damaged.store, &tx), 0);
    CHECK_EQ(store_tx_put(tx, &first, "x", 1), 0);
    unsigned leaf = find_own_leaf();
    CHECK(leaf != 0);
    medium_write(damaged.medium,
                 (size_t)leaf * STORE_BLOCK_SIZE + sizeof(struct store_node) +
                     3 * sizeof(struct store_leaf_item) +
                     offsetof(struct store_leaf_item, data_offset),
                 &outside, sizeof(outside));
    CHECK_EQ(store_tx_put(tx, &first, large, sizeof(large)), -EUCLEAN);
    CHECK_EQ(store_tx_put(tx, &last, "y", 1), 0);
    CHECK_EQ(store_commit(tx), -EUCLEAN);
    CHECK_EQ(store_get(damaged.store, &first, got, sizeof(got), &size), 0);
    CHECK_EQ(size, DAMAGE_SIZE);
    CHECK_EQ(store_unmount(damaged.store), 0);
    damaged.store = NULL;
    CHECK_EQ(damage_look(), 0);
    store_help_end(&damaged);
}
