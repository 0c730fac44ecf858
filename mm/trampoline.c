// SPDX-License-Identifier: MIT
//
// The page is RAM of the direct map too, behind KEY_CLOSED. That alias gives up
// its right to write before the page becomes executable, and gets it back when
// the page is gone.
#include "mm/trampoline.h"

#include "arch/pte.h"
#include "lib/panic.h"
#include "mm/layout.h"
#include "mm/memory.h"
#include "mm/pagetable.h"

#define PAGE_RW (PTE_P | PTE_RW | PTE_A | PTE_D | PTE_XD)

__init void *trampoline_open(void)
{
    phys_addr_t page = memory_low_page();
    if (page == 0 || pt_map(page, page, PAGE_SIZE, PAGE_RW, 1) != 0) {
        return NULL;
    }
    return (void *)page;
}

__init bool trampoline_seal(void *page)
{
    uintptr_t at = (uintptr_t)page;
    return pt_change(DIRECT_MAP_BASE + at, PAGE_SIZE, PTE_RW, 0) == 0 &&
           pt_change(at, PAGE_SIZE, PTE_RW | PTE_XD, 0) == 0;
}

__init void trampoline_close(void *page)
{
    uintptr_t at = (uintptr_t)page;
    if (pt_change(at, PAGE_SIZE, 0, PTE_RW | PTE_XD) != 0) {
        panic("no page tables for a page that has one");
    }
    memset(page, 0, PAGE_SIZE);
    if (pt_unmap(at, PAGE_SIZE) != 0 ||
        pt_change(DIRECT_MAP_BASE + at, PAGE_SIZE, 0, PTE_RW) != 0) {
        panic("no page tables for a page that has one");
    }
}
