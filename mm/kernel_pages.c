// SPDX-License-Identifier: MIT
//
// One page at a time: a frame of the kernel's own, mapped and cleared.
#include "mm/kernel_pages.h"

#include "arch/pte.h"
#include "mm/frames.h"
#include "mm/pagetable.h"

bool kernel_page_map_locked(uintptr_t address)
{
    phys_addr_t frame = kernel_frames_take_locked(0);
    if (frame == 0) {
        return false;
    }
    if (pt_map_locked(address, frame, PAGE_SIZE,
                      PTE_P | PTE_RW | PTE_A | PTE_D | PTE_XD, 1) != 0) {
        pool_give_locked(frame, 0);
        return false;
    }
    memset((void *)address, 0, PAGE_SIZE);
    return true;
}

bool kernel_page_ensure_locked(uintptr_t address)
{
    struct pt_walk walk;
    pt_walk(address, &walk);
    return walk.present ||
           kernel_page_map_locked(ALIGN_DOWN(address, PAGE_SIZE));
}
