// SPDX-License-Identifier: MIT
//
// The store in the kernel: with real brackets, threads, handlers and frozen
// blocks. What it does with keys, damage and power cuts is tested on the host
// (tests/host/test_store*.c), on the same code.
#include "tests/test_store.h"
#include "arch/percpu.h"
#include "lib/types.h"
#include "mm/watch.h"
#include "tests/engines.h"

struct store *test_store_new(const struct pmem_region *region, unsigned flags)
{
    static const uint8_t uuid[STORE_UUID_SIZE] = "a store of tests";
    struct store *store = NULL;
    if (store_format(region->first, region->length, uuid, true) != 0 ||
        store_mount(region->first, region->length, flags, &store, NULL) != 0) {
        return NULL;
    }
    return store;
}

int test_store_end(const struct pmem_region *region, struct store *store)
{
    int result = store_unmount(store);
    for (unsigned i = 0; i < STORE_BLOCK_SIZE / PAGE_SIZE; i++) {
        memzero_page(region->first + i, 0, PAGE_SIZE);
    }
    return result;
}

TEST(store, puts_and_gets)
{
    NEEDS_PMEM(region);
    static uint8_t value[STORE_VALUE_MAX], got[STORE_VALUE_MAX];
    static const size_t sizes[] = {0, 1, 100, 4097, STORE_VALUE_MAX};
    size_t size;
    struct store *store = test_store_new(region, 0);
    CHECK(store != NULL);
    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
        struct store_key key = test_store_key(i);
        memset(value, (int)i + 1, sizes[i]);
        CHECK_EQ(store_put(store, &key, value, sizes[i]), 0);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
        struct store_key key = test_store_key(i);
        memset(value, (int)i + 1, sizes[i]);
        CHECK_EQ(store_get(store, &key, got, sizeof(got), &size), 0);
        CHECK_EQ(size, sizes[i]);
        CHECK_EQ(memcmp(got, value, size), 0);
        CHECK_EQ(store_del(store, &key), 0);
        CHECK_EQ(store_get(store, &key, got, sizeof(got), &size), -ENOENT);
    }
    struct store_check check;
    CHECK_EQ(store_check(store, &check, NULL, NULL), 0);
    CHECK_EQ(check.items, 0);
    CHECK_EQ(test_store_end(region, store), 0);
}

// --------------------------------------------------------------- Frozen blocks

struct commit {
    struct store_tx *tx;
    int result;
    unsigned steps, tried;
    bool written;
};

static void commit_run(void *arg)
{
    struct commit *commit = arg;
    commit->result = store_commit(commit->tx);
}

#define STEPS_BETWEEN 64

// After every so many instructions: whatever is frozen by then cannot be
// written to, though a bracket of this handler has it open.
static void commit_step(void *arg)
{
    struct commit *commit = arg;
    const struct watch *watch = watch_next(NULL);
    if (commit->steps++ % STEPS_BETWEEN != 0 || watch == NULL) {
        return;
    }
    struct page *page = watch->first + commit->steps % watch->count;
    char *p = kmap_local_page(page);
    if (watch_leaf_is_closed(
            watch, watch_leaf_seen((uintptr_t)p, percpu.trap_level))) {
        commit->tried++;
        commit->written |=
            probe_write(p + commit->steps % PAGE_SIZE, "x", 1, NULL);
    }
    kunmap_local(p);
}

TEST(store, frozen_between_checksum_and_commit)
{
    NEEDS_PMEM(region);
    struct store *store = test_store_new(region, 0);
    CHECK(store != NULL);
    struct commit commit = {0};
    struct store_key key = test_store_key(7);
    struct store_stats stats;
    CHECK_EQ(store_begin(store, &commit.tx), 0);
    CHECK_EQ(store_tx_put(commit.tx, &key, "seven", 5), 0);
    step_through(commit_run, &commit, commit_step, &commit);
    CHECK_EQ(commit.result, 0);
    CHECK(commit.tried != 0);
    CHECK(!commit.written);
    store_stats(store, &stats);
    // The count is taken before the last leaf is open again.
    CHECK(stats.refused != 0 && stats.refused <= commit.tried);
    CHECK_EQ(stats.unfrozen, 0);
    CHECK_EQ(stats.fences, 2);
    struct store_check check;
    CHECK_EQ(store_check(store, &check, NULL, NULL), 0);
    CHECK_EQ(test_store_end(region, store), 0);
}

// --------------------------------------------------------------- Many readers

#define ACCOUNTS 300
#define EACH 1000
#define TRANSFERS 30
#define TRANSFERS_SHOT 6 // where each bracket ends in a shootdown
#define READERS_MAX 4

struct bank {
    struct store *store;
    bool done;
    uint64_t wrong, looks;
};

static int account_add(void *arg, const struct store_key *key,
                       const void *value, size_t size)
{
    uint64_t sum;
    (void)key;
    memcpy(&sum, value, sizeof(sum));
    *(uint64_t *)arg += sum;
    return size == sizeof(sum) * 40 ? 0 : -EINVAL;
}

