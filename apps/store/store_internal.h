// SPDX-License-Identifier: MIT
//
// What the parts of the store share: what it keeps in memory, and who calls
// whom. Nothing here is for others.
//
// The writer's mutex guards all but `current`, `ring`, `views` and `verified`,
// which readers use by atomic accesses.
#pragma once

#include "apps/store/format.h"
#include "kernel/mutex.h"

#define STORE_VIEWS 64
#define STORE_RING 8

// A node as its parent, or whoever has the root, names it. Block 0: none.
struct store_ref {
    uint64_t generation;
    uint32_t block;
    uint32_t level;
};

// One generation of the store.
struct store_state {
    uint64_t generation;
    struct store_ref root;
    uint64_t items, next_snapshot, snapshots;
    uint64_t newest; // generation of the newest snapshot, 0: there is none
};

// A block that the transaction has made, and which of its lines it stored to.
struct store_record {
    uint32_t block;
    uint32_t crc;       // once it is known
    uint32_t next_dead; // see store_tx; RECORD_ALIVE
    uint64_t lines[STORE_BLOCK_SIZE / STORE_LINE / 64];
};

#define RECORD_ALIVE 0xffffffffu
#define RECORD_LAST 0xfffffffeu

// Blocks that the commit of a generation let go of. Whoever sees an older one
// still reads them.
struct store_batch {
    struct store_batch *next;
    uint64_t generation;
    uint32_t count, room;
    uint32_t blocks[];
};

struct store_tx {
    struct store *store;
    struct store_state state; // what it will make of the store
    struct store_record *records;
    uint32_t record_count, record_room;
    uint32_t dead;             // first record whose block nobody needs any more
    uint32_t reserve;          // blocks that it must leave
    struct store_batch *freed; // committed blocks that it does not need
    bool changed, broken;      // broken: half-way, once; it can only be aborted
};

struct store_view_slot {
    uint64_t generation; // the oldest that the view may see; 0: no view
    uint64_t padding[7]; // a cache line for each
};

struct store {
    struct store *next_mounted;
    struct page *first;
    uint64_t bytes, blocks; // that it may have; that it uses
    unsigned flags;
    bool read_only;
    uint8_t uuid[STORE_UUID_SIZE];

    uint64_t current; // generation; its state is in ring[current % STORE_RING]
    struct store_state ring[STORE_RING];
    struct store_view_slot *views;
    uint64_t *verified;    // blocks read before, by bits
    const uint8_t *mapped; // all blocks, to read; NULL: by brackets

    struct mutex writer;
    struct store_tx tx;
    uint64_t *used; // blocks that are not free, by bits
    uint64_t used_count, pending_count;
    uint64_t cursor; // where the next block is looked for
    struct store_batch *batches, *last_batch;
    uint8_t *scratch;   // a block, for compaction
    uint64_t *marks;    // blocks, by bits, for walks
    bool slot_is_clean; // behind the superblock that is written all was 0
    uint64_t commits, aborts, blocks_written, lines_flushed, fences;
    uint64_t unfrozen, refused;
};

// A node that the transaction may change, inside a write bracket.
struct store_edit {
    struct store_tx *tx;
    struct store_node *node;
    uint32_t record;
};

// The way from the root to a leaf, all of it mapped for writing; index[level]
// is the item of the node at `level` that leads on.
struct store_path {
    struct store_edit edit[STORE_LEVELS];
    uint32_t index[STORE_LEVELS];
    unsigned top, low; // levels: what is open is low to top
    bool rightmost;    // nothing in the tree is right of it
};

// ---------------------------------------------------------------------- Bits

static inline bool bits_get(const uint64_t *bits, uint64_t n)
{
    return __atomic_load_n(&bits[n / 64], __ATOMIC_RELAXED) >> n % 64 & 1;
}

static inline void bits_set(uint64_t *bits, uint64_t n)
{
    bits[n / 64] |= BIT(n % 64);
}

static inline void bits_clear(uint64_t *bits, uint64_t n)
{
    bits[n / 64] &= ~BIT(n % 64);
}

// Room for the bits of all blocks.
static inline size_t bits_size(uint64_t blocks)
{
    return (blocks + 63) / 64 * sizeof(uint64_t);
}

// ---------------------------------------------------------------- block.c

static inline struct page *block_page(const struct store *store, uint64_t block)
{
    return store->first + block * STORE_BLOCK_PAGES;
}

static inline struct page *part_page(const struct store *store, size_t at)
{
    return store->first + at / PAGE_SIZE;
}

// What is wrong with a node that `ref` names; NULL: nothing.
const char *store_node_verify(const struct store *store,
                              const struct store_node *node,
                              const struct store_ref *ref);

