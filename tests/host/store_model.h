// SPDX-License-Identifier: MIT
//
// What a store must say, by the simplest means: of each of a few keys, which
// version it has, now and in each snapshot. Values follow from key and version.
// A workload does the same to a store and to this.
#pragma once

#include "apps/store/store.h"

#define MODEL_KEYS 64u
#define MODEL_SNAPSHOTS 3u

// Version 0: the key is not there.
struct store_model_snapshot {
    uint64_t id;
    uint16_t versions[MODEL_KEYS];
};

struct store_model {
    uint16_t versions[MODEL_KEYS];
    unsigned snapshots; // oldest first
    struct store_model_snapshot snapshot[MODEL_SNAPSHOTS];
};

// The keys, in the store's order; and a value, of up to STORE_VALUE_MAX bytes.
struct store_key store_model_key(unsigned key);
size_t store_model_value(unsigned key, unsigned version, uint8_t *value);

// All items of the head and of each snapshot, and which snapshots there are.
// NULL, or what differs. `*error`: what a call of the store answered, if that
// is it, otherwise 0.
const char *store_model_compare(struct store *store,
                                const struct store_model *model, int *error);

enum store_event {
    STORE_COMMITS,      // a change is about to be committed
    STORE_ACKNOWLEDGED, // it was
    STORE_ABORTS,       // a transaction is about to be aborted
};

struct store_workload {
    struct page *first;
    uint64_t bytes;
    struct store *store;
    struct store_model model;
    struct store_model next; // what the operation on its way will make of it
    uint64_t random;
    uint16_t version; // given out last
    uint64_t snapshots_taken;
    unsigned full; // operations that found no space
    bool stays_mounted;
    unsigned abort_one_in; // so many transactions; 0: none
    void (*note)(void *arg, enum store_event event); // may be NULL
    void *arg;
};

// Format the medium, whatever is there, and mount it. Versions go on.
bool store_workload_begin(struct store_workload *workload, uint64_t seed);

// One operation: a transaction of some changes, that is committed or aborted; a
// snapshot is taken or dropped; the store is mounted anew. False: it answered
// what it must not.
bool store_workload_step(struct store_workload *workload);

bool store_workload_end(struct store_workload *workload);
