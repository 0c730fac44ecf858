// SPDX-License-Identifier: MIT
//
// Page-table entries of one thread's own, written without a lock.
#include "mm/local_window.h"

#include "lib/panic.h"
#include "mm/frames.h"
#include "mm/lock.h"
#include "mm/pagetable.h"
#include "mm/pt_window.h"

static struct local_window boot_window;

__init bool local_window_make(struct local_window *window, unsigned number)
{
    window->base = LOCAL_WINDOWS_BASE + number * LOCAL_WINDOW_SIZE;
    window->next = window->base;
    uint64_t lock = mm_lock();
    window->entries =
        pt_entries_row_locked(window->base, LOCAL_WINDOW_PAGES / PT_ENTRIES);
    mm_unlock(lock);
    return window->entries != NULL;
}

__init void local_window_init_boot(void)
{
    percpu.window = &boot_window;
    if (!local_window_make(&boot_window, 0)) {
        refuse("no page tables for local mappings; give the machine at least "
               "32 MiB (qemu -m 32M)");
    }
}

void local_window_trim(uintptr_t address, size_t count)
{
    struct local_window *window = local_window();
    uintptr_t rest =
        count == 0 ? window->base : address + (count + 1) * PAGE_SIZE;
    if (rest < window->next) {
        uint32_t rights = window_open(WINDOW_WRITE);
        local_window_clear(rest, (window->next - rest) / PAGE_SIZE);
        window_close(rights);
    }
}

bool local_window_holds(uintptr_t address, size_t count,
                        const struct page *page, size_t n)
{
    bool holds = false;
    const uint64_t *entry = local_window_entry(address);
    uint32_t rights = window_open(WINDOW_READ);
    for (size_t i = 0; i < count && !holds; i++) {
        uint64_t frame = (entry[i] & PTE_ADDRESS) / PAGE_SIZE;
        holds = (entry[i] & PTE_P) && frame - page_frame(page) < n;
    }
    window_close(rights);
    return holds;
}

struct page *local_window_page(uintptr_t address)
{
    uint32_t rights = window_open(WINDOW_READ);
    uint64_t entry = *local_window_entry(address);
    window_close(rights);
    return entry & PTE_P ? frame_page((entry & PTE_ADDRESS) / PAGE_SIZE) : NULL;
}
