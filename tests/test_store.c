// SPDX-License-Identifier: MIT
//
// The store in the kernel: with real brackets, threads, handlers and frozen
// blocks. What it does with keys, damage and power cuts is tested on the host
// (tests/host/test_store*.c), on the same code.
#include "apps/store/store.h"
#include "arch/percpu.h"
#include "lib/types.h"
#include "mm/watch.h"
#include "tests/engines.h"
#include "tests/handlers.h"
#include "tests/pmem.h"

static const uint8_t uuid[STORE_UUID_SIZE] = "a store of tests";
static const struct store_key lowest = {0, 0, 0};
static const struct store_key highest = {UINT64_MAX - 1, UINT64_MAX, UINT8_MAX};

// Make an empty store and mount it; NULL: that failed.
static struct store *store_new(const struct pmem_region *region)
{
    struct store *store = NULL;
    if (store_format(region->first, region->length, uuid, true) != 0 ||
        store_mount(region->first, region->length, 0, &store, NULL) != 0) {
        return NULL;
    }
    return store;
}

// Forget it, and leave the region as it was found.
static int store_end(const struct pmem_region *region, struct store *store)
{
    int result = store_unmount(store);
    for (unsigned i = 0; i < STORE_BLOCK_SIZE / PAGE_SIZE; i++) {
        memzero_page(region->first + i, 0, PAGE_SIZE);
    }
    return result;
}

static struct store_key key_of(uint64_t object)
{
    return (struct store_key){object, 0, 1};
}

TEST(store, puts_and_gets)
{
    NEEDS_PMEM(region);
    static uint8_t value[STORE_VALUE_MAX], got[STORE_VALUE_MAX];
    static const size_t sizes[] = {0, 1, 100, 4097, STORE_VALUE_MAX};
    size_t size;
    struct store *store = store_new(region);
    CHECK(store != NULL);
    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
        struct store_key key = key_of(i);
        memset(value, (int)i + 1, sizes[i]);
        CHECK_EQ(store_put(store, &key, value, sizes[i]), 0);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
        struct store_key key = key_of(i);
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
    CHECK_EQ(store_end(region, store), 0);
}

// --------------------------------------------------------- Who may touch what

struct stray {
    uint8_t *value;
    bool read, written;
};

static void stray_access(void *arg)
{
    struct stray *stray = arg;
    uint8_t byte;
    stray->read = probe_read(stray->value, &byte, 1, NULL);
    stray->written = probe_write(stray->value, &byte, 1, NULL);
}

static int stray_thread(void *arg)
{
    stray_access(arg);
    return 0;
}

// Inside the bracket on a leaf: what a handler and another thread may do there.
static int look_around(void *arg, const struct store_key *key,
                       const void *value, size_t size)
{
    struct stray *strays = arg;
    (void)key, (void)size;
    strays[0].value = strays[1].value = (uint8_t *)value;
    cpu_call(cpu_id(), stray_access, &strays[0]);
    struct thread *thread = thread_create("stray", stray_thread, &strays[1]);
    if (thread == NULL) {
        return -1;
    }
    thread_join(thread);
    return *(const uint8_t *)value;
}

TEST(store, open_to_its_reader_alone)
{
    NEEDS_PMEM(region);
    if (!test_engine()->others_stay_out) {
        SKIP("brackets of this engine open for all");
    }
    struct store *store = store_new(region);
    CHECK(store != NULL);
    struct store_key key = key_of(1);
    uint8_t value = 42;
    struct store_view view;
    struct stray strays[2] = {{.read = true}, {.read = true}};
    CHECK_EQ(store_put(store, &key, &value, 1), 0);
    CHECK_EQ(store_view_begin(store, 0, &view), 0);
    int got = store_view_scan(&view, &lowest, &highest, look_around, strays);
    store_view_end(&view);
    CHECK_EQ(got, 42);
    for (unsigned i = 0; i < ARRAY_SIZE(strays); i++) {
        CHECK(!strays[i].read);
        CHECK(!strays[i].written);
    }
    // Nor is it open to him any longer.
    CHECK_REFUSED(ACCESS_READ, (void)*(volatile uint8_t *)strays[0].value);
    CHECK_EQ(store_end(region, store), 0);
}

static int write_to_value(void *arg, const struct store_key *key,
                          const void *value, size_t size)
{
    (void)key, (void)size;
    return probe_write((void *)value, "x", 1, arg) ? 1 : 2;
}

TEST(store, readers_cannot_write)
{
    NEEDS_PMEM(region);
    if (!engine_refuses()) {
        SKIP("this engine refuses nothing");
    }
    struct store *store = store_new(region);
    CHECK(store != NULL);
    struct store_key key = key_of(1);
    struct store_view view;
    struct fault fault = {0};
    CHECK_EQ(store_put(store, &key, "value", 5), 0);
    CHECK_EQ(store_view_begin(store, 0, &view), 0);
    int got = store_view_scan(&view, &lowest, &highest, write_to_value, &fault);
    store_view_end(&view);
    CHECK_EQ(got, 2);
    CHECK_EQ(fault.access, ACCESS_WRITE);
    CHECK(page_domain(fault.page) == region->domain);
    CHECK_EQ(store_end(region, store), 0);
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
    struct store *store = store_new(region);
    CHECK(store != NULL);
    struct commit commit = {0};
    struct store_key key = key_of(7);
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
    CHECK_EQ(store_end(region, store), 0);
}

// --------------------------------------------------------------- Many readers

#define ACCOUNTS 300
#define EACH 1000
#define TRANSFERS 60
#define TRANSFERS_SHOT 6 // where each bracket ends in a shootdown
#define READERS_MAX 8

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
            result =
                store_view_scan(&view, &lowest, &highest, account_add, &sum);
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
    struct store_key key = key_of(account);
    return store_tx_put(tx, &key, value, sizeof(value));
}

static int account_change(struct store_tx *tx, uint64_t account, int64_t by)
{
    uint64_t value[40];
    size_t size;
    struct store_key key = key_of(account);
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

TEST(store, readers_see_whole_transactions)
{
    NEEDS_PMEM(region);
    struct bank bank = {.store = store_new(region)};
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
    CHECK_EQ(store_end(region, bank.store), 0);
}

TEST(store, snapshots_stay)
{
    NEEDS_PMEM(region);
    struct store *store = store_new(region);
    CHECK(store != NULL);
    uint64_t id;
    char got[8];
    size_t size;
    struct store_view view;
    struct store_key key = key_of(1);
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
    CHECK_EQ(store_end(region, store), 0);
}
