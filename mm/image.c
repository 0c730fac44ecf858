// SPDX-License-Identifier: MIT
//
// Mapping the kernel image, part by part.
#include "mm/image.h"

#include "arch/pte.h"
#include "arch/trap.h"
#include "lib/panic.h"
#include "mm/frames.h"
#include "mm/layout.h"
#include "mm/pagetable.h"

#define IMAGE_RX (PTE_P | PTE_A)
#define IMAGE_RO (PTE_P | PTE_A | PTE_XD)
#define IMAGE_RW (PTE_P | PTE_RW | PTE_A | PTE_D | PTE_XD)

static bool sealed;

static __init void part_map(const char *start, const char *end, uint64_t flags)
{
    uintptr_t at = (uintptr_t)start;
    uintptr_t stop = ALIGN_UP((uintptr_t)end, PAGE_SIZE);
    if (pt_map(at, at - KERNEL_BASE, stop - at, flags, 1) != 0) {
        panic("no page tables for the kernel image");
    }
}

__init void image_map(void)
{
    // Init data lies behind init text; the page tables make them disjoint too.
    part_map(__init_start, __init_text_end, IMAGE_RX);
    part_map(__init_text_end, __init_end, IMAGE_RW);
    part_map(__text_start, __text_end, IMAGE_RX);
    part_map(__rodata_start, __rodata_end, IMAGE_RO);
    char *run = __data_start;
    for (char *at = run; at < __data_end; at += PAGE_SIZE) {
        if (stack_is_guard((uintptr_t)at)) {
            part_map(run, at, IMAGE_RW);
            run = at + PAGE_SIZE;
        }
    }
    part_map(run, __data_end, IMAGE_RW);
    part_map(__ksyms_start, __ksyms_end, IMAGE_RO);
}

void image_seal(void)
{
    size_t init_size = __init_end - __init_start;
    size_t ro_size = __ro_after_init_end - __ro_after_init_start;
    if (pt_unmap((uintptr_t)__init_start, init_size) != 0 ||
        pt_change((uintptr_t)__ro_after_init_start, ro_size, PTE_RW, 0) != 0 ||
        frames_release((uintptr_t)__init_start - KERNEL_BASE, init_size) != 0) {
        panic("no page tables to seal the kernel image");
    }
    sealed = true;
}

bool image_is_text(uintptr_t address)
{
    if (address >= (uintptr_t)__text_start && address < (uintptr_t)__text_end) {
        return true;
    }
    return !sealed && address >= (uintptr_t)__init_start &&
           address < (uintptr_t)__init_text_end;
}
