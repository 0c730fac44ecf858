// SPDX-License-Identifier: MIT
//
// What the store counts.
#include "apps/store/store_internal.h"

void store_stats(struct store *store, struct store_stats *stats)
{
    struct store_state state;

    store_state_read(store, &state);
    *stats = (struct store_stats){
        .generation = state.generation,
        .items = state.items,
        .snapshots = state.snapshots,
        .blocks = store->blocks,
        .used = store->used_count - store->pending_count,
        .pending = store->pending_count,
        .free = store->blocks - store->used_count,
        .height = state.root.block == 0 ? 0 : state.root.level + 1,
        .read_only = store->read_only,
        .commits = store->commits,
        .aborts = store->aborts,
        .blocks_written = store->blocks_written,
        .lines_flushed = store->lines_flushed,
        .fences = store->fences,
        .unfrozen = store->unfrozen,
        .refused = store->refused,
    };
}
