// SPDX-License-Identifier: MIT
//
// Second mappings of frames, straight through the page tables.
#include "tests/alias.h"

#include "mm/pagetable.h"

void *alias_map(uintptr_t base, const struct page *page, unsigned level,
                uint64_t flags)
{
    uint64_t size = PT_LEVEL_SIZE(level);
    phys_addr_t physical = page_to_phys(page);
    if (pt_map(base, ALIGN_DOWN(physical, size), size, PTE_P | PTE_A | flags,
               level) != 0) {
        return NULL;
    }
    uintptr_t address = base + (physical & (size - 1));
    struct pt_walk walk;
    pt_walk(address, &walk);
    return walk.present && walk.level == level ? (void *)address : NULL;
}

bool alias_write_stale(const struct page *page, size_t offset)
{
    volatile char *at = alias_map(TEST_REGION_BASE, page, 1, ALIAS_DATA);
    if (at != NULL) {
        at[offset]++;
    }
    alias_unmap(TEST_REGION_BASE, 1);
    return at != NULL;
}

void alias_unmap(uintptr_t base, unsigned level)
{
    pt_unmap(base, PT_LEVEL_SIZE(level));
}
