// SPDX-License-Identifier: MIT
//
// Which blocks are free, in memory only; mounting finds it out anew. Blocks
// that a commit lets go of are free once that commit is durable and no view of
// an older generation is open. The writer's lock is held.
#include "apps/store/search.h"

#define RECORDS_FIRST 32
#define BATCH_FIRST 100

// To drop a snapshot takes a new block at each level, and may give back no more
// than one: with 2 * height - 1 blocks, that always goes on. A tree of fewer
// than 510 blocks has two levels.
uint32_t store_alloc_reserve_del(const struct store *store)
{
    return store->blocks >= 128 ? 8 : MAX((uint32_t)store->blocks / 16, 3);
}

uint32_t store_alloc_reserve_put(const struct store *store)
{
    return 2 * store_alloc_reserve_del(store);
}

// ---------------------------------------------------------------- Free blocks

// The first free block of `from` to `to` (not included), or `to`.
static uint64_t find_free(const uint64_t *used, uint64_t from, uint64_t to)
{
    while (from < to) {
        uint64_t free = ~used[from / 64] & BITS(63, from % 64);
        if (free != 0) {
            uint64_t block =
                ALIGN_DOWN(from, 64) + (uint64_t)__builtin_ctzll(free);
            return MIN(block, to);
        }
        from = ALIGN_DOWN(from, 64) + 64;
    }
    return to;
}

// Where the last one was and further, so that a transaction's blocks are in a
// row and are frozen and flushed in one go.
static uint64_t take_free(struct store *store)
{
    uint64_t block = find_free(store->used, store->cursor, store->blocks);

    if (block == store->blocks) {
        block = find_free(store->used, 1, store->blocks);
    }
    bits_set(store->used, block);
    store->used_count++;
    store->cursor = block + 1;
    block_unverify(store, block);
    return block;
}

static void give_back(struct store *store, uint64_t block)
{
    if (bits_get(store->used, block)) {
        bits_clear(store->used, block);
        store->used_count--;
    }
}

// --------------------------------------------------- The transaction's blocks

static int expect_record(struct store_tx *tx)
{
    if (tx->record_count < tx->record_room) {
        return 0;
    }
    uint32_t room = MAX(2 * tx->record_room, RECORDS_FIRST);
    struct store_record *more = kmalloc(room * sizeof(*more));
    if (more == NULL) {
        return -ENOMEM;
    }
    if (tx->records != NULL) {
        memcpy(more, tx->records, tx->record_count * sizeof(*more));
    }
    kfree(tx->records);
    tx->records = more;
    tx->record_room = room;
    return 0;
}

// A record of a block for a new node.
static int new_record(struct store_tx *tx, uint32_t *number)
{
    struct store *store = tx->store;

    if (tx->dead != RECORD_LAST) {
        *number = tx->dead;
        tx->dead = tx->records[*number].next_dead;
        tx->records[*number].next_dead = RECORD_ALIVE;
        return 0;
    }
    if (unlikely(store->blocks - store->used_count <= tx->reserve)) {
        store_alloc_reclaim(store); // views may have ended meanwhile
        if (store->blocks - store->used_count <= tx->reserve) {
            return -ENOSPC;
        }
    }
    if (expect_record(tx) != 0) {
        return -ENOMEM;
    }
    *number = tx->record_count++;
    tx->records[*number] = (struct store_record){
        .block = (uint32_t)take_free(store),
        .next_dead = RECORD_ALIVE,
    };
    return 0;
}

int store_alloc_node(struct store_tx *tx, uint32_t level,
                     struct store_edit *edit)
{
    struct store *store = tx->store;
    uint32_t number;
    int result = new_record(tx, &number);

    if (result != 0) {
        return result;
    }
    uint32_t block = tx->records[number].block;
    struct store_node *node =
        kmap_local_range(block_page(store, block), 0, STORE_BLOCK_SIZE);
    *node = (struct store_node){
        .crc = number,
        .level = (uint16_t)level,
        .block = block,
        .generation = tx->state.generation,
        .data_start = level == 0 ? STORE_BLOCK_SIZE : 0,
    };
    memcpy(node->uuid, store->uuid, STORE_UUID_SIZE);
    const volatile uint64_t *written = &node->generation;
    if (unlikely(*written != tx->state.generation)) {
        // Memory that keeps nothing, as a virtual machine has it: there the
        // store is gone at once. A CPU's own would still be in its caches.
        store->read_only = true;
        kunmap_local(node);
        store_alloc_release(tx, number);
        return -EIO;
    }
    *edit = (struct store_edit){tx, node, number};
    edit_mark(edit, 0, sizeof(*node));
    return 0;
}

