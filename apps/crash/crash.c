// SPDX-License-Identifier: MIT
//
// An application to be killed: it runs transactions on the store in pmem0 and
// says what is durable, and when it is started again says what it has found.
// tools/crash-rounds kills and compares. Lines for it:
//
//     mounted generation G transaction N check clean
//     ack N
//
// Transaction n puts KEYS items that can be derived from n, deletes those of
// transaction n - KEPT, and sets the counter; so from the counter alone follows
// what is in the store, to the byte. A thread reads meanwhile.
#include <keyhole.h>

#include "apps/store/store.h"

#define KEYS 8
#define KEPT 64
#define SIZE_MAX_OF_ITEM 3000
#define SNAPSHOT_EVERY 16
#define READER_PAUSE_MS 20

static const struct store_key counter_key = {0, 0, 0};

static struct store *store;

// splitmix64, as in Steele, Lea and Flood, "Fast splittable pseudorandom number
// generators".
static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

// Item `index` of transaction n: its key, and its value, of which the first
// words are n and the index.
static struct store_key item_key(uint64_t n, uint64_t index)
{
    return (struct store_key){1 + (mix(n * KEYS + index) >> 1), n, 1};
}

static size_t item_fill(uint64_t n, uint64_t index, uint64_t *value)
{
    uint64_t seed = mix(~(n * KEYS + index));
    size_t words = 2 + seed % (SIZE_MAX_OF_ITEM / sizeof(*value) - 2);
    value[0] = n;
    value[1] = index;
    for (size_t i = 2; i < words; i++) {
        value[i] = seed + i * 0x9e3779b97f4a7c15;
    }
    return words * sizeof(*value);
}

// -------------------------------------------------------------------- Looking

struct look {
    uint64_t n;     // the counter
    uint64_t items; // seen that belong there
    const char *complaint;
};

static uint64_t first_kept(uint64_t n)
{
    return n > KEPT ? n - KEPT + 1 : 1;
}

static int look_at(void *arg, const struct store_key *key, const void *value,
                   size_t size)
{
    uint64_t want[SIZE_MAX_OF_ITEM / sizeof(uint64_t)];
    struct look *look = arg;
    const uint64_t *got = value;
    if (key->object == 0) {
        return 0; // the counter
    }
    // Values lie at any byte.
    uint64_t n, index;
    if (size < 2 * sizeof(n)) {
        look->complaint = "an item that is too short";
        return 1;
    }
    memcpy(&n, got, sizeof(n));
    memcpy(&index, (const char *)value + sizeof(n), sizeof(index));
    struct store_key own = item_key(n, index % KEYS);
    if (index >= KEYS || n < first_kept(look->n) || n > look->n) {
        look->complaint = "an item of a transaction that should not be there";
    } else if (own.object != key->object || own.offset != key->offset ||
               own.type != key->type) {
        look->complaint = "an item under another key than its own";
    } else if (item_fill(n, index, want) != size ||
               memcmp(want, value, size) != 0) {
        look->complaint = "an item with a wrong value";
    } else {
        look->items++;
    }
    return look->complaint != NULL;
}

// Compare all that a view has with what its counter says. NULL: right.
static const char *view_look(struct store_view *view, uint64_t *n)
{
    const struct store_key from = {0, 0, 0};
    const struct store_key to = {UINT64_MAX - 1, UINT64_MAX, UINT8_MAX};
    struct look look = {.n = 0};
    size_t size;
    int result =
        store_view_get(view, &counter_key, &look.n, sizeof(look.n), &size);
    if (result == -ENOENT) {
        result = 0; // before the first transaction
    }
    if (result == 0) {
        result = store_view_scan(view, &from, &to, look_at, &look);
    }
    *n = look.n;
    if (look.complaint != NULL) {
        return look.complaint;
    }
    if (result != 0) {
        return "a damaged block";
    }
    uint64_t transactions = look.n < KEPT ? look.n : KEPT;
    return look.items == transactions * KEYS ? NULL : "items are missing";
}

static const char *snapshot_look(uint64_t id, uint64_t *n)
{
    struct store_view view;
    if (store_view_begin(store, id, &view) != 0) {
        return "a view cannot be had";
    }
    const char *complaint = view_look(&view, n);
    store_view_end(&view);
    return complaint;
}

static void report(void *arg, const struct store_problem *problem)
{
    (void)arg;
    printf("block %llu: %s\n", (unsigned long long)problem->block,
           problem->text);
}