// Whoever reads a block next verifies it.
static inline void block_unverify(struct store *store, uint64_t block)
{
    __atomic_fetch_and(&store->verified[block / 64], ~BIT(block % 64),
                       __ATOMIC_RELAXED);
}

// Verify a node that is mapped, unless that was done since the store was
// mounted; NULL: it is good.
const char *store_node_verify_once(struct store *store,
                                   const struct store_node *node,
                                   const struct store_ref *ref);

// Make a block readable. By brackets, a view always has one of the domain open,
// the root's, so that those of the others change no right.
static inline __attribute__((always_inline)) const struct store_node *
node_map_in_line(const struct store *store, uint64_t block, bool mapped)
{
    return mapped ? (const void *)(store->mapped + block * STORE_BLOCK_SIZE)
                  : kmap_local_range_ro(block_page(store, block), 0,
                                        STORE_BLOCK_SIZE);
}

static inline const struct store_node *node_map(const struct store *store,
                                                uint64_t block)
{
    return node_map_in_line(store, block, store->mapped != NULL);
}

static inline __attribute__((always_inline)) void
node_close_in_line(const struct store_node *node, bool mapped)
{
    if (!mapped) {
        kunmap_local(node);
    }
}

static inline void node_close(const struct store *store,
                              const struct store_node *node)
{
    node_close_in_line(node, store->mapped != NULL);
}

// Map a node for reading and see that it is the one that was meant. `own` is
// the generation of the transaction that asks, whose nodes have no checksum
// yet, or 0. `mapped`: whether the store is; known when it is compiled, where
// that counts. NULL: it is damaged.
static inline __attribute__((always_inline)) const struct store_node *
node_open_in_line(struct store *store, const struct store_ref *ref,
                  uint64_t own, bool mapped)
{
    if (unlikely(ref->block == 0 || ref->block >= store->blocks)) {
        return NULL;
    }
    const struct store_node *node = node_map_in_line(store, ref->block, mapped);
    if (unlikely((!bits_get(store->verified, ref->block) ||
                  store->flags & STORE_VERIFY_ALWAYS) &&
                 ref->generation != own &&
                 store_node_verify_once(store, node, ref) != NULL)) {
        node_close_in_line(node, mapped);
        return NULL;
    }
    if (unlikely(node->block != ref->block ||
                 node->generation != ref->generation ||
                 node->level != ref->level)) {
        node_close_in_line(node, mapped);
        return NULL;
    }
    return node;
}

static inline const struct store_node *
node_open(struct store *store, const struct store_ref *ref, uint64_t own)
{
    return node_open_in_line(store, ref, own, store->mapped != NULL);
}

// ---------------------------------------------------------------- states

// The state that is current, for the writer or under its lock.
static inline const struct store_state *state_current(const struct store *store)
{
    return &store->ring[store->current % STORE_RING];
}

// A consistent copy of the current state, for anybody: the writer overwrites
// it only STORE_RING commits later, and then this looks again.
void store_state_read(const struct store *store, struct store_state *state);

// ---------------------------------------------------------------- alloc.c

// Blocks that a put, and that a deletion, leaves to those that free some.
uint32_t store_alloc_reserve_put(const struct store *store);
uint32_t store_alloc_reserve_del(const struct store *store);

// Make a new, empty node for the transaction, mapped for writing. -ENOSPC,
// -ENOMEM, -EIO: it is not what was written.
int store_alloc_node(struct store_tx *tx, uint32_t level,
                     struct store_edit *edit);

// A node of the transaction's own is not needed any more.
void store_alloc_release(struct store_tx *tx, uint32_t record);

// The number of the record of a node of the transaction's own, which is mapped;
// RECORD_ALIVE: it does not have one, it is damaged.
uint32_t store_alloc_record(const struct store_tx *tx,
                            const struct store_node *node);

// See that `count` more blocks can be let go of. -ENOMEM.
int store_alloc_expect_free(struct store_tx *tx, uint32_t count);

// The tree that is written does not have this committed block any more; a
// snapshot may. store_alloc_expect_free() was called.
void store_alloc_let_go(struct store_tx *tx, const struct store_ref *ref);

// The same where no other tree has it.
void store_alloc_free(struct store_tx *tx, uint32_t block);

// End of a transaction: forget its blocks, or keep them and let go of those
// that it freed once no view needs them.
void store_alloc_abort(struct store_tx *tx);
void store_alloc_commit(struct store_tx *tx);

// Take back what views needed and do not any more.
void store_alloc_reclaim(struct store *store);

// ---------------------------------------------------------------- leaf.c

// Bytes of items and values that fit into a leaf.
static inline uint32_t leaf_used(const struct store_node *node)
{
    return node->count * (uint32_t)sizeof(struct store_leaf_item) +
           node->data_bytes;
}

