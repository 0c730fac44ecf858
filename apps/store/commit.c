// SPDX-License-Identifier: MIT
//
// The end of a transaction. All blocks and the new superblock are durable
// before the selector, 8 bytes stored at once, names the superblock; from then
// on, and not before, they are the store. Two fences, and each line that was
// stored to is flushed once.
//
// As soon as blocks in a row have their checksums, they are frozen: whoever
// writes to one, from a bracket or not, is refused.
#include "apps/store/crc32c.h"
#include "apps/store/search.h"

// Blocks in a row, by their records.
struct run {
    uint32_t first, end;
};

static bool is_alive(const struct store_record *record)
{
    return record->next_dead == RECORD_ALIVE;
}

// The next run from record `run->end` on; false: there is none.
static bool run_next(const struct store_tx *tx, struct run *run)
{
    const struct store_record *records = tx->records;
    uint32_t i = run->end;

    while (i < tx->record_count && !is_alive(&records[i])) {
        i++;
    }
    run->first = i;
    for (; i < tx->record_count && is_alive(&records[i]); i++) {
        if (records[i].block != records[run->first].block + (i - run->first)) {
            break;
        }
    }
    run->end = i;
    return run->end > run->first;
}

// ------------------------------------------------------------------- Freezing

static struct page *run_page(const struct store_tx *tx, const struct run *run)
{
    return block_page(tx->store, tx->records[run->first].block);
}

static size_t run_frames(const struct run *run)
{
    return (size_t)(run->end - run->first) * STORE_BLOCK_PAGES;
}

// Which runs are frozen is in `marks`, by the first block of each.
static void freeze_none(struct store_tx *tx)
{
    struct run run = {0, 0};

    while (run_next(tx, &run)) {
        bits_clear(tx->store->marks, tx->records[run.first].block);
    }
}

// A run that cannot be frozen (another watch is on it, or there are too many)
// is counted and written all the same.
static void freeze(struct store_tx *tx, const struct run *run)
{
    struct store *store = tx->store;

    if (freeze_range(run_page(tx, run), run_frames(run), FAULT_MODE_DEFAULT) ==
        0) {
        bits_set(store->marks, tx->records[run->first].block);
    } else {
        store->unfrozen++;
    }
}

static void thaw(struct store_tx *tx)
{
    struct store *store = tx->store;
    struct run run = {0, 0};

    while (run_next(tx, &run)) {
        if (bits_get(store->marks, tx->records[run.first].block)) {
            int refused = thaw_range(run_page(tx, &run), run_frames(&run));
            store->refused += refused > 0 ? (uint64_t)refused : 0;
        }
    }
}

// ------------------------------------------------------------------ Checksums

// The checksum of a block, in a write bracket of its own. -EUCLEAN: the block
// does not say any more that it is the transaction's.
static int seal_block(struct store_tx *tx, uint32_t number)
{
    struct store_record *record = &tx->records[number];
    struct store_node *node = kmap_local_range(
        block_page(tx->store, record->block), 0, STORE_BLOCK_SIZE);
    bool good = node->crc == number && node->block == record->block &&
                node->generation == tx->state.generation;

    record->crc = crc32c_rest(node, STORE_BLOCK_SIZE);
    node->crc = record->crc;
    kunmap_local(node);
    return good ? 0 : -EUCLEAN;
}

// Blocks in a row, and then they are frozen.
static int seal_blocks(struct store_tx *tx)
{
    struct run run = {0, 0};
    int result = 0;

    freeze_none(tx);
    while (result == 0 && run_next(tx, &run)) {
        for (uint32_t i = run.first; result == 0 && i < run.end; i++) {
            result = seal_block(tx, i);
        }
        if (result == 0) {
            freeze(tx, &run);
        }
    }
    if (result != 0) {
        thaw(tx);
    }
    return result;
}

static void fill_superblock(const struct store_tx *tx,
                            struct store_superblock *superblock)
{
    const struct store_state *state = &tx->state;
    bool clean = store_part_is_zero(superblock, sizeof(*superblock));

    // What came to its end since must not get under the checksum.
    if (!clean) {
        memset(superblock, 0, STORE_PART_SIZE);
    }
    tx->store->slot_is_clean = clean;
    superblock->level = state->root.level;
    superblock->generation = state->generation;
    superblock->root = state->root.block;
    superblock->root_generation = state->root.generation;
    superblock->items = state->items;
    superblock->next_snapshot = state->next_snapshot;
    superblock->snapshots = state->snapshots;
    memcpy(superblock->uuid, tx->store->uuid, STORE_UUID_SIZE);
    superblock->crc = crc32c_rest(superblock, STORE_PART_SIZE);
}

static struct page *slot_page(const struct store_tx *tx)
{
    return part_page(tx->store, STORE_SLOT_AT +
                                    tx->state.generation % 2 * STORE_PART_SIZE);
}

// The superblock's bracket is around those of the blocks: they change no right.
static int seal(struct store_tx *tx)
{
    struct store_superblock *superblock =
        kmap_local_range(slot_page(tx), 0, STORE_PART_SIZE);
    int result = seal_blocks(tx);

    if (result == 0) {
        fill_superblock(tx, superblock);
    }
    kunmap_local(superblock);
    return result;
}

// ------------------------------------------------------------------- Flushing

