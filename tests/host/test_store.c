// SPDX-License-Identifier: MIT
//
// The store's calls one by one: what they give, refuse, and cost.
#include "apps/store/store.h"

#include "tests/host/medium_internal.h"
#include "tests/host/store_help.h"
#include "tests/host/tap.h"

#define BLOCKS 64

static const struct store_key key_1 = {1, 2, 3};

static struct store_help help;
static uint8_t value[STORE_VALUE_MAX + 1], got[STORE_VALUE_MAX];

// ----------------------------------------------------------------- Puts, gets

HOST_TEST(values_of_any_size)
{
    size_t size = 77;

    store_help_make(&help, BLOCKS, STORE_RECHECK);
    for (unsigned length = 0; length <= STORE_VALUE_MAX; length += 400) {
        store_help_fill(value, length, length);
        CHECK_EQ(store_put(help.store, &key_1, value, length), 0);
        CHECK_EQ(store_get(help.store, &key_1, got, sizeof(got), &size), 0);
        CHECK(size == length && memcmp(value, got, length) == 0);
    }
    CHECK_EQ(store_put(help.store, &key_1, value, STORE_VALUE_MAX + 1),
             -EINVAL);
    CHECK_EQ(store_get(help.store, &key_1, got, 100, &size), -ERANGE);
    CHECK_EQ(size, STORE_VALUE_MAX);
    CHECK_EQ(store_put(help.store, &key_1, NULL, 0), 0);
    CHECK_EQ(store_get(help.store, &key_1, NULL, 0, &size), 0);
    CHECK_EQ(size, 0);
    store_help_end(&help);
}

HOST_TEST(own_object_is_not_for_users)
{
    const struct store_key own = {UINT64_MAX, 1, 1};
    struct store_view view;
    struct store_tx *tx;
    size_t size;

    store_help_make(&help, BLOCKS, 0);
    CHECK_EQ(store_put(help.store, &own, "x", 1), -EINVAL);
    CHECK_EQ(store_del(help.store, &own), -EINVAL);
    CHECK_EQ(store_get(help.store, &own, got, 1, &size), -EINVAL);
    CHECK_EQ(store_view_begin(help.store, 0, &view), 0);
    CHECK_EQ(store_view_get(&view, &own, got, 1, &size), -EINVAL);
    store_view_end(&view);
    CHECK_EQ(store_begin(help.store, &tx), 0);
    CHECK_EQ(store_tx_get(tx, &own, got, 1, &size), -EINVAL);
    store_abort(tx);
    store_help_end(&help);
}

static unsigned scanned;

static int count_one(void *arg, const struct store_key *key, const void *bytes,
                     size_t size)
{
    (void)arg, (void)key, (void)bytes, (void)size;
    scanned++;
    return 0;
}

static int expect_order(void *arg, const struct store_key *key,
                        const void *bytes, size_t size)
{
    const struct store_key *const *next = arg;
    const struct store_key *want = next[scanned++];

    (void)bytes;
    return size == 1 && key->object == want->object &&
                   key->type == want->type && key->offset == want->offset
               ? 0
               : 1;
}

static int stop_at_two(void *arg, const struct store_key *key,
                       const void *bytes, size_t size)
{
    (void)arg, (void)key, (void)bytes, (void)size;
    return ++scanned == 2 ? -ENOSYS : 0;
}

// By object, then type, then offset, with both ends in it.
HOST_TEST(keys_are_ordered)
{
    static const struct store_key sorted[] = {
        {0, 0, 0}, {0, UINT64_MAX, 0}, {0, 5, 1},  {1, 0, 0},
        {1, 1, 0}, {1, 0, 255},        {2, 9, 10}, {UINT64_MAX - 1, 0, 0},
    };
    const struct store_key *order[] = {&sorted[1], &sorted[2], &sorted[3],
                                       &sorted[4], &sorted[5]};
    const struct store_key *all[8], end = {UINT64_MAX, UINT64_MAX, 255};
    struct store_view view;

    store_help_make(&help, BLOCKS, 0);
    for (unsigned i = 0; i < 8; i++) {
        CHECK_EQ(store_put(help.store, &sorted[i * 5 % 8], "x", 1), 0);
        all[i] = &sorted[i];
    }
    CHECK_EQ(store_view_begin(help.store, 0, &view), 0);
    scanned = 0;
    CHECK_EQ(
        store_view_scan(&view, &sorted[1], &sorted[5], expect_order, order), 0);
    CHECK_EQ(scanned, 5);
    scanned = 0;
    CHECK_EQ(store_view_scan(&view, &sorted[0], &end, expect_order, all), 0);
    CHECK_EQ(scanned, 8);
    scanned = 0;
    CHECK_EQ(store_view_scan(&view, &sorted[0], &end, stop_at_two, NULL),
             -ENOSYS);
    CHECK_EQ(scanned, 2);
    CHECK_EQ(store_view_scan(&view, &sorted[5], &sorted[4], stop_at_two, NULL),
             0);
    store_view_end(&view);
    store_help_end(&help);
}

