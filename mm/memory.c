// SPDX-License-Identifier: MIT
//
// The order in which memory comes up.
#include "mm/memory.h"

#include "arch/cpuid.h"
#include "arch/pte.h"
#include "lib/log.h"
#include "lib/panic.h"
#include "mm/context.h"
#include "mm/domain.h"
#include "mm/engine.h"
#include "mm/frames.h"
#include "mm/heap.h"
#include "mm/image.h"
#include "mm/keys.h"
#include "mm/layout.h"
#include "mm/lock.h"
#include "mm/pagetable.h"
#include "mm/pmem.h"
#include "mm/section.h"
#include "mm/tables.h"

// What the early tables reach one to one (boot/entry.asm).
#define EARLY_MAPPED GIB(4)
// Firmware and real-mode data live here, and the AP trampoline.
#define LOW_MEMORY_END MIB(1)
#define REAL_MODE_RAM_END KIB(640)

static __initbss struct memory_map available;
static struct memory_map memory;

// The memory that the direct map and the frame table can hold, and of its RAM
// what nobody uses yet.
static __init void maps_init(const struct boot_info *boot)
{
    memory_map_init(&memory);
    memory_map_init(&available);
    uint64_t limit = MIN(DIRECT_MAP_SIZE, BIT(cpu_physical_bits()));
    for (unsigned i = 0; i < boot->memory.count; i++) {
        const struct memory_range *range = &boot->memory.ranges[i];
        uint64_t end = MIN(range->end, limit);
        if (range->type == MEMORY_USABLE && range->base < end) {
            memory_map_add(&memory, range->base, end - range->base,
                           MEMORY_USABLE);
        }
    }
    available = memory;
    pmem_find(boot, &memory);
    memory_map_add(&available, 0, LOW_MEMORY_END, MEMORY_RESERVED);
    memory_map_add(&available, boot->kernel_start,
                   boot->kernel_end - boot->kernel_start, MEMORY_RESERVED);
}

// The first block of page tables: within reach of the early mapping.
static __init phys_addr_t tables_block_find(void)
{
    for (unsigned i = 0; i < available.count; i++) {
        const struct memory_range *range = &available.ranges[i];
        uint64_t block = ALIGN_UP(range->base, TABLES_BLOCK_SIZE);
        uint64_t end = MIN(range->end, EARLY_MAPPED);
        if (range->type == MEMORY_USABLE && block < end &&
            end - block >= TABLES_BLOCK_SIZE) {
            return block;
        }
    }
    refuse("no 2 MiB block of free memory below 4 GiB for page tables; give "
           "the machine at least 32 MiB (qemu -m 32M)");
}

static __init void direct_map(uint64_t base, uint64_t end,
                              enum direct_part part)
{
    unsigned max_level = cpu_has(CPU_FEATURE_PAGE_1GB) ? 3 : 2;
    uint64_t leaf = engine->direct_leaf[part];
    if (base < end && leaf != 0 &&
        pt_map(DIRECT_MAP_BASE + base, base, end - base, leaf, max_level) !=
            0) {
        panic("no page tables for the direct map");
    }
}

struct direct_cut {
    uint64_t base, end;
    enum direct_part part;
};

// One range of RAM, cut at the kernel image (read-only under every alias) and
// at the page tables (their own key).
static __init void direct_map_range(const struct memory_range *range,
                                    const struct direct_cut cut[2])
{
    uint64_t at = range->base;
    for (unsigned i = 0; i < 2; i++) {
        uint64_t base = MIN(MAX(at, cut[i].base), range->end);
        uint64_t end = MIN(MAX(at, cut[i].end), range->end);
        direct_map(at, base, DIRECT_FREE);
        direct_map(base, end, cut[i].part);
        at = end;
    }
    direct_map(at, range->end, DIRECT_FREE);
}

// The first block of page tables, where the direct map does not have it.
static __init void tables_map(phys_addr_t block)
{
    if (engine->tables_base == DIRECT_MAP_BASE) {
        return;
    }
    uint64_t lock = mm_lock();
    if (engine->rekey_locked(block, TABLES_BLOCK_ORDER, KEY_TABLES) != 0) {
        panic("no page tables for the page tables");
    }
    mm_unlock(lock);
}

static __init void maps_log(void)
{
    for (unsigned i = 0; log_shows(LOG_DEBUG) && i < memory.count; i++) {
        const struct memory_range *range = &memory.ranges[i];
        log_line(LOG_DEBUG, "memory 0x%llx to 0x%llx: %s",
                 (unsigned long long)range->base,
                 (unsigned long long)range->end, memory_type_name(range->type));
    }
}

__init void memory_map_build(const struct boot_info *boot)
{
    maps_init(boot);
    maps_log();
    phys_addr_t block = tables_block_find();
    log_line(LOG_DEBUG, "page tables from 0x%llx on",
             (unsigned long long)block);
    tables_init(block);
    memory_map_add(&available, block, TABLES_BLOCK_SIZE, MEMORY_RESERVED);
    pt_init();
    image_map();
    struct direct_cut cut[2] = {
        {boot->kernel_start, boot->kernel_end, DIRECT_IMAGE},
        {block, block + TABLES_BLOCK_SIZE, DIRECT_TABLES},
    };
    if (cut[0].base > cut[1].base) {
        struct direct_cut first = cut[1];
        cut[1] = cut[0];
        cut[0] = first;
    }
    for (unsigned i = 0; i < memory.count; i++) {
        direct_map_range(&memory.ranges[i], cut);
    }
    tables_map(block);
    pt_activate();
}

__init void memory_init(const struct boot_info *boot)
{
    heap_init_cpu(percpu.self);
    frames_init(&memory, &available, boot->kernel_start,
                boot->kernel_end - boot->kernel_start);
    domains_init();
    pmem_init();
    mm_context_init_boot_windows();
}

__init phys_addr_t memory_low_page(void)
{
    phys_addr_t page = 0;
    for (unsigned i = 0; i < memory.count; i++) {
        if (memory.ranges[i].type != MEMORY_USABLE) {
            continue;
        }
        uint64_t base = ALIGN_UP(memory.ranges[i].base, PAGE_SIZE);
        uint64_t end =
            ALIGN_DOWN(MIN(memory.ranges[i].end, REAL_MODE_RAM_END), PAGE_SIZE);
        if (base < end) {
            page = MAX(page, end - PAGE_SIZE);
        }
    }
    return page;
}

void memory_leaf_bytes(uint64_t bytes[PT_LEVELS + 1])
{
    for (unsigned level = 0; level <= PT_LEVELS; level++) {
        bytes[level] = 0;
    }
    for (unsigned i = 0; i < memory.count; i++) {
        for (uint64_t at = memory.ranges[i].base; at < memory.ranges[i].end;) {
            struct pt_walk walk;
            pt_walk(DIRECT_MAP_BASE + at, &walk);
            uint64_t size = PT_LEVEL_SIZE(walk.level);
            bytes[walk.level] += walk.present ? size : 0;
            at = ALIGN_DOWN(at, size) + size;
        }
    }
}
