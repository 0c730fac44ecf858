// SPDX-License-Identifier: MIT
//
// Page-table entries of one thread's own, written without a lock.
#include "mm/local_window.h"

#include "arch/tlb.h"
#include "lib/panic.h"
#include "mm/context.h"
#include "mm/frames.h"
#include "mm/lock.h"
#include "mm/pagetable.h"
#include "mm/pt_window.h"

bool shared_window_make_locked(struct mm_context *context, size_t tables)
{
    struct local_window *window = &context->window;
    uint32_t number = context->number;
    if (number >= LOCAL_WINDOWS_MAX) {
        return false;
    }
    window->base = number < LOCAL_WINDOWS_NEAR
                       ? LOCAL_WINDOWS_BASE + number * LOCAL_WINDOW_SIZE
                       : MORE_WINDOWS_BASE +
                             (number - LOCAL_WINDOWS_NEAR) * LOCAL_WINDOW_SIZE;
    window->next = window->base;
    window->end = window->base + tables * PT_LEVEL_SIZE(2);
    window->entries = pt_entries_row_locked(window->base, tables);
    return window->entries != NULL;
}

static void invalidate(uintptr_t address, size_t count)
{
    if (count > TLB_PAGES_MAX) {
        tlb_flush_all();
        return;
    }
    for (size_t i = 0; i < count; i++) {
        tlb_flush_page(address + i * PAGE_SIZE);
    }
}

// What this CPU remembers of the window may be older than what the other wrote
// there. Room that was given back on the other, but not forgotten yet, counts.
void local_window_arrive(struct local_window *window, unsigned from)
{
    window->cpus |= BIT(from);
    window->moved = MAX(window->moved, window->next);
    invalidate(window->base, (window->moved - window->base) / PAGE_SIZE);
}

// The thread may have moved once more since it cleared the part, and this may
// be one of the CPUs. A handler's part was open on this CPU alone, and cannot
// wait for others; it lies below `moved` only if it interrupts a thread that
// has given room back and is on its way here, or is here.
void local_window_forget(uintptr_t address, size_t count)
{
    if (percpu.trap_level != 0) {
        return;
    }
    struct local_window *window = local_window();
    uint64_t flags = cpu_interrupts_off();
    invalidate(address, count);
    tlb_shootdown_range_on(window->cpus, address, count);
    window->moved = MIN(window->moved, address);
    if (window->moved == window->base) {
        window->moved = 0;
        window->cpus = 0;
    }
    cpu_interrupts_restore(flags);
}

void local_window_trim(uintptr_t address, size_t count)
{
    struct local_window *window = local_window();
    uintptr_t rest =
        count == 0 ? window->base : address + (count + 1) * PAGE_SIZE;
    if (rest < window->next) {
        uint32_t rights = window_open(WINDOW_WRITE);
        size_t pages = (window->next - rest) / PAGE_SIZE;
        local_window_unmap(local_window_entry(window, rest), rest, pages);
        local_window_give(rest);
        window_close(rights);
        local_window_forget_moved(rest, pages);
    }
}

bool local_window_holds(const uint64_t *entry, size_t count,
                        const struct page *page, size_t n)
{
    bool holds = false;
    uint32_t rights = window_open(WINDOW_READ);
    for (size_t i = 0; i < count && !holds; i++) {
        uint64_t frame = (entry[i] & PTE_ADDRESS) / PAGE_SIZE;
        holds =
            (entry[i] & (PTE_P | PTE_LOST_P)) && frame - page_frame(page) < n;
    }
    window_close(rights);
    return holds;
}

uint32_t local_window_first(const uint64_t *entry, size_t count)
{
    uint64_t first = (entry[0] & PTE_ADDRESS) / PAGE_SIZE;
    for (size_t i = 0; i < count; i++) {
        if (!(entry[i] & (PTE_P | PTE_LOST_P)) ||
            (entry[i] & PTE_ADDRESS) / PAGE_SIZE != first + i) {
            return 0;
        }
    }
    return first;
}

struct page *local_window_page(const uint64_t *entry)
{
    uint32_t rights = window_open(WINDOW_READ);
    uint64_t value = *entry;
    window_close(rights);
    return value & (PTE_P | PTE_LOST_P)
               ? frame_page((value & PTE_ADDRESS) / PAGE_SIZE)
               : NULL;
}