// What all have together never changes.
static int bank_reader(void *arg)
{
    struct bank *bank = arg;
    while (!__atomic_load_n(&bank->done, __ATOMIC_RELAXED)) {
        struct store_view view;
        uint64_t sum = 0;
        int result = store_view_begin(bank->store, 0, &view);
        if (result == 0) {
            result = store_view_scan(&view, &test_store_lowest,
                                     &test_store_highest, account_add, &sum);
            store_view_end(&view);
        }
        if (result != 0 || sum != ACCOUNTS * EACH) {
            __atomic_add_fetch(&bank->wrong, 1, __ATOMIC_RELAXED);
        }
        __atomic_add_fetch(&bank->looks, 1, __ATOMIC_RELAXED);
        thread_yield();
    }
    return 0;
}

static int account_put(struct store_tx *tx, uint64_t account, uint64_t amount)
{
    uint64_t value[40] = {amount};
    struct store_key key = test_store_key(account);
    return store_tx_put(tx, &key, value, sizeof(value));
}

static int account_change(struct store_tx *tx, uint64_t account, int64_t by)
{
    uint64_t value[40];
    size_t size;
    struct store_key key = test_store_key(account);
    int result = store_tx_get(tx, &key, value, sizeof(value), &size);
    return result != 0 ? result
                       : account_put(tx, account, value[0] + (uint64_t)by);
}

static int bank_open(struct store *store)
{
    struct store_tx *tx;
    int result = store_begin(store, &tx);
    for (uint64_t i = 0; i < ACCOUNTS && result == 0; i++) {
        result = account_put(tx, i, EACH);
    }
    return result != 0 ? result : store_commit(tx);
}

static int bank_transfer(struct store *store, uint64_t from, uint64_t to)
{
    struct store_tx *tx;
    int result = store_begin(store, &tx);
    if (result == 0) {
        result = account_change(tx, from, -1);
    }
    if (result == 0) {
        result = account_change(tx, to, 1);
    }
    return result != 0 ? result : store_commit(tx);
}

static void transfer_among_readers(const struct pmem_region *region,
                                   unsigned flags)
{
    struct bank bank = {.store = test_store_new(region, flags)};
    CHECK(bank.store != NULL);
    CHECK_EQ(bank_open(bank.store), 0);
    struct thread *reader[READERS_MAX];
    bool slow = engine_brackets_shoot();
    unsigned readers = slow ? 1 : MIN(cpus_online() + 1, READERS_MAX);
    uint64_t transfers = slow ? TRANSFERS_SHOT : TRANSFERS;
    int result = 0;
    for (unsigned i = 0; i < readers; i++) {
        reader[i] = thread_create("reader", bank_reader, &bank);
        CHECK(reader[i] != NULL);
    }
    for (uint64_t i = 0; i < transfers && result == 0; i++) {
        result = bank_transfer(bank.store, i * 7 % ACCOUNTS,
                               (i * 11 + 1) % ACCOUNTS);
        thread_yield();
    }
    __atomic_store_n(&bank.done, true, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < readers; i++) {
        thread_join(reader[i]);
    }
    CHECK_EQ(result, 0);
    CHECK(bank.looks != 0);
    CHECK_EQ(bank.wrong, 0);
    struct store_check check;
    CHECK_EQ(store_check(bank.store, &check, NULL, NULL), 0);
    CHECK_EQ(check.items, ACCOUNTS);
    CHECK_EQ(test_store_end(region, bank.store), 0);
}

TEST(store, readers_see_whole_transactions)
{
    NEEDS_PMEM(region);
    transfer_among_readers(region, 0);
}

TEST(store, readers_of_a_mapping_see_whole_transactions)
{
    NEEDS_PMEM(region);
    transfer_among_readers(region, STORE_READ_MAPPED);
}

TEST(store, snapshots_stay)
{
    NEEDS_PMEM(region);
    struct store *store = test_store_new(region, 0);
    CHECK(store != NULL);
    uint64_t id;
    char got[8];
    size_t size;
    struct store_view view;
    struct store_key key = test_store_key(1);
    CHECK_EQ(store_put(store, &key, "before", 7), 0);
    CHECK_EQ(store_snapshot_take(store, "kept", &id), 0);
    CHECK_EQ(store_put(store, &key, "after", 6), 0);
    CHECK_EQ(store_unmount(store), 0);
    CHECK_EQ(store_mount(region->first, region->length, 0, &store, NULL), 0);
    CHECK_EQ(store_view_begin(store, id, &view), 0);
    CHECK_EQ(store_view_get(&view, &key, got, sizeof(got), &size), 0);
    store_view_end(&view);
    CHECK_EQ(strcmp(got, "before"), 0);
    CHECK_EQ(store_get(store, &key, got, sizeof(got), &size), 0);
    CHECK_EQ(strcmp(got, "after"), 0);
    CHECK_EQ(store_snapshot_drop(store, id), 0);
    CHECK_EQ(store_view_begin(store, id, &view), -ENOENT);
    CHECK_EQ(test_store_end(region, store), 0);
}
