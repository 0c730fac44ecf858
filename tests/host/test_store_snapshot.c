// SPDX-License-Identifier: MIT
//
// Snapshots: what they keep, and that dropping one gives back what nobody else
// has, whichever it is.
#include <stdlib.h>

#include "tests/host/store_help.h"
#include "tests/host/tap.h"

#define KEYS 120

static struct store_help help;
static uint8_t value[3000], got[3000];

// Give every `every`-th key a value of a round.
static bool put_round(unsigned round, unsigned every)
{
    struct store_tx *tx;

    if (store_begin(help.store, &tx) != 0) {
        return false;
    }
    for (unsigned i = round % every; i < KEYS; i += every) {
        const struct store_key key = {i, 0, 0};
        store_help_fill(value, sizeof(value), round << 8 | i);
        if (store_tx_put(tx, &key, value, sizeof(value)) != 0) {
            store_abort(tx);
            return false;
        }
    }
    return store_commit(tx) == 0;
}

// Whether what `snapshot` has of a key is of that round.
static bool is_round(uint64_t snapshot, unsigned i, unsigned round)
{
    const struct store_key key = {i, 0, 0};
    struct store_view view;
    size_t size;

    if (store_view_begin(help.store, snapshot, &view) != 0) {
        return false;
    }
    int result = store_view_get(&view, &key, got, sizeof(got), &size);
    store_view_end(&view);
    store_help_fill(value, sizeof(value), round << 8 | i);
    return result == 0 && size == sizeof(value) &&
           memcmp(value, got, size) == 0;
}

static uint64_t used(void)
{
    struct store_stats stats;
    struct store_check check;

    store_stats(help.store, &stats);
    if (!store_help_check(help.store, &check) || check.used != stats.used) {
        return 0;
    }
    return stats.used;
}

HOST_TEST(names)
{
    char name[66];
    uint64_t id, found;
    struct store_view view;

    store_help_make(&help, 64, 0);
    memset(name, 'n', sizeof(name));
    name[64] = 0;
    CHECK_EQ(store_snapshot_take(help.store, name, &id), -EINVAL);
    CHECK_EQ(store_snapshot_take(help.store, "", &id), -EINVAL);
    name[63] = 0;
    CHECK_EQ(store_snapshot_take(help.store, name, &id), 0);
    CHECK_EQ(id, 1);
    CHECK_EQ(store_snapshot_take(help.store, name, &id), -EEXIST);
    CHECK_EQ(store_snapshot_find(help.store, name, &found), 0);
    CHECK_EQ(found, 1);
    name[62] = 0;
    CHECK_EQ(store_snapshot_find(help.store, name, &found), -ENOENT);
    CHECK_EQ(store_snapshot_drop(help.store, 7), -ENOENT);
    CHECK_EQ(store_view_begin(help.store, 7, &view), -ENOENT);
    CHECK_EQ(store_snapshot_drop(help.store, 1), 0);
    CHECK_EQ(store_snapshot_take(help.store, "again", &id), 0);
    CHECK_EQ(id, 2); // an id is never used again
    store_help_end(&help);
}

static int collect(void *arg, const struct store_snapshot *snapshot)
{
    char *text = arg;
    size_t had = strlen(text);

    snprintf(text + had, 200 - had, "%llu %s %llu;",
             (unsigned long long)snapshot->id, snapshot->name,
             (unsigned long long)snapshot->items);
    return 0;
}

HOST_TEST(listed_in_order)
{
    const struct store_key key = {1, 1, 1};
    char text[200] = "";
    uint64_t id;

    store_help_make(&help, 64, 0);
    CHECK_EQ(store_snapshot_take(help.store, "of nothing", &id), 0);
    CHECK_EQ(store_put(help.store, &key, "x", 1), 0);
    CHECK_EQ(store_snapshot_take(help.store, "b", &id), 0);
    CHECK_EQ(store_snapshot_take(help.store, "a", &id), 0);
    CHECK_EQ(store_snapshots(help.store, collect, text), 0);
    CHECK_STR(text, "1 of nothing 0;2 b 1;3 a 1;");
    store_help_end(&help);
}

// A record in the head is all it takes, whatever the store holds.
HOST_TEST(taking_copies_nothing)
{
    struct store_stats before, after;
    uint64_t id;

    store_help_make(&help, 200, 0);
    CHECK(put_round(0, 1));
    store_stats(help.store, &before);
    CHECK_EQ(before.height, 2);
    CHECK_EQ(store_snapshot_take(help.store, "s", &id), 0);
    store_stats(help.store, &after);
    CHECK(after.blocks_written - before.blocks_written <= 2);
    CHECK(after.used - before.used <= 2);
    store_help_end(&help);
}

