// SPDX-License-Identifier: MIT
//
// Page-table entries of one thread's own, written without a lock.
#include "mm/local_window.h"

#include "arch/pte.h"
#include "arch/tlb.h"
#include "lib/panic.h"
#include "mm/frames.h"
#include "mm/layout.h"
#include "mm/lock.h"
#include "mm/pagetable.h"
#include "mm/pt_window.h"

// Twice what a thread may have, so that its handlers find room, and guards.
#define WINDOW_PAGES (2 * LOCAL_WINDOW_FRAMES)
#define WINDOW_SIZE (WINDOW_PAGES * PAGE_SIZE)

static struct local_window {
    uintptr_t base;
    uint64_t *entries[WINDOW_PAGES / PT_ENTRIES];
    uint32_t used; // pages, from the base on
} boot_window;

__init void local_window_init_boot(void)
{
    struct local_window *window = &boot_window;
    window->base = LOCAL_WINDOWS_BASE;
    uint64_t lock = mm_lock();
    for (unsigned i = 0; i < ARRAY_SIZE(window->entries); i++) {
        window->entries[i] =
            pt_entries_locked(window->base + i * PT_ENTRIES * PAGE_SIZE);
        if (window->entries[i] == NULL) {
            refuse("no page tables for local mappings; give the machine at "
                   "least 32 MiB (qemu -m 32M)");
        }
    }
    mm_unlock(lock);
}

static uint64_t *entry_at(uintptr_t address)
{
    size_t index = (address - boot_window.base) / PAGE_SIZE;
    return &boot_window.entries[index / PT_ENTRIES][index % PT_ENTRIES];
}

// How many of `count` pages from `address` on have their entries in one table.
static size_t run_of(uintptr_t address, size_t count)
{
    size_t index = (address - boot_window.base) / PAGE_SIZE % PT_ENTRIES;
    return MIN(count, PT_ENTRIES - index);
}

uintptr_t local_window_take(size_t count)
{
    uint32_t used = boot_window.used;
    if (count + 1 > WINDOW_PAGES - used) {
        return 0;
    }
    // A trap before this store uses the same room, and is done with it when it
    // returns; one behind it finds the room taken.
    boot_window.used = used + count + 1;
    cpu_compiler_barrier();
    return boot_window.base + used * PAGE_SIZE;
}

// The entry for a page: as in mm/long_maps.c, the direct map's base cancels
// out.
static inline uint64_t entry_of(const struct page *page, uint64_t flags)
{
    return page_direct_address(page) + (flags - DIRECT_MAP_BASE);
}

void local_window_fill(uintptr_t address, struct page *const pages[],
                       bool scattered, size_t count, unsigned key,
                       bool writable, uint32_t rights)
{
    const struct page *first = pages[0];
    uint64_t flags =
        PTE_P | PTE_A | PTE_XD | PTE_KEY(key) | (writable ? PTE_RW | PTE_D : 0);
    percpu_add_value(pte_writes, count);
    pks_set_rights(pks_rights() & ~WINDOW_WRITE);
    do {
        size_t run = run_of(address, count);
        uint64_t *entry = entry_at(address), *end = entry + run;
        if (scattered) {
            do {
                *(volatile uint64_t *)entry++ = entry_of(*pages++, flags);
            } while (entry < end);
        } else {
            do {
                *(volatile uint64_t *)entry++ = entry_of(first++, flags);
            } while (entry < end);
        }
        address += run * PAGE_SIZE;
        count -= run;
    } while (unlikely(count > 0));
    pks_set_rights(rights);
}

void local_window_close(uintptr_t address, size_t count, uint32_t rights)
{
    uintptr_t at = address;
    percpu_add_value(pte_writes, count);
    percpu_add_value(invlpg, count);
    pks_set_rights(pks_rights() & ~WINDOW_WRITE);
    do {
        size_t run = run_of(at, count);
        uint64_t *entry = entry_at(at), *end = entry + run;
        do {
            *(volatile uint64_t *)entry++ = 0;
            cpu_invlpg(at);
            at += PAGE_SIZE;
        } while (entry < end);
        count -= run;
    } while (unlikely(count > 0));
    pks_set_rights(rights);
    boot_window.used = (address - boot_window.base) / PAGE_SIZE;
}

void local_window_trim(uintptr_t address, size_t count)
{
    boot_window.used =
        count == 0 ? 0 : (address - boot_window.base) / PAGE_SIZE + count + 1;
}

bool local_window_holds(uintptr_t address, size_t count,
                        const struct page *page, size_t n)
{
    bool holds = false;
    address = ALIGN_DOWN(address, PAGE_SIZE);
    uint32_t rights = window_open(WINDOW_READ);
    for (size_t i = 0; i < count && !holds; i++) {
        uint64_t entry = *entry_at(address + i * PAGE_SIZE);
        uint64_t frame = (entry & PTE_ADDRESS) / PAGE_SIZE;
        holds = (entry & PTE_P) && frame - page_frame(page) < n;
    }
    window_close(rights);
    return holds;
}

struct page *local_window_page(uintptr_t address)
{
    uint32_t rights = window_open(WINDOW_READ);
    uint64_t entry = *entry_at(address);
    window_close(rights);
    return entry & PTE_P ? frame_page((entry & PTE_ADDRESS) / PAGE_SIZE) : NULL;
}