// ---------------------------------------------------------------- What it
// costs

HOST_TEST(reading_costs_brackets_only)
{
    struct medium_counts before, after;
    struct store_stats stats;
    size_t size;

    store_help_make(&help, 256, 0);
    for (uint64_t i = 0; i < 300; i++) {
        const struct store_key key = {i, 0, 0};
        CHECK_EQ(store_put(help.store, &key, value, 1000), 0);
    }
    store_stats(help.store, &stats);
    CHECK_EQ(stats.height, 2);
    const struct store_key key = {7, 0, 0};
    medium_count(&before);
    CHECK_EQ(store_get(help.store, &key, got, sizeof(got), &size), 0);
    medium_count(&after);
    CHECK_EQ(after.brackets - before.brackets, 2);
    CHECK_EQ(after.write_brackets, before.write_brackets);
    CHECK_EQ(after.lines + after.fences, before.lines + before.fences);
    CHECK_EQ(after.allocated, before.allocated);
    // The first leaf has 15 of these; the next one is not looked at.
    const struct store_key first = {0, 0, 0}, last = {14, 0, 0};
    struct store_view view;
    CHECK_EQ(store_view_begin(help.store, 0, &view), 0);
    scanned = 0;
    medium_count(&before);
    CHECK_EQ(store_view_scan(&view, &first, &last, count_one, NULL), 0);
    medium_count(&after);
    CHECK_EQ(scanned, 15);
    CHECK_EQ(after.brackets - before.brackets, 1);
    store_view_end(&view);
    store_help_end(&help);
}

// An item among others: the header, the items from there on, and the value.
HOST_TEST(commit_flushes_what_it_stored_to)
{
    struct medium_counts before, after;
    struct store_stats stats;

    store_help_make(&help, BLOCKS, 0);
    CHECK_EQ(store_put(help.store, &key_1, value, 100), 0);
    medium_count(&before);
    CHECK_EQ(store_put(help.store, &key_1, value, 100), 0);
    medium_count(&after);
    // The leaf's header and its one item, the value's lines, the superblock's
    // two, the selector's.
    CHECK_EQ(after.lines - before.lines, 2 + 2 + 2 + 1);
    CHECK_EQ(after.fences - before.fences, 2);
    CHECK_EQ(after.freezes - before.freezes, 1);
    store_stats(help.store, &stats);
    CHECK_EQ(stats.commits, 2);
    CHECK_EQ(stats.fences, 4);
    CHECK_EQ(stats.blocks_written, 2);
    CHECK_EQ(stats.used, 2);
    store_help_end(&help);
}

HOST_TEST(nothing_changed_is_not_written)
{
    struct medium_counts before, after;
    struct store_tx *tx;

    store_help_make(&help, BLOCKS, 0);
    medium_count(&before);
    CHECK_EQ(store_begin(help.store, &tx), 0);
    CHECK_EQ(store_tx_del(tx, &key_1), -ENOENT);
    CHECK_EQ(store_commit(tx), 0);
    medium_count(&after);
    CHECK_EQ(before.write_brackets, after.write_brackets);
    CHECK_EQ(before.fences, after.fences);
    store_help_end(&help);
}

// ------------------------------------------------------------------- Freezing

HOST_TEST(commit_goes_on_without_a_watch)
{
    struct store_stats stats;

    store_help_make(&help, BLOCKS, 0);
    medium_fail_freeze(1, -ENOSPC);
    CHECK_EQ(store_put(help.store, &key_1, value, 100), 0);
    store_stats(help.store, &stats);
    CHECK_EQ(stats.unfrozen, 1);
    CHECK_EQ(store_put(help.store, &key_1, value, 100), 0);
    store_stats(help.store, &stats);
    CHECK_EQ(stats.unfrozen, 1);
    store_help_end(&help);
}

static void scribble(struct medium *medium, size_t offset, size_t length)
{
    uint8_t byte = 0x55;

    medium_on_freeze(NULL);
    medium_write(medium, offset + length - 1, &byte, 1);
}