// Rounds 0 to 4 with a snapshot of each; drop them in every order.
static void drop_in_order(const unsigned *order, bool again)
{
    uint64_t ids[5], base, after;
    bool kept[5] = {true, true, true, true, true};
    char name[8];

    store_help_make(&help, 600, STORE_RECHECK);
    CHECK(put_round(0, 1));
    base = used();
    for (unsigned round = 0; round < 5; round++) {
        // The third changes nothing.
        CHECK(round == 2 || put_round(round, round + 1));
        snprintf(name, sizeof(name), "%u", round);
        CHECK_EQ(store_snapshot_take(help.store, name, &ids[round]), 0);
    }
    CHECK(put_round(5, 1));
    for (unsigned i = 0; i < 5; i++) {
        CHECK_EQ(store_snapshot_drop(help.store, ids[order[i]]), 0);
        kept[order[i]] = false;
        CHECK(used() != 0);
        if (again) {
            CHECK_EQ(store_help_remount(&help, 0), 0);
            CHECK(used() != 0);
        }
        for (unsigned round = 0; round < 5; round++) {
            if (kept[round] && round != 2) {
                CHECK(is_round(ids[round], round, round));
            }
        }
        CHECK(!kept[4] || is_round(ids[4], 0, 0)); // no round had it since
        CHECK(is_round(0, 17, 5));
    }
    after = used();
    CHECK(after >= base - 1 && after <= base + 1);
    store_help_end(&help);
}

HOST_TEST(dropped_in_any_order)
{
    for (unsigned n = 0; n < 120; n++) {
        unsigned order[5] = {0, 1, 2, 3, 4}, code = n;
        for (unsigned i = 5; i > 1; i--) {
            unsigned j = code % i, swapped = order[j];
            code /= i;
            order[j] = order[i - 1];
            order[i - 1] = swapped;
        }
        if (n % 8 == 3) { // all of them take a while
            drop_in_order(order, n % 16 == 3);
        }
    }
}

// A view of a dropped snapshot has it until it ends.
HOST_TEST(view_outlives_its_snapshot)
{
    const struct store_key key = {17, 0, 0};
    struct store_view view;
    struct store_stats stats;
    uint64_t id;
    size_t size;

    store_help_make(&help, 150, STORE_RECHECK);
    CHECK(put_round(0, 1));
    CHECK_EQ(store_snapshot_take(help.store, "s", &id), 0);
    CHECK_EQ(store_view_begin(help.store, id, &view), 0);
    CHECK(put_round(1, 1));
    CHECK_EQ(store_snapshot_drop(help.store, id), 0);
    store_stats(help.store, &stats);
    CHECK(stats.pending > 20);
    while (put_round(2, 1)) { // until there is no room left
        store_stats(help.store, &stats);
        if (stats.free < 40) {
            break;
        }
    }
    CHECK_EQ(store_view_get(&view, &key, got, sizeof(got), &size), 0);
    store_help_fill(value, sizeof(value), 17);
    CHECK(memcmp(value, got, sizeof(value)) == 0);
    store_view_end(&view);
    CHECK(put_round(3, 1));
    store_stats(help.store, &stats);
    CHECK(stats.pending < 40);
    CHECK(used() != 0);
    store_help_end(&help);
}

// Whatever puts, deletions and snapshots have filled: all snapshots can be
// dropped.
static void fill_small(uint64_t random)
{
    static uint8_t large[STORE_VALUE_MAX];
    struct store_stats stats;
    uint64_t id, last = 0;
    char name[8];

    store_help_make(&help, 16 + random % 16, 0);
    for (unsigned step = 0; step < 400; step++) {
        unsigned what = store_help_random(&random) % 8;
        struct store_key key = {store_help_random(&random) % 200, 0, 0};
        if (what < 3) {
            store_put(help.store, &key, large,
                      store_help_random(&random) % (sizeof(large) + 1));
        } else if (what < 6) {
            store_del(help.store, &key);
        } else {
            snprintf(name, sizeof(name), "%u", step);
            last += store_snapshot_take(help.store, name, &id) == 0;
        }
    }
    for (id = 1; id <= last; id++) {
        CHECK_EQ(store_snapshot_drop(help.store, id), 0);
    }
    store_stats(help.store, &stats);
    CHECK_EQ(stats.snapshots, 0);
    store_help_end(&help);
}

HOST_TEST(full_and_small)
{
    for (unsigned seed = 170; seed < 370; seed++) {
        fill_small(seed);
    }
}

// One more snapshot, until nothing goes any more; all can be dropped then.
HOST_TEST(full_of_snapshots)
{
    uint64_t ids[100], count = 0;
    char name[8];

    store_help_make(&help, 150, 0);
    CHECK(put_round(0, 1));
    for (unsigned round = 1; count < 100; round++) {
        snprintf(name, sizeof(name), "%u", round);
        if (!put_round(round, 20) ||
            store_snapshot_take(help.store, name, &ids[count]) != 0) {
            break;
        }
        count++;
    }
    CHECK(count > 3 && count < 100);
    CHECK(used() != 0);
    // What puts leave is for deletions, and what those leave for dropping.
    for (unsigned i = 0; i < 3; i++) {
        const struct store_key key = {i * 40, 0, 0};
        CHECK_EQ(store_del(help.store, &key), 0);
    }
    while (count > 0) {
        CHECK_EQ(store_snapshot_drop(help.store, ids[--count]), 0);
        CHECK(used() != 0);
    }
    CHECK(put_round(7, 2));
    store_help_end(&help);
}
