// SPDX-License-Identifier: MIT
//
// What the kernel's tests of the store share.
#pragma once

#include "apps/store/store.h"
#include "tests/pmem.h"

// Bounds of a scan over all keys that are not the store's own.
static const struct store_key test_store_lowest = {0, 0, 0};
static const struct store_key test_store_highest = {UINT64_MAX - 1, UINT64_MAX,
                                                    UINT8_MAX};

// Make an empty store and mount it with these flags; NULL: that failed.
struct store *test_store_new(const struct pmem_region *region, unsigned flags);

// Unmount it, and leave the region as it was found.
int test_store_end(const struct pmem_region *region, struct store *store);

static inline struct store_key test_store_key(uint64_t object)
{
    return (struct store_key){object, 0, 1};
}
