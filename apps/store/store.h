// SPDX-License-Identifier: MIT
//
// The store: keys and values in persistent memory, in a copy-on-write B-tree of
// 16 KiB blocks. A commit changes all or nothing, whenever the power goes; a
// snapshot keeps a whole generation at the cost of one record.
//
// Any number of threads read while one writes; readers take no lock. Every
// access to the medium is inside a local bracket, read-only wherever nothing is
// written; with STORE_READ_MAPPED, trees are read through one mapping. All
// calls are for thread context, with fewer than 12 local brackets open.
// docs/reference/store-format.md has what is on the medium.
//
// Errors, besides those that each call names: -EUCLEAN: a block is damaged, and
// what it would have said is not known; nothing was changed. -EIO, of what
// writes: the memory does not keep what is written to it, as a read-only
// NVDIMM of a virtual machine; from then on the store is read-only. -ENOMEM.
#pragma once

#include <keyhole.h>

#define STORE_BLOCK_SIZE 16384
#define STORE_VALUE_MAX 8000
#define STORE_NAME_MAX 63
#define STORE_BLOCKS_MIN 16
#define STORE_UUID_SIZE 16

struct store;
struct store_tx;

// Ordered by object, then type, then offset. The object ~0 is the store's own:
// reading and writing there is -EINVAL, and a scan leaves it out.
struct store_key {
    uint64_t object, offset;
    uint8_t type;
};

// What is wrong, in which block, and what can be done; error 0: nothing is.
struct store_problem {
    int error;
    uint64_t block;
    const char *text;
};

// Make an empty store of the `bytes` bytes from `first` on, which are frames of
// one domain that persist; what was there is lost. Durable on return, if what
// others stored there since the machine started was flushed. 0, or
// -EEXIST: the first block is not empty, and `force` is false; -EINVAL: fewer
// than STORE_BLOCKS_MIN blocks, or 2^32 and more; -EBUSY: a store there is
// mounted.
int store_format(struct page *first, uint64_t bytes,
                 const uint8_t uuid[STORE_UUID_SIZE], bool force);

// For store_mount(): check each block each time it is read, not only the first
// time; never write; read what a commit wrote again, before it is made current
// (a debug build always does); read trees through one mapping of the whole
// store by vmap_range(), which nobody can write through, instead of a bracket
// for each block. A stray read then meets an open door; a stray write as little
// as ever.
#define STORE_VERIFY_ALWAYS 1u
#define STORE_READ_ONLY 2u
#define STORE_RECHECK 4u
#define STORE_READ_MAPPED 8u

// Open the store there. All inner nodes are read, to know which blocks are
// used. If one is damaged, the store is mounted read-only, and `problem` (may
// be NULL) says why. 0, or, with `problem`, -ENODEV: there is no store;
// -EOPNOTSUPP: one of another version; -EUCLEAN: its first block is damaged;
// -EINVAL: another flag; -EBUSY: it is mounted already.
int store_mount(struct page *first, uint64_t bytes, unsigned flags,
                struct store **out, struct store_problem *problem);

// Forget the store. -EBUSY: a transaction or a view is open.
int store_unmount(struct store *store);

// ------------------------------------------------------------------- Reading

// One generation of the store, whole, as long as the view is open: what is
// committed meanwhile is not seen. It holds a local bracket on the root, so
// views end in reverse order, on the thread that began them.
struct store_view {
    struct store *private_store;
    const void *private_root;
    uint64_t private_generation;
    uint32_t private_block, private_level, private_slot;
};

// Begin to read: snapshot 0 is the head. -ENOENT: no such snapshot; -EBUSY: 64
// views are open.
int store_view_begin(struct store *store, uint64_t snapshot,
                     struct store_view *view);
void store_view_end(struct store_view *view);

// Copy the value of a key to `value`, which has room for `room` bytes, and its
// size to *size. -ENOENT; -ERANGE: it is larger than `room` (*size is set).
int store_view_get(struct store_view *view, const struct store_key *key,
                   void *value, size_t room, size_t *size);

