// SPDX-License-Identifier: MIT
//
// Those who have a right to the store: workers, who use it and compare what it
// says, and holders, who have a block of it open for writing, do not write, and
// are interrupted there.
#include "apps/chaos/chaos.h"
#include "mm/bracket.h"
#include "mm/frames.h"

#define CHANGES_MAX 8
#define SCAN_KEYS 48
#define ABORT_EVERY 10
#define DELETE_EVERY 4
#define SNAPSHOT_EVERY 50 // transactions of the first worker
#define HOLD_SPINS 300
#define FILL_BATCH 256

struct worker {
    uint64_t random;
    unsigned number;
    uint8_t *value;
    uint64_t transactions;
    uint64_t snapshot; // its id, 0: none was taken
};

struct change {
    unsigned number;
    uint32_t version;
};

static void see_error(int error)
{
    if (error != 0) {
        chaos_count(&chaos.work.errors, 1);
        chaos_damage();
    }
}

static void see_wrong(void)
{
    chaos_count(&chaos.work.wrong, 1);
    chaos_damage();
}

// A key that this worker alone changes.
static unsigned own_key(struct worker *worker)
{
    unsigned of = chaos.workers;
    unsigned each = model_count / of;
    return (unsigned)(chaos_random(&worker->random) % each) * of +
           worker->number;
}

// --------------------------------------------------------------------- Writing

static int change_one(struct worker *worker, struct store_tx *tx,
                      struct change *change)
{
    struct model_key *model = &model_keys[change->number];
    struct store_key key;

    model_key_of(change->number, &key);
    if (model->version != 0 &&
        chaos_random(&worker->random) % DELETE_EVERY == 0) {
        change->version = 0;
        return store_tx_del(tx, &key);
    }
    change->version = ++model->last;
    size_t size = model_value(change->number, change->version, worker->value);
    return store_tx_put(tx, &key, worker->value, size);
}

static bool is_among(const struct change *changes, unsigned count,
                     unsigned number)
{
    for (unsigned i = 0; i < count; i++) {
        if (changes[i].number == number) {
            return true;
        }
    }
    return false;
}

static int change_some(struct worker *worker, struct store_tx *tx,
                       struct change *changes, unsigned *done)
{
    unsigned wanted = 1 + chaos_random(&worker->random) % CHANGES_MAX;
    int result = 0;

    for (unsigned i = 0; i < wanted && result == 0; i++) {
        struct change change = {.number = own_key(worker)};
        if (!is_among(changes, *done, change.number)) {
            result = change_one(worker, tx, &change);
            changes[*done] = change;
            *done += result == 0;
        }
    }
    return result;
}

static void write_some(struct worker *worker)
{
    struct change changes[CHANGES_MAX];
    unsigned done = 0;
    struct store_tx *tx;

    mutex_lock(&model_lock);
    int result = store_begin(chaos.store, &tx);
    if (result == 0) {
        result = change_some(worker, tx, changes, &done);
        if (result != 0 || chaos_random(&worker->random) % ABORT_EVERY == 0) {
            store_abort(tx);
            chaos_count(&chaos.work.aborts, 1);
            done = 0;
        } else {
            result = store_commit(tx);
            done = result == 0 ? done : 0;
            chaos_count(&chaos.work.commits, result == 0);
        }
    }
    for (unsigned i = 0; i < done; i++) {
        model_keys[changes[i].number].version = changes[i].version;
    }
    mutex_unlock(&model_lock);
    see_error(result);
}

bool model_fill(void)
{
    uint8_t *value = kmalloc(STORE_VALUE_MAX);
    struct store_tx *tx = NULL;
    int result = value != NULL ? 0 : -ENOMEM;

    for (unsigned i = 0; i < model_count && result == 0; i++) {
        struct store_key key;
        model_key_of(i, &key);
        result = tx == NULL ? store_begin(chaos.store, &tx) : 0;
        if (result == 0) {
            model_keys[i].version = ++model_keys[i].last;
            size_t size = model_value(i, model_keys[i].version, value);
            result = store_tx_put(tx, &key, value, size);
        }
        if (result == 0 && (i % FILL_BATCH == 0 || i + 1 == model_count)) {
            result = store_commit(tx);
            tx = NULL;
        }
    }
    if (tx != NULL) {
        store_abort(tx);
    }
    kfree(value);
    return result == 0;
}

