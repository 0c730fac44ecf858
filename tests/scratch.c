// SPDX-License-Identifier: MIT
//
// The room that tests share.
#include "tests/scratch.h"

#include "lib/panic.h"
#include "mm/kernel_pages.h"
#include "mm/lock.h"

void scratch_prepare(void)
{
    ASSERT((uintptr_t)test_scratch == TEST_SCRATCH_BASE); // linker.ld
    uint64_t lock = mm_lock();
    bool there = true;
    for (size_t at = 0; at < SCRATCH_SIZE; at += PAGE_SIZE) {
        there = there && kernel_page_ensure_locked(TEST_SCRATCH_BASE + at);
    }
    mm_unlock(lock);
    if (!there) {
        panic(
            "no memory for what tests share; give the machine at least 32 MiB");
    }
}