// What store_view_scan() calls for each item. `value` is inside a read-only
// bracket, until it returns; it may use the store. Anything but 0 ends the scan
// and is what the scan returns.
typedef int store_scan_fn(void *arg, const struct store_key *key,
                          const void *value, size_t size);

// All items with keys `from` to `to`, both included, in order.
int store_view_scan(struct store_view *view, const struct store_key *from,
                    const struct store_key *to, store_scan_fn *fn, void *arg);

// store_view_get() in a view of its own.
int store_get(struct store *store, const struct store_key *key, void *value,
              size_t room, size_t *size);

// ------------------------------------------------------------------- Writing

// Begin to write; waits until no other transaction is open. Ended by the same
// thread with store_commit() or store_abort(). -EROFS: mounted read-only;
// -ERANGE: the store has had 2^48 generations.
int store_begin(struct store *store, struct store_tx **out);

// Insert a value or replace it. After an error the transaction is as it was
// before the call. -EINVAL: more than STORE_VALUE_MAX bytes; -ENOSPC.
int store_tx_put(struct store_tx *tx, const struct store_key *key,
                 const void *value, size_t size);

// Delete a key. -ENOENT; -ENOSPC: snapshots or views have it all, or in a full
// store, a transaction deletes in more than a few blocks: commit more often.
int store_tx_del(struct store_tx *tx, const struct store_key *key);

// What is there, with what this transaction has changed.
int store_tx_get(struct store_tx *tx, const struct store_key *key, void *value,
                 size_t room, size_t *size);

// End the transaction, and have everything that it changed or nothing: durable
// on return. After an error, nothing of it is. -EUCLEAN: a block of it was
// damaged before it was durable.
int store_commit(struct store_tx *tx);

// End the transaction and forget it.
void store_abort(struct store_tx *tx);

// One change in a transaction of its own, with the errors of both.
int store_put(struct store *store, const struct store_key *key,
              const void *value, size_t size);
int store_del(struct store *store, const struct store_key *key);

// ----------------------------------------------------------------- Snapshots

struct store_snapshot {
    uint64_t id, generation, items;
    char name[STORE_NAME_MAX + 1];
};

// Keep what is committed now. Ids count from 1 and are never used again.
// -EEXIST: the name is taken; -EINVAL: it is empty or too long; -ERANGE: there
// is no id left; and the errors of a transaction.
int store_snapshot_take(struct store *store, const char *name, uint64_t *id);

// Let go of a snapshot and of the blocks that only it has. -ENOENT.
int store_snapshot_drop(struct store *store, uint64_t id);

// The id of a name. -ENOENT.
int store_snapshot_find(struct store *store, const char *name, uint64_t *id);

// Call fn(arg, snapshot) for each, the oldest first, until it returns anything
// but 0, and return that.
typedef int store_snapshot_fn(void *arg, const struct store_snapshot *snapshot);
int store_snapshots(struct store *store, store_snapshot_fn *fn, void *arg);

// ---------------------------------------------------------------- Inspection

struct store_check {
    uint64_t blocks_read; // each once, however many snapshots have it
    uint64_t damaged;     // problems reported
    uint64_t items;       // of the head
    uint64_t snapshots;
    uint64_t used; // blocks that some tree has, with block 0
};

typedef void store_report_fn(void *arg, const struct store_problem *problem);

// Read every block that is in use anew and compare all that can be compared;
// report(arg, problem) for whatever is wrong. Waits for the writer; readers go
// on, and do not get anything from a damaged block any more. 0, or -EUCLEAN:
// something was reported.
int store_check(struct store *store, struct store_check *check,
                store_report_fn *report, void *arg);

struct store_stats {
    uint64_t generation, items, snapshots;
    uint64_t blocks, used, pending, free; // pending: free once views end
    unsigned height;                      // 0: empty
    bool read_only;
    // Since the store was mounted.
    uint64_t commits, aborts, blocks_written, lines_flushed, fences;
    uint64_t unfrozen; // runs of blocks that could not be frozen in a commit
    uint64_t refused;  // writes to frozen blocks
};

void store_stats(struct store *store, struct store_stats *stats);