// Flush the lines of a block that were stored to, those in a row at once.
static void flush_lines(struct store *store, const uint8_t *bytes,
                        const uint64_t lines[])
{
    for (uint32_t word = 0; word < STORE_BLOCK_SIZE / STORE_LINE / 64; word++) {
        const uint8_t *base = bytes + word * 64 * STORE_LINE;
        uint64_t left = lines[word];
        while (left != 0) {
            unsigned first = (unsigned)__builtin_ctzll(left);
            uint64_t rest = ~(left >> first);
            unsigned count = rest == 0 ? 64 : (unsigned)__builtin_ctzll(rest);
            pmem_flush(base + first * STORE_LINE, (size_t)count * STORE_LINE);
            store->lines_flushed += count;
            left &= count == 64 ? 0 : ~(BITS(count - 1, 0) << first);
        }
    }
}

static void flush_blocks(struct store_tx *tx)
{
    struct store *store = tx->store;

    for (uint32_t i = 0; i < tx->record_count; i++) {
        struct store_record *record = &tx->records[i];
        const void *node = kmap_local_range_ro(block_page(store, record->block),
                                               0, STORE_BLOCK_SIZE);
        flush_lines(store, node, record->lines);
        kunmap_local(node);
        memset(record->lines, 0, sizeof(record->lines));
    }
}

// Blocks and superblock, by read-only brackets, and the first fence.
static void flush(struct store_tx *tx)
{
    struct store *store = tx->store;
    size_t size = store->slot_is_clean ? sizeof(struct store_superblock)
                                       : STORE_PART_SIZE;
    const void *superblock =
        kmap_local_range_ro(slot_page(tx), 0, STORE_PART_SIZE);

    flush_blocks(tx);
    pmem_flush(superblock, size);
    store->lines_flushed += (size + STORE_LINE - 1) / STORE_LINE;
    kunmap_local(superblock);
    pmem_drain();
    store->fences++;
}

// --------------------------------------------------------------------- Switch

// Whether all blocks and the superblock still are what their checksums say.
static bool is_unchanged(const struct store_tx *tx)
{
    const void *superblock =
        kmap_local_range_ro(slot_page(tx), 0, STORE_PART_SIZE);
    bool same = store_superblock_verify(tx->store, superblock,
                                        tx->state.generation) == NULL;
    kunmap_local(superblock);

    for (uint32_t i = 0; i < tx->record_count && same; i++) {
        const struct store_record *record = &tx->records[i];
        if (is_alive(record)) {
            const struct store_node *node = kmap_local_range_ro(
                block_page(tx->store, record->block), 0, STORE_BLOCK_SIZE);
            same = node->crc == record->crc &&
                   crc32c_rest(node, STORE_BLOCK_SIZE) == record->crc;
            kunmap_local(node);
        }
    }
    return same;
}

// False: the memory does not keep what is written to it.
static bool switch_selector(struct store_tx *tx)
{
    struct store *store = tx->store;
    uint64_t *selector = kmap_local_range(part_page(store, STORE_SELECTOR_AT),
                                          0, STORE_PART_SIZE);
    uint64_t word = store_selector_make(tx->state.generation);

    __atomic_store_n(selector, word, __ATOMIC_RELEASE);
    pmem_flush(selector, sizeof(*selector));
    pmem_drain();
    bool kept = *(volatile uint64_t *)selector == word;
    kunmap_local(selector);
    store->lines_flushed++;
    store->fences++;
    return kept;
}

// Let readers see it.
static void publish(struct store_tx *tx)
{
    struct store *store = tx->store;
    uint64_t generation = tx->state.generation;
    const uint64_t *from = (const uint64_t *)&tx->state;
    uint64_t *to = (uint64_t *)&store->ring[generation % STORE_RING];

    for (size_t i = 0; i < sizeof(tx->state) / sizeof(*from); i++) {
        __atomic_store_n(&to[i], from[i], __ATOMIC_RELAXED);
    }
    __atomic_store_n(&store->current, generation, __ATOMIC_SEQ_CST);
}

static bool wants_recheck(const struct store *store)
{
#ifdef KEYHOLE_DEBUG
    (void)store;
    return true;
#else
    return store->flags & STORE_RECHECK;
#endif
}

// Lines that were stored to are flushed all the same: a block that is used
// again relies on what it does not store to being what is on the medium.
static void forget(struct store_tx *tx)
{
    flush_blocks(tx);
    store_alloc_abort(tx);
    mutex_unlock(&tx->store->writer);
}

void store_abort(struct store_tx *tx)
{
    tx->store->aborts++;
    forget(tx);
}

int store_commit(struct store_tx *tx)
{
    struct store *store = tx->store;
    int result = tx->broken ? -EUCLEAN : 0;

    if (result == 0 && tx->changed) {
        result = seal(tx);
    }
    if (result != 0 || !tx->changed) {
        forget(tx);
        return result;
    }
    flush(tx);
    if (wants_recheck(store) && !is_unchanged(tx)) {
        thaw(tx);
        forget(tx);
        return -EUCLEAN;
    }
    bool kept = switch_selector(tx);
    thaw(tx);
    if (unlikely(!kept)) {
        store->read_only = true;
        forget(tx);
        return -EIO;
    }
    store->commits++;
    store->blocks_written += tx->record_count;
    publish(tx);
    store_alloc_commit(tx);
    mutex_unlock(&store->writer);
    return 0;
}
