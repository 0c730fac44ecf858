// SPDX-License-Identifier: MIT
//
// The end of a round: is all in the store what the model says, and does the
// store know of what is not?
#include "apps/chaos/chaos.h"
#include "lib/panic.h"

#define REPORTS_SHOWN 5

struct look {
    const struct model_key *model;
    uint8_t *seen; // by key
};

static uint64_t *damaged; // blocks, by bits
static unsigned shown;

// A block counts once, whoever reports it.
static void hear(void *unused, const struct store_problem *problem)
{
    uint64_t block = problem->block;

    (void)unused;
    if (shown++ < REPORTS_SHOWN) {
        printf("chaos: block %llu: %s\n", (unsigned long long)block,
               problem->text);
    }
    if (block < chaos.frames / BLOCK_FRAMES &&
        !(damaged[block / 64] & BIT(block % 64))) {
        damaged[block / 64] |= BIT(block % 64);
        chaos.verdict.found++;
    }
}

// --------------------------------------------------------------------- Compare

static void compare_key(struct store_view *view, const struct model_key *model,
                        unsigned number, uint8_t *value)
{
    struct verdict *verdict = &chaos.verdict;
    uint32_t version = model[number].version;
    struct store_key key;
    size_t size;

    model_key_of(number, &key);
    int result = store_view_get(view, &key, value, STORE_VALUE_MAX, &size);
    if (result == (version != 0 ? 0 : -ENOENT) &&
        (version == 0 || model_value_is(number, version, value, size))) {
        verdict->right++;
    } else if (result == 0 || result == -ENOENT) {
        verdict->wrong++;
    } else {
        verdict->lost++;
    }
}

static int count_extra(void *arg, const struct store_key *key,
                       const void *value, size_t size)
{
    const struct model_key *model = arg;
    unsigned number = model_number_of(key);

    (void)value;
    (void)size;
    chaos.verdict.extra += number == model_count || model[number].version == 0;
    return 0;
}

static void compare(struct store *store, uint64_t snapshot,
                    struct model_key *model)
{
    const struct store_key first = {0};
    const struct store_key last = {UINT64_MAX, UINT64_MAX, UINT8_MAX};
    struct store_view view;
    uint8_t *value = kmalloc(STORE_VALUE_MAX);

    if (value == NULL || store_view_begin(store, snapshot, &view) != 0) {
        chaos.verdict.lost += model_count;
        kfree(value);
        return;
    }
    for (unsigned i = 0; i < model_count; i++) {
        compare_key(&view, model, i, value);
    }
    (void)store_view_scan(&view, &first, &last, count_extra, model);
    store_view_end(&view);
    kfree(value);
}

// The newest is the one that the model knows.
static int newest(void *arg, const struct store_snapshot *snapshot)
{
    *(uint64_t *)arg = snapshot->id;
    return 0;
}

static void compare_all(struct store *store)
{
    uint64_t id = 0;

    compare(store, 0, model_keys);
    int result = store_snapshots(store, newest, &id);
    if (id != 0) {
        compare(store, id, model_snapshot);
    } else if (result != 0) {
        chaos.verdict.lost += model_count;
    }
}

// ----------------------------------------------------------------- The round

static uint64_t bits_count(const uint64_t *bits)
{
    uint64_t count = 0;

    for (size_t i = 0; i < chaos.frames / BLOCK_FRAMES; i++) {
        count += bits[i / 64] >> i % 64 & 1;
    }
    return count;
}

void verify_round(void)
{
    struct store_check check;
    struct store_problem problem;
    size_t bytes = (chaos.frames / BLOCK_FRAMES + 63) / 64 * sizeof(uint64_t);

    damaged = kzalloc(bytes);
    shown = 0;
    chaos.verdict.rounds++;
    chaos.verdict.hit += bits_count(chaos.touched);
    if (damaged == NULL) {
        chaos.verdict.lost += model_count;
        return;
    }
    (void)store_check(chaos.store, &check, hear, NULL);
    if (store_unmount(chaos.store) != 0) {
        panic("chaos: the store is still in use, and nobody uses it");
    }
    int result = store_mount(chaos.first, chaos.frames * PAGE_SIZE,
                             STORE_READ_ONLY | STORE_VERIFY_ALWAYS,
                             &chaos.store, &problem);
    if (result != 0 || problem.error != 0) {
        hear(NULL, &problem);
    }
    if (result == 0) {
        (void)store_check(chaos.store, &check, hear, NULL);
        compare_all(chaos.store);
        (void)store_unmount(chaos.store);
    } else {
        chaos.verdict.unmountable++;
        chaos.verdict.lost += model_count;
    }
    kfree(damaged);
}
