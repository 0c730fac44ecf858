// SPDX-License-Identifier: MIT
//
// The fault record of the contract.
#include "kernel/fault.h"

#include "arch/cpu.h"
#include "arch/percpu.h"
#include "mm/engine.h"
#include "mm/frames.h"
#include "mm/pagetable.h"
#include "mm/section.h"
#include "mm/watch.h"

static enum fault_kind page_fault_kind(uint32_t error)
{
    if (error & PF_RESERVED) {
        return FAULT_OTHER;
    }
    if (!(error & PF_PRESENT)) {
        return FAULT_NOT_PRESENT;
    }
    if (error & PF_PKEY) {
        return FAULT_PKEY;
    }
    if (error & PF_FETCH) {
        return FAULT_NO_EXECUTE;
    }
    return error & PF_WRITE ? FAULT_WRITE_PROTECT : FAULT_OTHER;
}

// The frame that holds a physical address which is mapped at `address`. In the
// direct map there is nothing but RAM.
static struct page *frame_of(uintptr_t address, phys_addr_t physical)
{
    bool known = address - DIRECT_MAP_BASE < DIRECT_MAP_SIZE
                     ? section_is_set_up(physical)
                     : section_is_ready(physical);
    return known ? frame_page(physical / PAGE_SIZE) : NULL;
}

// No leaf that all contexts share: one that the interrupted context sees alone;
// or one that a watch has closed; or, for an address in the direct map, the
// frame whose it is.
static __noinline void unmapped_describe(struct fault *fault, uintptr_t address)
{
    bool direct = address - DIRECT_MAP_BASE < DIRECT_MAP_SIZE;
    uint64_t leaf = 0;
    if (!direct && engine->leaf != NULL) {
        leaf = engine->leaf(address, percpu.trap_level - 1);
    }
    if (leaf == 0 && !direct && watches_on != 0) {
        leaf = watch_leaf_seen(address, percpu.trap_level - 1);
    }
    leaf = leaf & (PTE_P | PTE_LOST_P) ? leaf : 0;
    phys_addr_t physical =
        leaf != 0 ? leaf & PTE_ADDRESS : address - DIRECT_MAP_BASE;
    bool known = (leaf != 0 || direct) && section_is_ready(physical);
    fault->pkey = leaf & PTE_P ? (int)pte_key(leaf) : -1;
    fault->page = known ? frame_page(physical / PAGE_SIZE) : NULL;
}

// #PF: what CR2, the error code and the leaf that maps the address say.
static inline void page_fault_describe(struct fault *fault, uint32_t error)
{
    uint64_t size;
    uintptr_t address = cpu_read_cr2();
    uint64_t leaf = pt_leaf(address, &size);
    fault->address = address;
    fault->kind = page_fault_kind(error);
    fault->access = error & PF_FETCH   ? ACCESS_EXECUTE
                    : error & PF_WRITE ? ACCESS_WRITE
                                       : ACCESS_READ;
    if (unlikely(leaf == 0)) {
        unmapped_describe(fault, address);
        return;
    }
    fault->pkey = pte_key(leaf);
    fault->page = frame_of(address, (leaf & PTE_ADDRESS & ~(size - 1)) |
                                        (address & (size - 1)));
}

void fault_describe(const struct trap_frame *trap, struct fault *fault)
{
    fault->ip = trap->rip;
    fault->error_code = (uint32_t)trap->error_code;
    fault->cpu = percpu.cpu;
    if (likely(trap->vector == TRAP_PF)) {
        page_fault_describe(fault, fault->error_code);
        return;
    }
    fault->kind = trap->vector == TRAP_GP ? FAULT_GP : FAULT_OTHER;
    fault->access = ACCESS_READ;
    fault->address = 0;
    fault->pkey = -1;
    fault->page = NULL;
}

const char *fault_access_name(enum fault_access access)
{
    static const char *const names[] = {
        [ACCESS_READ] = "read",
        [ACCESS_WRITE] = "write",
        [ACCESS_EXECUTE] = "execute",
    };
    return names[access];
}

const char *fault_kind_name(enum fault_kind kind)
{
    static const char *const names[] = {
        [FAULT_NONE] = "FAULT_NONE",
        [FAULT_PKEY] = "FAULT_PKEY",
        [FAULT_NOT_PRESENT] = "FAULT_NOT_PRESENT",
        [FAULT_WRITE_PROTECT] = "FAULT_WRITE_PROTECT",
        [FAULT_NO_EXECUTE] = "FAULT_NO_EXECUTE",
        [FAULT_GP] = "FAULT_GP",
        [FAULT_OTHER] = "FAULT_OTHER",
    };
    return names[kind];
}

const char *trap_name(uint64_t vector)
{
    static const char *const names[] = {
        "#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM",
        "#DF", "#9",  "#TS", "#NP", "#SS", "#GP", "#PF", "#15",
        "#MF", "#AC", "#MC", "#XM", "#VE", "#CP", "#22", "#23",
        "#24", "#25", "#26", "#27", "#HV", "#VC", "#SX", "#31",
    };
    return vector < ARRAY_SIZE(names) ? names[vector] : "interrupt";
}