HOST_TEST(frozen_block_that_changes_is_not_committed)
{
    struct store_check check;
    struct store_stats before, after;
    size_t size;

    store_help_make(&help, BLOCKS, STORE_RECHECK);
    CHECK_EQ(store_put(help.store, &key_1, "old", 3), 0);
    store_stats(help.store, &before);
    medium_on_freeze(scribble);
    CHECK_EQ(store_put(help.store, &key_1, "new", 3), -EUCLEAN);
    store_stats(help.store, &after);
    CHECK_EQ(before.generation, after.generation);
    CHECK_EQ(before.used, after.used);
    CHECK(store_help_check(help.store, &check));
    CHECK_EQ(store_help_remount(&help, 0), 0);
    CHECK_EQ(store_get(help.store, &key_1, got, 3, &size), 0);
    CHECK(memcmp(got, "old", 3) == 0);
    CHECK_EQ(store_put(help.store, &key_1, "new", 3), 0);
    store_help_end(&help);
}

// Right after a superblock was written.
static void scribble_on_superblock(void *medium, size_t offset, size_t length)
{
    uint8_t byte = 0x55;

    (void)length;
    if (offset == 0x2000 || offset == 0x3000) {
        medium_watch(medium, NULL, NULL);
        medium_write(medium, offset + 0x20, &byte, 1);
    }
}

static void see_flush(void *medium, size_t offset, size_t length,
                      uintptr_t site)
{
    (void)medium, (void)offset, (void)length, (void)site;
}

static void see_drain(void *medium, uintptr_t site)
{
    (void)medium, (void)site;
}

HOST_TEST(superblock_that_changes_is_not_committed)
{
    static const struct medium_watcher scribbler = {
        .unmap = scribble_on_superblock,
        .flush = see_flush,
        .drain = see_drain,
    };

    store_help_make(&help, BLOCKS, STORE_RECHECK);
    medium_watch(help.medium, &scribbler, help.medium);
    CHECK_EQ(store_put(help.store, &key_1, "new", 3), -EUCLEAN);
    CHECK_EQ(store_put(help.store, &key_1, "new", 3), 0);
    CHECK_EQ(store_help_remount(&help, 0), 0);
    store_help_end(&help);
}

// A stray write to a block that is not frozen yet, to what says whose it is.
HOST_TEST(block_that_is_lost_is_not_committed)
{
    const size_t fields[] = {0, 8, 16}; // of the node's header
    struct store_check check;
    struct store_tx *tx;
    size_t size;

    store_help_make(&help, BLOCKS, 0);
    CHECK_EQ(store_put(help.store, &key_1, "old", 3), 0); // in block 1
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQ(store_begin(help.store, &tx), 0);
        CHECK_EQ(store_tx_put(tx, &key_1, "new", 3), 0);
        // The blocks behind it, in turn.
        store_help_flip(&help, (2 + i) * STORE_BLOCK_SIZE + fields[i], 0x10);
        CHECK_EQ(store_commit(tx), -EUCLEAN);
        CHECK(store_help_check(help.store, &check));
    }
    CHECK_EQ(store_get(help.store, &key_1, got, 3, &size), 0);
    CHECK(memcmp(got, "old", 3) == 0);
    store_help_end(&help);
}

// ------------------------------------------------------------------ Many views

HOST_TEST(views_are_bounded)
{
    struct store_view views[65];
    struct medium_counts counts;
    unsigned open = 0;

    // An empty store has no root to hold a bracket on.
    store_help_make(&help, BLOCKS, 0);
    while (open < 65 && store_view_begin(help.store, 0, &views[open]) == 0) {
        open++;
    }
    CHECK_EQ(open, 64);
    CHECK_EQ(store_unmount(help.store), -EBUSY);
    while (open > 0) {
        store_view_end(&views[--open]);
    }
    CHECK_EQ(store_view_begin(help.store, 0, &views[0]), 0);
    store_view_end(&views[0]);
    store_help_end(&help);
    medium_count(&counts);
    CHECK_EQ(counts.allocated, 0);
}

HOST_TEST(unmount_waits_for_nobody)
{
    struct store_tx *tx;

    store_help_make(&help, BLOCKS, 0);
    CHECK_EQ(store_begin(help.store, &tx), 0);
    CHECK_EQ(store_unmount(help.store), -EBUSY);
    store_abort(tx);
    store_help_end(&help);
}
