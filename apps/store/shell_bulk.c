// SPDX-License-Identifier: MIT
//
// Many keys at once, and what they cost.
#include "apps/store/shell.h"

#include "arch/cpu.h"
#include "kernel/shell_command.h"
#include "kernel/timer.h"
#include "lib/types.h"

#define KEYS_MAX 100000000
#define BATCH_MAX 1000000

struct bulk {
    uint64_t keys, size, batch;
    uint64_t random;
    uint8_t value[STORE_VALUE_MAX];
};

// xorshift64*, as in Vigna, "An experimental exploration of Marsaglia's
// xorshift generators, scrambled".
static uint64_t bulk_random(struct bulk *bulk)
{
    bulk->random ^= bulk->random >> 12;
    bulk->random ^= bulk->random << 25;
    bulk->random ^= bulk->random >> 27;
    return bulk->random * 0x2545f4914f6cdd1d;
}

static int bulk_put(struct store_tx *tx, struct bulk *bulk)
{
    MAP_OPERATION("store_tx_put() of bulk");
    uint64_t random = bulk_random(bulk);
    struct store_key key = {random >> 1, random & 0xfff, 1};
    memcpy(bulk->value, &random, MIN(sizeof(random), bulk->size));
    return store_tx_put(tx, &key, bulk->value, bulk->size);
}

// One transaction. *done grows by what it has put.
static int bulk_transaction(struct store *store, struct bulk *bulk,
                            uint64_t *done)
{
    struct store_tx *tx;
    uint64_t count = MIN(bulk->batch, bulk->keys - *done);
    int result = store_begin(store, &tx);
    if (result != 0) {
        return result;
    }
    for (uint64_t i = 0; i < count && result == 0; i++) {
        result = bulk_put(tx, bulk);
    }
    if (result != 0) {
        store_abort(tx);
        return result;
    }
    result = store_commit(tx);
    *done += result == 0 ? count : 0;
    return result;
}

static void bulk_print(uint64_t done, uint64_t ticks,
                       const struct map_stats *before,
                       const struct map_stats *after)
{
    uint64_t count = MAX(done, 1);
    printf("  %llu keys put", (unsigned long long)done);
    if (clock_ticks(1000) != 0) {
        printf(" in %llu ms", (unsigned long long)(ticks / clock_ticks(1000)));
    }
    printf(
        "; for each 1000: %llu brackets, %llu PKRS writes,\n"
        "  %llu page-table writes, %llu INVLPG\n",
        (unsigned long long)((after->brackets - before->brackets) * 1000 /
                             count),
        (unsigned long long)((after->pkrs_writes - before->pkrs_writes) * 1000 /
                             count),
        (unsigned long long)((after->pte_writes - before->pte_writes) * 1000 /
                             count),
        (unsigned long long)((after->invlpg - before->invlpg) * 1000 / count));
}

void store_bulk(int argc, char **argv)
{
    static struct bulk bulk;
    struct map_stats before, after;
    struct store *store = store_here();
    uint64_t done = 0;
    int result = 0;
    bulk.size = 100;
    bulk.batch = 100;
    if (store == NULL || !shell_number(argv[1], KEYS_MAX, &bulk.keys) ||
        (argc > 2 && !shell_number(argv[2], STORE_VALUE_MAX, &bulk.size)) ||
        (argc > 3 && !shell_number(argv[3], BATCH_MAX, &bulk.batch))) {
        return;
    }
    bulk.batch = MAX(bulk.batch, 1);
    bulk.random = cpu_read_tsc() | 1;
    map_stats_read(&before);
    uint64_t begin = cpu_read_tsc();
    while (done < bulk.keys && result == 0) {
        result = bulk_transaction(store, &bulk, &done);
    }
    uint64_t ticks = cpu_read_tsc() - begin;
    map_stats_read(&after);
    bulk_print(done, ticks, &before, &after);
    if (result != 0) {
        store_say_error("bulk", result);
    }
}
