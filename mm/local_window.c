// SPDX-License-Identifier: MIT
//
// Page-table entries of one thread's own, written without a lock.
#include "mm/local_window.h"

#include "lib/panic.h"
#include "mm/frames.h"
#include "mm/lock.h"
#include "mm/pagetable.h"
#include "mm/pt_window.h"

bool local_window_make_locked(struct local_window *window, uint32_t number)
{
    window->base = number < LOCAL_WINDOWS_NEAR
                       ? LOCAL_WINDOWS_BASE + number * LOCAL_WINDOW_SIZE
                       : MORE_WINDOWS_BASE +
                             (number - LOCAL_WINDOWS_NEAR) * LOCAL_WINDOW_SIZE;
    window->next = window->base;
    window->entries =
        pt_entries_row_locked(window->base, LOCAL_WINDOW_PAGES / PT_ENTRIES);
    return window->entries != NULL;
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

bool local_window_holds(const struct local_window *window, uintptr_t address,
                        size_t count, const struct page *page, size_t n)
{
    bool holds = false;
    const uint64_t *entry = local_window_entry(window, address);
    uint32_t rights = window_open(WINDOW_READ);
    for (size_t i = 0; i < count && !holds; i++) {
        uint64_t frame = (entry[i] & PTE_ADDRESS) / PAGE_SIZE;
        holds = (entry[i] & PTE_P) && frame - page_frame(page) < n;
    }
    window_close(rights);
    return holds;
}

struct page *local_window_page(const struct local_window *window,
                               uintptr_t address)
{
    uint32_t rights = window_open(WINDOW_READ);
    uint64_t entry = *local_window_entry(window, address);
    window_close(rights);
    return entry & PTE_P ? frame_page((entry & PTE_ADDRESS) / PAGE_SIZE) : NULL;
}
