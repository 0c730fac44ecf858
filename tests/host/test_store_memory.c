// SPDX-License-Identifier: MIT
//
// Every allocation fails once: -ENOMEM, and nothing is changed or lost.
#include "tests/host/store_help.h"
#include "tests/host/tap.h"

#define KEYS 2100

static struct store_help help;
static uint8_t value[STORE_VALUE_MAX];

static uint64_t allocated(void)
{
    struct medium_counts counts;

    medium_count(&counts);
    return counts.allocated;
}

HOST_TEST(mount_without_memory)
{
    struct store_problem problem;
    unsigned nth = 1;
    int result;

    store_help_make(&help, 64, 0);
    CHECK_EQ(store_unmount(help.store), 0);
    do {
        medium_fail_allocation(nth++);
        result = store_help_mount(&help, STORE_READ_MAPPED, &problem);
        if (result != 0) {
            CHECK_EQ(result, -ENOMEM);
            CHECK_EQ(problem.error, -ENOMEM);
            CHECK_EQ(allocated(), 0);
        }
    } while (result != 0);
    CHECK(nth > 7);
    medium_fail_allocation(0);
    store_help_end(&help);
}

// A transaction with all that there is in it, until no allocation fails.
static int change_much(void)
{
    struct store_tx *tx;
    int result = store_begin(help.store, &tx);

    for (uint64_t i = 0; i < KEYS && result == 0; i += 5) {
        const struct store_key put = {i, 0, 0}, del = {i + 1, 0, 0};
        result = store_tx_put(tx, &put, value, 10);
        if (result == 0) {
            result = store_tx_del(tx, &del);
            result = result == -ENOENT ? 0 : result; // the second time
        }
    }
    if (result != 0) {
        store_abort(tx);
        return result;
    }
    return store_commit(tx);
}

static void until_it_works(int (*fn)(void), unsigned least)
{
    struct store_stats before, after;
    struct store_check check;
    unsigned nth = 1;
    int result;

    store_stats(help.store, &before);
    do {
        medium_fail_allocation(nth++);
        result = fn();
        medium_fail_allocation(0);
        store_stats(help.store, &after);
        if (result != 0) {
            CHECK_EQ(result, -ENOMEM);
            CHECK_EQ(before.generation, after.generation);
            CHECK_EQ(before.used, after.used);
        }
        CHECK(store_help_check(help.store, &check));
    } while (result != 0);
    CHECK(nth - 2 >= least);
    CHECK_EQ(after.generation, before.generation + 1);
}

static int drop_one(void)
{
    uint64_t id;
    int result = store_snapshot_find(help.store, "s", &id);

    return result == 0 ? store_snapshot_drop(help.store, id) : result;
}

static int take_one(void)
{
    uint64_t id;

    return store_snapshot_take(help.store, "t", &id);
}

HOST_TEST(changes_without_memory)
{
    struct store_check check;
    uint64_t id, before;

    store_help_make(&help, 3000, 0);
    for (uint64_t i = 0; i < KEYS; i++) {
        const struct store_key key = {i, 0, 0};
        CHECK_EQ(store_put(help.store, &key, value, i % 10 ? 7000 : 500), 0);
    }
    CHECK_EQ(store_snapshot_take(help.store, "s", &id), 0);
    until_it_works(change_much, 3);
    until_it_works(take_one, 1);
    until_it_works(change_much, 1);
    until_it_works(drop_one, 2);
    before = allocated();
    for (unsigned nth = 1; nth <= 4; nth++) {
        medium_fail_allocation(nth);
        CHECK_EQ(store_check(help.store, &check, NULL, NULL), -ENOMEM);
    }
    CHECK_EQ(allocated(), before);
    store_help_end(&help);
    CHECK_EQ(allocated(), 0);
}
