// SPDX-License-Identifier: MIT
//
// Threads that read while one writes: each view is one commit's, whole, however
// often its blocks would have been used again meanwhile.
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "tests/host/store_help.h"
#include "tests/host/tap.h"

#define KEYS 40
#define READERS 3
#define ROUNDS 150

static struct store_help help;
static atomic_bool over;
static atomic_uint wrong, views, rounds_seen;

// All values of a round are alike.
static void fill(uint8_t *value, unsigned round, unsigned i)
{
    store_help_fill(value, 700, (uint64_t)round << 16 | i);
    memcpy(value, &round, sizeof(round));
}

static int see(void *arg, const struct store_key *key, const void *bytes,
               size_t size)
{
    unsigned *round = arg, is;
    uint8_t value[700];

    memcpy(&is, bytes, sizeof(is));
    if (*round == 0) {
        *round = is;
    }
    fill(value, *round, (unsigned)key->object);
    return is == *round && size == sizeof(value) &&
                   memcmp(value, bytes, size) == 0
               ? 0
               : 1;
}

static void *reader(void *arg)
{
    const struct store_key first = {0, 0, 0}, last = {KEYS, 0, 0};
    unsigned before = 0;

    (void)arg;
    while (!over) {
        struct store_view view;
        unsigned round = 0, again;
        int result = store_view_begin(help.store, 0, &view);
        if (result != 0) {
            wrong++;
            break;
        }
        wrong += store_view_scan(&view, &first, &last, see, &round) != 0;
        sched_yield(); // commits come between
        again = round;
        wrong += store_view_scan(&view, &first, &last, see, &again) != 0;
        wrong += round < before;
        rounds_seen += round != before;
        before = round;
        store_view_end(&view);
        views++;
    }
    return NULL;
}

static bool write_round(unsigned round)
{
    uint8_t value[700];
    struct store_tx *tx;

    if (store_begin(help.store, &tx) != 0) {
        return false;
    }
    for (unsigned i = 0; i < KEYS; i++) {
        const struct store_key key = {i, 0, 0};
        fill(value, round, i);
        if (store_tx_put(tx, &key, value, sizeof(value)) != 0) {
            store_abort(tx);
            return false;
        }
    }
    if (round % 7 == 0) {
        store_abort(tx);
        return true;
    }
    return store_commit(tx) == 0;
}

static void write_among_readers(unsigned flags)
{
    pthread_t threads[READERS];
    struct store_check check;
    struct store_stats stats;
    uint64_t id = 0;

    over = false;
    wrong = views = rounds_seen = 0;
    store_help_make(&help, 64, flags);
    CHECK(write_round(1));
    for (unsigned i = 0; i < READERS; i++) {
        pthread_create(&threads[i], NULL, reader, NULL);
    }
    unsigned done = 0;
    for (unsigned round = 2; round < ROUNDS || rounds_seen < 20; round++) {
        done += write_round(round); // unless views have all there is
        if (round % 10 == 0 && id == 0) {
            (void)store_snapshot_take(help.store, "s", &id);
        } else if (round % 10 == 5 && id != 0 &&
                   store_snapshot_drop(help.store, id) == 0) {
            id = 0;
        }
        sched_yield();
    }
    over = true;
    for (unsigned i = 0; i < READERS; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK_EQ(wrong, 0);
    CHECK(views > 20);
    CHECK(done > ROUNDS / 2);
    CHECK(store_help_check(help.store, &check));
    CHECK(write_round(2));
    store_stats(help.store, &stats);
    CHECK_EQ(stats.pending + stats.used + stats.free, 64);
    store_help_end(&help);
}

HOST_TEST(views_are_whole)
{
    write_among_readers(STORE_VERIFY_ALWAYS);
}

HOST_TEST(mapped_views_are_whole)
{
    write_among_readers(STORE_VERIFY_ALWAYS | STORE_READ_MAPPED);
}

static void *writer(void *arg)
{
    uint64_t mine = (uintptr_t)arg;

    for (uint64_t i = 0; i < 50; i++) {
        const struct store_key key = {mine, i, 0};
        wrong += store_put(help.store, &key, &i, sizeof(i)) != 0;
    }
    return NULL;
}

HOST_TEST(writers_take_turns)
{
    pthread_t threads[READERS];
    struct store_check check;

    wrong = 0;
    store_help_make(&help, 64, 0);
    for (uintptr_t i = 0; i < READERS; i++) {
        pthread_create(&threads[i], NULL, writer, (void *)i);
    }
    for (unsigned i = 0; i < READERS; i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK_EQ(wrong, 0);
    CHECK(store_help_check(help.store, &check));
    CHECK_EQ(check.items, READERS * 50);
    store_help_end(&help);
}
