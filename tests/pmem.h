// SPDX-License-Identifier: MIT
//
// Persistent memory that tests may write to: a region whose first frame is all
// zeroes, so that nobody's store is in it. They leave it so.
#pragma once

#include "keyhole.h"

// The first region; NULL: there is none, or it is in use.
const struct pmem_region *test_pmem(void);

#define NEEDS_PMEM(region)                                                     \
    const struct pmem_region *region = test_pmem();                            \
    if (region == NULL) {                                                      \
        SKIP("needs persistent memory that is empty: PMEM=FILE,SIZE");         \
    }
