// SPDX-License-Identifier: MIT
//
// Trees of several levels: how they grow, how full they are, and that nothing
// is left of them when all is deleted.
#include <stdlib.h>

#include "tests/host/store_help.h"
#include "tests/host/tap.h"

static struct store_help help;
static uint8_t value[STORE_VALUE_MAX], got[STORE_VALUE_MAX];

// 0 to count-1, each once, in an order of its own for each seed.
static uint64_t *shuffled(unsigned count, uint64_t seed)
{
    uint64_t *order = malloc(count * sizeof(*order));

    for (unsigned i = 0; i < count; i++) {
        unsigned j = (unsigned)(store_help_random(&seed) % (i + 1));
        order[i] = order[j];
        order[j] = i;
    }
    return order;
}

static bool put_all(const uint64_t *order, unsigned count, unsigned size,
                    unsigned in_one)
{
    struct store_tx *tx = NULL;

    for (unsigned i = 0; i < count; i++) {
        const struct store_key key = {order[i] / 100, order[i] % 100, 1};
        if (i % in_one == 0 && store_begin(help.store, &tx) != 0) {
            return false;
        }
        store_help_fill(value, size, order[i]);
        if (store_tx_put(tx, &key, value, size) != 0) {
            store_abort(tx);
            return false;
        }
        if ((i + 1) % in_one == 0 || i + 1 == count) {
            if (store_commit(tx) != 0) {
                return false;
            }
        }
    }
    return true;
}

static bool get_all(unsigned count, unsigned size)
{
    size_t had;

    for (unsigned i = 0; i < count; i++) {
        const struct store_key key = {i / 100, i % 100, 1};
        store_help_fill(value, size, i);
        if (store_get(help.store, &key, got, sizeof(got), &had) != 0 ||
            had != size || memcmp(value, got, size) != 0) {
            return false;
        }
    }
    return true;
}

static bool del_all(const uint64_t *order, unsigned count, unsigned in_one)
{
    struct store_check check;
    struct store_tx *tx = NULL;

    for (unsigned i = 0; i < count; i++) {
        const struct store_key key = {order[i] / 100, order[i] % 100, 1};
        if (i % in_one == 0 && store_begin(help.store, &tx) != 0) {
            return false;
        }
        if (store_tx_del(tx, &key) != 0) {
            store_abort(tx);
            return false;
        }
        if ((i + 1) % in_one == 0 || i + 1 == count) {
            if (store_commit(tx) != 0 ||
                !store_help_check(help.store, &check)) {
                return false;
            }
        }
    }
    return true;
}

static void fill_and_empty(unsigned blocks, unsigned count, unsigned size,
                           unsigned height)
{
    uint64_t *in = shuffled(count, 1), *out = shuffled(count, 2);
    struct store_stats stats;
    struct store_check check;

    store_help_make(&help, blocks, 0);
    CHECK(put_all(in, count, size, 250));
    CHECK(store_help_check(help.store, &check));
    CHECK_EQ(check.items, count);
    store_stats(help.store, &stats);
    CHECK_EQ(stats.height, height);
    CHECK_EQ(stats.used, check.used);
    CHECK_EQ(store_help_remount(&help, STORE_VERIFY_ALWAYS), 0);
    CHECK(get_all(count, size));
    CHECK(del_all(out, count, count / 6));
    store_stats(help.store, &stats);
    CHECK_EQ(stats.height, 0);
    CHECK_EQ(stats.used, 1);
    CHECK_EQ(stats.items, 0);
    store_help_end(&help);
    free(in);
    free(out);
}

// Two values fill a leaf, so that 510 leaves, and inner nodes above inner
// nodes, come soon.
HOST_TEST(large_values_make_three_levels)
{
    fill_and_empty(3500, 2400, STORE_VALUE_MAX, 3);
}

HOST_TEST(many_values_of_100_bytes)
{
    fill_and_empty(1000, 20000, 100, 2);
}

HOST_TEST(empty_values)
{
    fill_and_empty(300, 20000, 0, 2);
}

// In order, leaves are left full; at random, two thirds are.
HOST_TEST(leaves_are_full)
{
    unsigned count = 13000;
    uint64_t *order = malloc(count * sizeof(*order));
    struct store_stats stats;

    for (unsigned i = 0; i < count; i++) {
        order[i] = i;
    }
    store_help_make(&help, 1000, 0);
    CHECK(put_all(order, count, 100, count));
    store_stats(help.store, &stats);
    CHECK(stats.used <= count / 131 + 1 + 2);
    store_help_end(&help);
    free(order);
    order = shuffled(count, 3);
    store_help_make(&help, 1000, 0);
    CHECK(put_all(order, count, 100, count));
    store_stats(help.store, &stats);
    CHECK(stats.used <= count / 131 * 16 / 10);
    store_help_end(&help);
    free(order);
}

