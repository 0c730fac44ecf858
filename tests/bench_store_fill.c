// SPDX-License-Identifier: MIT
//
// The store that is measured: made, filled, put away and taken up again.
#include "tests/bench_store.h"

#include "lib/types.h"

#define TRANSACTIONS 8 // that fill it; each changes most leaves

static struct bench_store bench;

static uint64_t mix(uint64_t word)
{
    word = (word ^ word >> 30) * 0xbf58476d1ce4e5b9ull;
    word = (word ^ word >> 27) * 0x94d049bb133111ebull;
    return word ^ word >> 31;
}

struct store_key bench_store_key(uint64_t number)
{
    return (struct store_key){.object = mix(number + 1), .type = 1};
}

uint64_t bench_store_random(uint64_t limit)
{
    static uint64_t state;
    state += 0x9e3779b97f4a7c15ull;
    return mix(state) % limit;
}

static int put_some(uint64_t count)
{
    uint8_t value[BENCH_STORE_VALUE];
    struct store_tx *tx;
    int result = store_begin(bench.store, &tx);
    if (result != 0) {
        return result;
    }
    memset(value, 0x5a, sizeof(value));
    for (uint64_t i = 0; result == 0 && i < count; i++) {
        struct store_key key = bench_store_key(bench.filled + i);
        result = store_tx_put(tx, &key, value, sizeof(value));
    }
    if (result != 0) {
        store_abort(tx);
        return result;
    }
    result = store_commit(tx);
    bench.filled += result == 0 ? count : 0;
    return result;
}

static bool fill(uint64_t keys)
{
    uint64_t step = (keys + TRANSACTIONS - 1) / TRANSACTIONS;
    while (bench.filled < keys) {
        if (put_some(MIN(step, keys - bench.filled)) != 0) {
            return false;
        }
    }
    return true;
}

static bool make(const struct pmem_region *region)
{
    static const uint8_t uuid[STORE_UUID_SIZE] = "bench";
    return store_format(region->first, region->length, uuid, false) == 0 &&
           store_mount(region->first, region->length, 0, &bench.store, NULL) ==
               0;
}

static int count_one(void *arg, const struct store_key *key, const void *value,
                     size_t size)
{
    uint64_t *count = arg;
    (void)key, (void)value, (void)size;
    ++*count;
    return 0;
}

// Mount it with other flags, and read every block once, as those that are
// written are verified too.
static bool mount_with(const struct pmem_region *region, unsigned flags)
{
    static const struct store_key first, last = {~0ull, ~0ull, 0xff};
    struct store_view view;
    uint64_t count = 0;
    if (bench.flags == flags) {
        return true;
    }
    if (store_unmount(bench.store) != 0) {
        return false;
    }
    bench.flags = flags;
    bench.store = NULL;
    if (store_mount(region->first, region->length, flags, &bench.store, NULL) !=
            0 ||
        store_view_begin(bench.store, 0, &view) != 0) {
        return false;
    }
    int result = store_view_scan(&view, &first, &last, count_one, &count);
    store_view_end(&view);
    return result == 0 && count == bench.filled;
}

static void block0_exchange(const struct pmem_region *region, bool away)
{
    uint8_t *block = kmap_local_range(region->first, 0, STORE_BLOCK_SIZE);
    if (away) {
        memcpy(bench.block0, block, STORE_BLOCK_SIZE);
        memset(block, 0, STORE_BLOCK_SIZE);
    } else {
        memcpy(block, bench.block0, STORE_BLOCK_SIZE);
    }
    pmem_persist(block, STORE_BLOCK_SIZE);
    kunmap_local(block);
}

struct bench_store *bench_store_open(const struct pmem_region *region,
                                     uint64_t keys, unsigned flags)
{
    if (bench.store != NULL) {
        block0_exchange(region, false);
    }
    if ((bench.store == NULL && !make(region)) || !fill(keys) ||
        !mount_with(region, flags)) {
        block0_exchange(region, true);
        return NULL;
    }
    return &bench;
}

void bench_store_close(const struct pmem_region *region)
{
    block0_exchange(region, true);
}

void bench_store_begin(struct bench_store *it)
{
    store_stats(it->store, &it->stats);
    map_stats_read(&it->map);
    bench_region_begin();
}

void bench_store_end(struct bench_store *it, uint64_t operations)
{
    struct map_stats map;
    struct store_stats stats;
    bench_region_end(operations);
    map_stats_read(&map);
    store_stats(it->store, &stats);
    bench_count("brackets", map.brackets - it->map.brackets);
    bench_count("nested", map.nested - it->map.nested);
    bench_count("commits", stats.commits - it->stats.commits);
    bench_count("blocks", stats.blocks_written - it->stats.blocks_written);
    bench_count("lines_flushed", stats.lines_flushed - it->stats.lines_flushed);
    bench_count("fences", stats.fences - it->stats.fences);
    bench_count("unfrozen", stats.unfrozen - it->stats.unfrozen);
}
