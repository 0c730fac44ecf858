// SPDX-License-Identifier: MIT
//
// What the store's calls cost with 10^5 keys of 100 bytes (store.*), and with
// 10^6 (store_million.*), one operation each: random keys, half of those that
// are put new. Scans are counted by items.
#include "tests/bench_store.h"

#include "lib/types.h"

#define GETS 4096
#define GETS_A_VIEW 128
#define SCANS 128
#define ITEMS_A_SCAN 100
#define PUTS_MAX 4000

static struct store_key keys_of[PUTS_MAX > GETS ? PUTS_MAX : GETS];

static void take_existing(const struct bench_store *bench, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        keys_of[i] = bench_store_key(bench_store_random(bench->filled));
    }
}

static void get_bench(uint64_t keys, unsigned flags)
{
    uint8_t value[BENCH_STORE_VALUE];
    size_t size;
    unsigned found = 0;
    BENCH_STORE(bench, keys, flags);
    take_existing(bench, GETS);
    bench_store_begin(bench);
    for (unsigned i = 0; i < GETS; i++) {
        found += store_get(bench->store, &keys_of[i], value, sizeof(value),
                           &size) == 0;
    }
    bench_store_end(bench, GETS);
    bench_store_close(region);
    CHECK_EQ(found, GETS);
}

static void get_view_bench(uint64_t keys, unsigned flags)
{
    uint8_t value[BENCH_STORE_VALUE];
    struct store_view view;
    size_t size;
    unsigned found = 0;
    BENCH_STORE(bench, keys, flags);
    take_existing(bench, GETS);
    bench_store_begin(bench);
    for (unsigned i = 0; i < GETS; i++) {
        if (i % GETS_A_VIEW == 0) {
            found += store_view_begin(bench->store, 0, &view) == 0;
        }
        found += store_view_get(&view, &keys_of[i], value, sizeof(value),
                                &size) == 0;
        if (i % GETS_A_VIEW == GETS_A_VIEW - 1) {
            store_view_end(&view);
        }
    }
    bench_store_end(bench, GETS);
    bench_store_close(region);
    CHECK_EQ(found, GETS + GETS / GETS_A_VIEW);
}

struct seen {
    uint64_t items, sum;
};

static int see(void *arg, const struct store_key *key, const void *value,
               size_t size)
{
    struct seen *seen = arg;
    (void)size;
    seen->sum += key->object + *(const uint8_t *)value;
    return ++seen->items % ITEMS_A_SCAN == 0;
}

static void scan_bench(uint64_t keys, unsigned flags)
{
    static const struct store_key last = {~0ull, ~0ull, 0xff};
    struct seen seen = {0};
    struct store_view view;
    BENCH_STORE(bench, keys, flags);
    // In the lower half, so that 100 items follow.
    for (unsigned i = 0; i < SCANS; i++) {
        keys_of[i] = bench_store_key(bench_store_random(bench->filled));
        keys_of[i].object /= 2;
    }
    bench_store_begin(bench);
    for (unsigned i = 0; i < SCANS; i++) {
        if (store_view_begin(bench->store, 0, &view) == 0) {
            store_view_scan(&view, &keys_of[i], &last, see, &seen);
            store_view_end(&view);
        }
    }
    bench_store_end(bench, SCANS * ITEMS_A_SCAN);
    bench_store_close(region);
    CHECK_EQ(seen.items, SCANS * ITEMS_A_SCAN);
}

// `puts` in all, so many of them in a transaction.
static void put_bench(uint64_t keys, unsigned puts, unsigned together)
{
    uint8_t value[BENCH_STORE_VALUE];
    struct store_tx *tx = NULL;
    unsigned good = 0;
    BENCH_STORE(bench, keys, 0);
    memset(value, 0xa5, sizeof(value));
    take_existing(bench, puts);
    for (unsigned i = 1; i < puts; i += 2) {
        keys_of[i] = bench_store_key(bench->filled++);
    }
    bench_store_begin(bench);
    for (unsigned i = 0; i < puts; i++) {
        if (i % together == 0 && store_begin(bench->store, &tx) != 0) {
            break;
        }
        good += store_tx_put(tx, &keys_of[i], value, sizeof(value)) == 0;
        if (i % together == together - 1) {
            good += store_commit(tx) == 0;
        }
    }
    bench_store_end(bench, puts);
    bench_store_close(region);
    CHECK_EQ(good, puts + puts / together);
}

static void del_bench(uint64_t keys, unsigned dels, unsigned together)
{
    struct store_tx *tx = NULL;
    unsigned good = 0;
    BENCH_STORE(bench, keys + dels, 0);
    for (unsigned i = 0; i < dels; i++) {
        keys_of[i] = bench_store_key(--bench->filled);
    }
    bench_store_begin(bench);
    for (unsigned i = 0; i < dels; i++) {
        if (i % together == 0 && store_begin(bench->store, &tx) != 0) {
            break;
        }
        good += store_tx_del(tx, &keys_of[i]) == 0;
        if (i % together == together - 1) {
            good += store_commit(tx) == 0;
        }
    }
    bench_store_end(bench, dels);
    bench_store_close(region);
    CHECK_EQ(good, dels + dels / together);
}

#define BENCHES(prefix, keys)                                                  \
    BENCH(prefix, get)                                                         \
    {                                                                          \
        get_bench(keys, 0);                                                    \
    }                                                                          \
    BENCH(prefix, get_view)                                                    \
    {                                                                          \
        get_view_bench(keys, 0);                                               \
    }                                                                          \
    BENCH(prefix, scan_item)                                                   \
    {                                                                          \
        scan_bench(keys, 0);                                                   \
    }                                                                          \
    BENCH(prefix, mapped_get)                                                  \
    {                                                                          \
        get_bench(keys, STORE_READ_MAPPED);                                    \
    }                                                                          \
    BENCH(prefix, mapped_get_view)                                             \
    {                                                                          \
        get_view_bench(keys, STORE_READ_MAPPED);                               \
    }                                                                          \
    BENCH(prefix, mapped_scan_item)                                            \
    {                                                                          \
        scan_bench(keys, STORE_READ_MAPPED);                                   \
    }                                                                          \
    BENCH(prefix, put_1)                                                       \
    {                                                                          \
        put_bench(keys, 200, 1);                                               \
    }                                                                          \
    BENCH(prefix, put_100)                                                     \
    {                                                                          \
        put_bench(keys, 2000, 100);                                            \
    }                                                                          \
    BENCH(prefix, put_1000)                                                    \
    {                                                                          \
        put_bench(keys, 4000, 1000);                                           \
    }                                                                          \
    BENCH(prefix, del_1)                                                       \
    {                                                                          \
        del_bench(keys, 200, 1);                                               \
    }                                                                          \
    BENCH(prefix, del_100)                                                     \
    {                                                                          \
        del_bench(keys, 2000, 100);                                            \
    }

BENCHES(store, 100000)
BENCHES(store_million, 1000000)