// Large and small in turn: wherever a leaf is cut, both halves must fit.
HOST_TEST(splits_fit)
{
    struct store_check check;
    uint64_t random = 5;

    store_help_make(&help, 2000, STORE_RECHECK);
    for (unsigned i = 0; i < 1200; i++) {
        const struct store_key key = {store_help_random(&random) % 700, 0, 0};
        static const unsigned sizes[] = {STORE_VALUE_MAX, 7000, 350, 1, 4070};
        unsigned size = sizes[store_help_random(&random) % 5];
        CHECK_EQ(store_put(help.store, &key, value, size), 0);
    }
    CHECK(store_help_check(help.store, &check));
    store_help_end(&help);
}

// A transaction's blocks are in a row, so that few runs are frozen.
HOST_TEST(transactions_are_contiguous)
{
    struct medium_counts before, after;
    struct store_stats stats;
    uint64_t *order = shuffled(5000, 4);

    store_help_make(&help, 1000, 0);
    medium_count(&before);
    CHECK(put_all(order, 5000, 100, 5000));
    medium_count(&after);
    store_stats(help.store, &stats);
    CHECK(stats.blocks_written > 40);
    CHECK_EQ(after.freezes - before.freezes, 1);
    store_help_end(&help);
    free(order);
}

// What a full store has is still there; it can be deleted, and then there is
// room again.
HOST_TEST(full_and_empty_again)
{
    struct store_check check;
    unsigned count = 0, again = 0;
    int result = 0;

    store_help_make(&help, 200, 0);
    for (; result == 0; count++) {
        const struct store_key key = {count, 0, 0};
        result = store_put(help.store, &key, value, 3000);
    }
    CHECK_EQ(result, -ENOSPC);
    count--;
    CHECK(count > 500);
    CHECK(store_help_check(help.store, &check));
    CHECK_EQ(check.items, count);
    for (unsigned i = 0; i < count; i++) {
        const struct store_key key = {i, 0, 0};
        CHECK_EQ(store_del(help.store, &key), 0);
    }
    for (result = 0; result == 0; again++) {
        const struct store_key key = {again, 0, 0};
        result = store_put(help.store, &key, value, 3000);
    }
    CHECK_EQ(again - 1, count);
    store_help_end(&help);
}

static bool put(uint64_t object, unsigned size)
{
    const struct store_key key = {object, 0, 0};

    return store_put(help.store, &key, value, size) == 0;
}

static bool del(uint64_t object)
{
    const struct store_key key = {object, 0, 0};

    return store_del(help.store, &key) == 0;
}

static struct store_stats stats_now(void)
{
    struct store_stats stats;

    store_stats(help.store, &stats);
    return stats;
}

// A key below all others, when what was first is gone.
HOST_TEST(below_the_first)
{
    struct store_check check;

    store_help_make(&help, 64, 0);
    for (unsigned i = 10; i < 16; i++) {
        CHECK(put(i, STORE_VALUE_MAX));
    }
    CHECK(del(10) && del(11));
    CHECK(put(5, 10));
    CHECK(store_help_check(help.store, &check));
    CHECK(put(3, 10));
    CHECK(store_help_check(help.store, &check));
    store_help_end(&help);
}

// Small leaves take in the next one, the last one the one before; and the root
// goes when one leaf is left.
HOST_TEST(small_leaves_merge)
{
    store_help_make(&help, 64, 0);
    for (unsigned last = 0; last < 2; last++) {
        for (unsigned i = 0; i < 36; i++) {
            CHECK(put(i, 1300)); // in order: 12 in each leaf
        }
        CHECK_EQ(stats_now().used, 5);
        // The one in the middle half empty, then one beside it nearly.
        for (unsigned i = 12; i < 18; i++) {
            CHECK(del(i));
        }
        CHECK_EQ(stats_now().used, 5);
        for (unsigned i = 0; i < 11; i++) {
            CHECK(del(last ? 24 + i : i));
        }
        CHECK_EQ(stats_now().used, 4);
        CHECK(del(last ? 35 : 11));
        for (unsigned i = 18; i < 23; i++) {
            CHECK(del(i));
        }
        for (unsigned i = 0; i < 11; i++) {
            CHECK(del(last ? i : 24 + i));
        }
        CHECK_EQ(stats_now().height, 1);
        CHECK_EQ(stats_now().used, 2);
        CHECK(del(23) && del(last ? 11 : 35));
        CHECK_EQ(stats_now().used, 1);
    }
    store_help_end(&help);
}