// Insert at an index, delete, or overwrite with the same size; it must fit.
// -EUCLEAN: the leaf is damaged.
int store_leaf_insert(struct store_edit *edit, uint32_t at,
                      const struct store_key *key, const void *value,
                      uint32_t size);
int store_leaf_remove(struct store_edit *edit, uint32_t at);
int store_leaf_overwrite(struct store_edit *edit, uint32_t at,
                         const void *value);

// Move the items from index `from` on to the leaf `to`, which is empty.
int store_leaf_move(struct store_edit *edit, uint32_t from,
                    struct store_edit *to);

// Insert all items of a sibling before the first item or behind the last.
int store_leaf_merge(struct store_edit *edit, const struct store_node *sibling,
                     bool before);

// ---------------------------------------------------------------- inner.c

// Insert a child under a key, or remove one.
void store_inner_insert(struct store_edit *edit, uint32_t at,
                        const struct store_inner_item *item);
void store_inner_remove(struct store_edit *edit, uint32_t at);

// Name another block for the child at an index.
void store_inner_set_child(struct store_edit *edit, uint32_t at,
                           const struct store_ref *ref);

// The same as for leaves.
void store_inner_move(struct store_edit *edit, uint32_t from,
                      struct store_edit *to);
void store_inner_merge(struct store_edit *edit,
                       const struct store_node *sibling, bool before);

// ---------------------------------------------------------------- tree

// Find a key's value in a tree; `top` is its root, mapped, or NULL. As
// store_view_get().
int store_tree_get(struct store *store, const struct store_ref *root,
                   const struct store_node *top, uint64_t own,
                   const struct store_key *key, void *value, size_t room,
                   size_t *size);
int store_tree_scan(struct store *store, const struct store_ref *root,
                    const struct store_node *top, uint64_t own,
                    const struct store_key *from, const struct store_key *to,
                    store_scan_fn *fn, void *arg);

// From store_path_open() and in store_tree_put(): the tree is higher or wider
// now, look again. Not an error.
#define TREE_AGAIN 1

// Make the way to a key's leaf the transaction's own and map it; the tree is
// not empty. With `grow`, all inner nodes on it have room for one more item.
// After an error, or TREE_AGAIN, nothing is open.
int store_path_open(struct store_tx *tx, struct store_path *path,
                    const struct store_key *key, bool grow);

// Close what is open below `level`, or all.
void store_path_close_below(struct store_path *path, unsigned level);
void store_path_close(struct store_path *path);

// A root above the root.
int store_tree_grow(struct store_tx *tx);

// Change the transaction's tree. *existed says whether the key was there.
int store_tree_put(struct store_tx *tx, const struct store_key *key,
                   const void *value, uint32_t size, bool *existed);
int store_tree_del(struct store_tx *tx, const struct store_key *key);

// ---------------------------------------------------------------- walk.c

struct store_walk {
    struct store *store;
    uint64_t own; // as for node_open()
    // Called for each node, parents first. False: not what is below it.
    bool (*visit)(struct store_walk *walk, const struct store_ref *ref);
    void *arg;
    uint64_t floor, ceiling; // generations, for visit()
    struct store_problem problem;
};

// Visit all nodes of a tree; only inner ones are read. Goes on after damage,
// and notes the first that it comes to in `problem`.
void store_walk_tree(struct store_walk *walk, const struct store_ref *root);

// ---------------------------------------------------------------- others

// The record of a snapshot's value; false: it is damaged.
bool store_snapshot_parse(const struct store *store, const void *value,
                          size_t size, struct store_snapshot_record *record);
void store_snapshot_root(const struct store_snapshot_record *record,
                         struct store_ref *root);

// Call fn(arg, key, value, size) for the record of each snapshot in a tree.
int store_snapshot_scan(struct store *store, const struct store_ref *root,
                        uint64_t own, store_scan_fn *fn, void *arg);

// Whether a superblock is the one of a generation. The whole part is mapped.
const char *store_superblock_verify(const struct store *store,
                                    const struct store_superblock *superblock,
                                    uint64_t generation);

// Whether a mounted store has any of this memory.
bool store_is_mounted(const struct page *first, uint64_t bytes);

// The selector's word for a generation; false: the word is damaged.
uint64_t store_selector_make(uint64_t generation);
bool store_selector_parse(uint64_t word, uint64_t *generation);

// Whether a part of block 0 is 0 from byte `from` on, a multiple of 8.
bool store_part_is_zero(const void *part, size_t from);

static inline bool key_is_own(const struct store_key *key)
{
    return key->object == STORE_OWN_OBJECT;
}
