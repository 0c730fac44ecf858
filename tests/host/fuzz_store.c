// SPDX-License-Identifier: MIT
//
// The input is a list of changes to the image of a good store. Its first byte
// says what is to be tried, and whether the checksums are made right
// afterwards: then the damage is in what they cover. The store must never read
// outside of its brackets, never go on for ever, and, where the checksums are
// as they were, give no wrong answer that is not an error.

#include "tests/host/fuzz.h"
#include "tests/host/medium.h"
#include "tests/host/store_image.h"
#include "tests/host/store_model.h"

#define BLOCKS 40u
#define BYTES ((size_t)BLOCKS * STORE_BLOCK_SIZE)
#define STEPS 40u
#define ITEMS_MAX (BLOCKS * 680u) // as many as leaves have room for

// What the first byte says.
#define REPAIR 1u
#define VERIFY 2u
#define WRITE 4u
#define DROP 8u
#define TAKE 16u
#define WHILE_MOUNTED 32u

static struct medium *medium;
static struct page *pages;
static struct store_model model;
static uint8_t older[BYTES], good[BYTES], image[BYTES];

static __attribute__((constructor)) void make_good_image(void)
{
    static struct store_workload workload;

    medium = medium_create(BYTES);
    pages = medium_pages(medium);
    workload.first = pages;
    workload.bytes = BYTES;
    workload.abort_one_in = 8;
    FUZZ_ASSERT(store_workload_begin(&workload, 5), "format");
    for (unsigned i = 0; i < STEPS || workload.model.snapshots < 2; i++) {
        FUZZ_ASSERT(store_workload_step(&workload), "the workload");
        if (i == STEPS / 2) {
            medium_read(medium, 0, older, BYTES);
        }
    }
    FUZZ_ASSERT(store_workload_end(&workload), "unmount");
    model = workload.model;
    medium_read(medium, 0, good, BYTES);
}

static void ignore_problem(void *arg, const struct store_problem *problem)
{
    FUZZ_ASSERT(problem->error < 0 && problem->text != NULL, "a problem");
    FUZZ_ASSERT(problem->block < BLOCKS, "a problem's block");
    ++*(unsigned *)arg;
}

// Reads all of it.
static int look_at_item(void *arg, const struct store_key *key,
                        const void *value, size_t size)
{
    static uint8_t copy[STORE_VALUE_MAX];
    unsigned *items = arg;

    (void)key;
    FUZZ_ASSERT(size <= STORE_VALUE_MAX, "a value's size");
    memcpy(copy, value, size);
    FUZZ_ASSERT(++*items <= ITEMS_MAX, "a scan without an end");
    return 0;
}

static void scan(struct store *store, uint64_t snapshot)
{
    static const struct store_key first, end = {~0ull - 1, ~0ull, 255};
    struct store_view view;
    unsigned items = 0;

    if (store_view_begin(store, snapshot, &view) == 0) {
        store_view_scan(&view, &first, &end, look_at_item, &items);
        store_view_end(&view);
    }
}

struct snapshots {
    unsigned count;
    uint64_t ids[4];
};

static int list(void *arg, const struct store_snapshot *snapshot)
{
    struct snapshots *all = arg;

    FUZZ_ASSERT(strlen(snapshot->name) <= STORE_NAME_MAX, "a name");
    all->ids[all->count++ % 4] = snapshot->id;
    return all->count > 1000;
}

static void write_some(struct store *store, unsigned rounds)
{
    static uint8_t value[STORE_VALUE_MAX];

    for (unsigned i = 0; i < rounds; i++) {
        struct store_key key = store_model_key(i * 7 % MODEL_KEYS);
        size_t size = store_model_value(i * 7 % MODEL_KEYS, 60000 + i, value);
        if (i % 3 == 2) {
            store_del(store, &key);
        } else {
            store_put(store, &key, value, size);
        }
    }
}

static void use(struct store *store, uint8_t what)
{
    struct snapshots all = {0};
    struct store_check check;
    unsigned problems = 0;
    uint64_t id;

    scan(store, 0);
    store_snapshots(store, list, &all);
    for (unsigned i = 0; i < all.count && i < 4; i++) {
        scan(store, all.ids[i]);
    }
    if (what & WRITE) {
        write_some(store, 12);
    }
    if ((what & DROP) && all.count > 0) {
        store_snapshot_drop(store, all.ids[0]);
    }
    if (what & TAKE) {
        store_snapshot_take(store, "taken", &id);
        store_snapshot_find(store, "snapshot-1", &id);
    }
    int error = store_check(store, &check, ignore_problem, &problems);
    FUZZ_ASSERT((error != 0) == (problems > 0), "check and its report");
}

// Where nothing was forged: as it was, or an error.
static void demand_right(struct store *store)
{
    int error = 0;
    const char *wrong = store_model_compare(store, &model, &error);

    FUZZ_ASSERT(wrong == NULL || error == -EUCLEAN, wrong);
}

static void load(const uint8_t *damage, size_t size, bool repair)
{
    memcpy(image, good, BYTES);
    store_image_damage(image, older, BYTES, damage, size);
    if (repair) {
        store_image_repair(image, good, BYTES);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct store_problem problem = {0};
    struct store *store;

    if (size < 1) {
        return 0;
    }
    uint8_t what = data[0];
    load(data + 1, size - 1, what & REPAIR);
    // Or the damage comes to what was looked at already.
    bool late = what & WHILE_MOUNTED;
    medium_write(medium, 0, late ? good : image, BYTES);
    int error =
        store_mount(pages, BYTES, what & VERIFY ? STORE_VERIFY_ALWAYS : 0,
                    &store, &problem);
    if (error != 0) {
        FUZZ_ASSERT(!late && problem.error == error, "the mount's problem");
        FUZZ_ASSERT(problem.text != NULL, "and what it is");
        return 0;
    }
    if (late) {
        scan(store, 0);
        medium_write(medium, 0, image, BYTES);
    } else if (!store_image_is_forged(image, good, BYTES)) {
        demand_right(store);
    }
    use(store, what);
    FUZZ_ASSERT(store_unmount(store) == 0, "unmount");
    return 0;
}