// Look at everything. The number of the last transaction, or -1.
static int64_t look_at_all(void)
{
    struct store_check check;
    struct store_stats stats;
    uint64_t n, old;
    const char *complaint = snapshot_look(0, &n);
    for (uint64_t id = 1; complaint == NULL && id <= n; id++) {
        struct store_view view;
        if (store_view_begin(store, id, &view) == 0) {
            store_view_end(&view);
            complaint = snapshot_look(id, &old);
        }
    }
    if (complaint == NULL && store_check(store, &check, report, NULL) != 0) {
        complaint = "store_check() complains";
    }
    store_stats(store, &stats);
    printf("mounted generation %llu transaction %llu check %s\n",
           (unsigned long long)stats.generation, (unsigned long long)n,
           complaint != NULL ? complaint : "clean");
    return complaint == NULL ? (int64_t)n : -1;
}

// -------------------------------------------------------------------- Working

static int transaction_fill(struct store_tx *tx, uint64_t n)
{
    uint64_t value[SIZE_MAX_OF_ITEM / sizeof(uint64_t)];
    int result = store_tx_put(tx, &counter_key, &n, sizeof(n));
    for (uint64_t i = 0; i < KEYS && result == 0; i++) {
        struct store_key key = item_key(n, i);
        result = store_tx_put(tx, &key, value, item_fill(n, i, value));
        if (result == 0 && n > KEPT) {
            key = item_key(n - KEPT, i);
            result = store_tx_del(tx, &key);
        }
    }
    return result;
}

static int transaction_run(uint64_t n)
{
    struct store_tx *tx;
    int result = store_begin(store, &tx);
    if (result != 0) {
        return result;
    }
    result = transaction_fill(tx, n);
    if (result != 0) {
        store_abort(tx);
        return result;
    }
    return store_commit(tx);
}

static int drop_all_but(void *arg, const struct store_snapshot *snapshot)
{
    const uint64_t *kept = arg;
    return snapshot->id != *kept ? (int)snapshot->id : 0;
}

// A snapshot, and the end of those before it.
static int snapshot_renew(uint64_t n)
{
    char name[24];
    uint64_t id;
    snprintf(name, sizeof(name), "t%llu", (unsigned long long)n);
    int result = store_snapshot_take(store, name, &id);
    if (result == -EEXIST) { // from before the machine was killed
        result = store_snapshot_find(store, name, &id);
    }
    int old;
    while (result == 0 &&
           (old = store_snapshots(store, drop_all_but, &id)) > 0) {
        result = store_snapshot_drop(store, (uint64_t)old);
    }
    return result;
}

static int reader(void *unused)
{
    (void)unused;
    uint64_t n, last = 0;
    for (;;) {
        const char *complaint = snapshot_look(0, &n);
        if (complaint != NULL || n < last) {
            printf("FAILED: a reader sees %s\n",
                   complaint != NULL ? complaint : "time run backwards");
            return 1;
        }
        last = n;
        thread_sleep_ms(READER_PAUSE_MS);
    }
}

static int store_find(void)
{
    const struct pmem_region *region = pmem_region(0);
    struct store_problem problem = {0};
    if (region == NULL) {
        printf("there is no persistent memory; make run APP=apps/crash "
               "PMEM=FILE,32M has some\n");
        return -ENODEV;
    }
    int result =
        store_mount(region->first, region->length, 0, &store, &problem);
    if (result == -ENODEV) {
        static const uint8_t uuid[STORE_UUID_SIZE] = "to be killed";
        result = store_format(region->first, region->length, uuid, true);
        if (result == 0) {
            result =
                store_mount(region->first, region->length, 0, &store, &problem);
        }
    }
    if (result != 0 || problem.error != 0) {
        printf("FAILED: no store, block %llu: %s (%d)\n",
               (unsigned long long)problem.block,
               problem.text != NULL ? problem.text : "no memory", result);
        return -EUCLEAN;
    }
    return 0;
}

int app_main(int argc, char **argv)
{
    (void)argc, (void)argv;
    if (store_find() != 0) {
        return 1;
    }
    int64_t n = look_at_all();
    if (n < 0 || thread_create("reader", reader, NULL) == NULL) {
        return 1;
    }
    for (;;) {
        int result = transaction_run((uint64_t)++n);
        if (result == 0) {
            printf("ack %lld\n", (long long)n);
            result = n % SNAPSHOT_EVERY == 0 ? snapshot_renew((uint64_t)n) : 0;
        }
        if (result != 0) {
            printf("FAILED: transaction %lld: %d\n", (long long)n, result);
            return 1;
        }
        thread_yield();
    }
}