void store_alloc_release(struct store_tx *tx, uint32_t record)
{
    tx->records[record].next_dead = tx->dead;
    tx->dead = record;
}

uint32_t store_alloc_record(const struct store_tx *tx,
                            const struct store_node *node)
{
    uint32_t number = node->crc;

    if (number < tx->record_count && tx->records[number].block == node->block &&
        tx->records[number].next_dead == RECORD_ALIVE) {
        return number;
    }
    return RECORD_ALIVE;
}

// ----------------------------------------------------------- Committed blocks

int store_alloc_expect_free(struct store_tx *tx, uint32_t count)
{
    struct store_batch *old = tx->freed;
    uint32_t had = old == NULL ? 0 : old->count;

    if (old != NULL && old->room - had >= count) {
        return 0;
    }
    uint32_t room = MAX(2 * had + count, BATCH_FIRST);
    struct store_batch *more =
        kmalloc(sizeof(*more) + room * sizeof(more->blocks[0]));
    if (more == NULL) {
        return -ENOMEM;
    }
    *more = (struct store_batch){.count = had, .room = room};
    if (old != NULL) {
        memcpy(more->blocks, old->blocks, had * sizeof(more->blocks[0]));
    }
    kfree(old);
    tx->freed = more;
    return 0;
}

void store_alloc_free(struct store_tx *tx, uint32_t block)
{
    tx->freed->blocks[tx->freed->count++] = block;
}

void store_alloc_let_go(struct store_tx *tx, const struct store_ref *ref)
{
    // A snapshot that was taken since the block was written has it too.
    if (ref->generation > tx->state.newest) {
        store_alloc_free(tx, ref->block);
    }
}

// ----------------------------------------------------- End of a transaction

void store_alloc_abort(struct store_tx *tx)
{
    for (uint32_t i = 0; i < tx->record_count; i++) {
        give_back(tx->store, tx->records[i].block);
    }
    kfree(tx->freed);
    tx->freed = NULL;
    tx->record_count = 0;
}

void store_alloc_commit(struct store_tx *tx)
{
    struct store *store = tx->store;
    struct store_batch *batch = tx->freed;

    for (uint32_t i = 0; i < tx->record_count; i++) {
        uint32_t block = tx->records[i].block;
        if (tx->records[i].next_dead == RECORD_ALIVE) {
            __atomic_fetch_or(&store->verified[block / 64], BIT(block % 64),
                              __ATOMIC_RELAXED);
        } else {
            give_back(store, block);
        }
    }
    tx->record_count = 0;
    tx->freed = NULL;
    if (batch != NULL) {
        batch->generation = tx->state.generation;
        batch->next = NULL;
        if (store->batches == NULL) {
            store->batches = batch;
        } else {
            store->last_batch->next = batch;
        }
        store->last_batch = batch;
        store->pending_count += batch->count;
    }
}

// The oldest generation that a view may see. A view that begins now and is not
// found reads afterwards which one is current (take_slot()).
static uint64_t oldest_seen(const struct store *store)
{
    const struct store_view_slot *views = store->views;
    uint64_t before = store->current - 1; // a slot with 0 is above all

#pragma GCC unroll 8
    for (unsigned i = 0; i < STORE_VIEWS; i++) {
        uint64_t seen =
            __atomic_load_n(&views[i].generation, __ATOMIC_SEQ_CST) - 1;
        before = MIN(before, seen);
    }
    return before + 1;
}

void store_alloc_reclaim(struct store *store)
{
    if (store->batches == NULL) {
        return;
    }
    uint64_t oldest = oldest_seen(store);
    while (store->batches != NULL && store->batches->generation <= oldest) {
        struct store_batch *batch = store->batches;
        store->batches = batch->next;
        for (uint32_t i = 0; i < batch->count; i++) {
            give_back(store, batch->blocks[i]);
        }
        store->pending_count -= batch->count;
        kfree(batch);
    }
}