// The one before goes.
static void take_snapshot(struct worker *worker)
{
    char name[STORE_NAME_MAX + 1];
    uint64_t id;

    mutex_lock(&model_lock);
    snprintf(name, sizeof(name), "chaos-%llu",
             (unsigned long long)worker->transactions);
    int result = store_snapshot_take(chaos.store, name, &id);
    if (result == 0) {
        memcpy(model_snapshot, model_keys, model_count * sizeof(*model_keys));
        if (worker->snapshot != 0) {
            result = store_snapshot_drop(chaos.store, worker->snapshot);
        }
        worker->snapshot = id;
    }
    mutex_unlock(&model_lock);
    see_error(result);
}

// --------------------------------------------------------------------- Reading

static void read_one(struct worker *worker)
{
    unsigned number = own_key(worker);
    uint32_t version = model_keys[number].version;
    struct store_key key;
    size_t size;

    model_key_of(number, &key);
    int result =
        store_get(chaos.store, &key, worker->value, STORE_VALUE_MAX, &size);
    chaos_count(&chaos.work.reads, 1);
    if (result == 0 ? version == 0 ||
                          !model_value_is(number, version, worker->value, size)
                    : result == -ENOENT && version != 0) {
        see_wrong();
    } else if (result != -ENOENT) {
        see_error(result);
    }
}

// Tell culprits of a pointer, which is inside an open bracket, and of the
// frame that it is to. They are to have something to choose from.
static void lend(struct worker *worker, const uint8_t *pointer)
{
    uintptr_t direct = (uintptr_t)chaos_direct(0);
    unsigned slot = chaos_random(&worker->random) % LENT;
    uintptr_t at = (uintptr_t)pointer;
    const struct bracket *bracket = bracket_innermost();

    __atomic_store_n(&chaos.lent[slot], pointer, __ATOMIC_RELAXED);
    if (at - direct >= chaos.frames * PAGE_SIZE && bracket != NULL) {
        at = bracket_direct_address(bracket) + (at - bracket->address);
    }
    if (at - direct < chaos.frames * PAGE_SIZE) {
        __atomic_store_n(&chaos.recent[slot],
                         chaos.first + (at - direct) / PAGE_SIZE,
                         __ATOMIC_RELAXED);
    }
}

// Values of others are known by what they say of themselves.
static int look(void *arg, const struct store_key *key, const void *value,
                size_t size)
{
    struct worker *worker = arg;
    unsigned number = model_number_of(key);

    lend(worker, value);
    if (number == model_count) {
        see_wrong();
        return 0;
    }
    bool own = number % chaos.workers == worker->number;
    uint32_t version = own ? model_keys[number].version : 0;
    if ((own && version == 0) ||
        !model_value_is(number, version, value, size)) {
        see_wrong();
    }
    chaos_count(&chaos.work.reads, 1);
    return chaos_stops();
}

static void scan_some(struct worker *worker)
{
    struct store_key from, to;
    struct store_view view;
    unsigned start = (unsigned)(chaos_random(&worker->random) % model_count);

    model_key_of(start, &from);
    model_key_of(MIN(start + SCAN_KEYS, model_count - 1), &to);
    int result = store_view_begin(chaos.store, 0, &view);
    if (result == 0) {
        result = store_view_scan(&view, &from, &to, look, worker);
        store_view_end(&view);
    }
    see_error(result > 0 ? 0 : result);
}

int worker_run(void *number)
{
    struct worker worker = {
        .number = (unsigned)(uintptr_t)number,
        .value = kmalloc(STORE_VALUE_MAX),
    };

    worker.random = chaos_seed(100 + worker.number);
    if (worker.value == NULL) {
        return -ENOMEM;
    }
    while (!chaos_stops()) {
        write_some(&worker);
        if (worker.transactions++ % SNAPSHOT_EVERY == 0 && worker.number == 0) {
            take_snapshot(&worker);
        }
        read_one(&worker);
        scan_some(&worker);
    }
    kfree(worker.value);
    return 0;
}

// --------------------------------------------------------------------- Holding

int holder_run(void *number)
{
    struct worker holder = {.number = (unsigned)(uintptr_t)number};
    size_t blocks = chaos.frames / BLOCK_FRAMES;

    holder.random = chaos_seed(200 + holder.number);
    (void)thread_pin(holder.number);
    while (!chaos_stops()) {
        size_t block = chaos_random(&holder.random) % blocks;
        uint8_t *open = kmap_local_range(chaos.first + block * BLOCK_FRAMES, 0,
                                         STORE_BLOCK_SIZE);
        lend(&holder, open);
        for (volatile unsigned i = 0; i < HOLD_SPINS; i++) {
        }
        thread_yield();
        kunmap_local(open);
    }
    return 0;
}
