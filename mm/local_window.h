// SPDX-License-Identifier: MIT
//
// A thread's window: addresses for frames that do not lie side by side. Its
// page tables are there before it is used, so filling it cannot fail and takes
// no lock. Used like a stack, one part for each bracket with an unmapped page
// behind it; handlers go on where the interrupted code stopped.
#pragma once

#include "arch/cpu.h"
#include "arch/percpu.h"
#include "arch/pte.h"
#include "keyhole.h"
#include "lib/types.h"
#include "mm/frames.h"
#include "mm/layout.h"

// In one bracket, and in all brackets of a thread together.
#define LOCAL_WINDOW_FRAMES 512

// Twice what a thread may have, so that its handlers find room, and guards.
#define LOCAL_WINDOW_PAGES (2 * LOCAL_WINDOW_FRAMES)
#define LOCAL_WINDOW_SIZE (LOCAL_WINDOW_PAGES * PAGE_SIZE)
// The first lie beside other small regions, whose tables are there anyway.
#define LOCAL_WINDOWS_NEAR (LOCAL_WINDOWS_SIZE / LOCAL_WINDOW_SIZE)
#define LOCAL_WINDOWS_MAX                                                      \
    (LOCAL_WINDOWS_NEAR + MORE_WINDOWS_SIZE / LOCAL_WINDOW_SIZE)

struct local_window {
    uintptr_t base;
    uintptr_t next; // where the next part begins
    uintptr_t end;
    uint64_t *entries; // of all its pages, in a row
    // Parts below `moved` were open while the thread ran on other CPUs too,
    // those in `cpus` by number, which may remember translations of them.
    uintptr_t moved;
    uint64_t cpus;
};

_Static_assert(sizeof(struct local_window) == LOCAL_WINDOW_BYTES, "asm.h");

// The window of the thread that runs here.
static inline struct local_window *local_window(void)
{
    return percpu.window;
}

static inline bool local_window_has(uintptr_t address)
{
    return address - LOCAL_WINDOWS_BASE < LOCAL_WINDOWS_SIZE ||
           address - MORE_WINDOWS_BASE < MORE_WINDOWS_SIZE ||
           address - EXACT_WINDOWS_BASE < EXACT_WINDOWS_SIZE;
}

#define LOCAL_WINDOW_TABLES (LOCAL_WINDOW_PAGES / PT_ENTRIES)

// The engines' window_make_locked() where windows lie in the page tables that
// all CPUs share.
struct mm_context;
bool shared_window_make_locked(struct mm_context *context, size_t tables);

// Reserve room for `count` frames: its address, or 0 when the window is full.
// Any context.
static inline uintptr_t local_window_take(size_t count)
{
    struct local_window *window = local_window();
    uintptr_t address = window->next;
    uintptr_t next = address + (count + 1) * PAGE_SIZE;
    if (unlikely(next > window->end)) {
        return 0;
    }
    // A trap before this store uses the same room, and is done with it when it
    // returns; one behind it finds the room taken.
    *(volatile uintptr_t *)&window->next = next;
    return address;
}

// What an entry of the window has beside its frame.
static inline uint64_t local_window_flags(unsigned key, bool writable)
{
    return PTE_P | PTE_A | PTE_XD | PTE_KEY(key) |
           (writable ? PTE_RW | PTE_D : 0);
}

static inline uint64_t *local_window_entry(const struct local_window *window,
                                           uintptr_t address)
{
    return window->entries + (address - window->base) / PAGE_SIZE;
}

// Map one page, the page tables being open. As in mm/long_maps.c, the direct
// map's base cancels out.
static inline void local_window_set(uint64_t *entry, const struct page *page,
                                    uint64_t flags)
{
    *(volatile uint64_t *)entry =
        page_direct_address(page) + (flags - DIRECT_MAP_BASE);
}

// Unmap `count` pages from `address` on, which these entries map, and
// invalidate them on this CPU, the page tables being open.
static inline void local_window_unmap(uint64_t *entry, uintptr_t at,
                                      size_t count)
{
    percpu_add_value(pte_writes, count);
    percpu_add_value(invlpg, count);
    do {
        *(volatile uint64_t *)entry = 0;
        cpu_invlpg(at);
        entry++;
        at += PAGE_SIZE;
    } while (--count > 0);
}

// Give back the part at `address` of the running context's window, the last
// that was taken, once it is unmapped: a handler that takes the same room may
// need the entries.
static inline void local_window_give(uintptr_t address)
{
    *(volatile uintptr_t *)&local_window()->next = address;
}

// Whether a CPU that ran the thread may remember anything of its window.
static inline bool local_window_is_known(const struct local_window *window)
{
    return window->next != window->base || window->moved != 0;
}

// The thread has come to this CPU from another one. Interrupts off. Called
// through arch/saved.asm, as the next.
void local_window_arrive(struct local_window *window, unsigned from);

// The part at `address` with `count` pages is cleared: if other CPUs may
// remember it, have them forget. Not with the page tables open.
void local_window_forget(uintptr_t address, size_t count);
static inline void local_window_forget_moved(uintptr_t address, size_t count)
{
    if (unlikely(address < local_window()->moved)) {
        __asm__ volatile("call local_window_forget_saved"
                         :
                         : "D"(address), "S"(count)
                         : "cc", "memory");
    }
}

// Give back room behind the part at `address` with `count` pages (0: all of the
// room), which abandoned code had taken, and perhaps begun to fill. Thread
// context.
void local_window_trim(uintptr_t address, size_t count);

// Whether `count` pages from `address` on lie in the window. Any context.
static inline bool local_window_spans(const struct local_window *window,
                                      uintptr_t address, size_t count)
{
    return address >= window->base && address < window->end &&
           count <= (window->end - address) / PAGE_SIZE;
}

// Whether one of `n` frames from `page` on is mapped by one of `count` entries
// of a window. Any context.
bool local_window_holds(const uint64_t *entry, size_t count,
                        const struct page *page, size_t n);

// The number of the first of `count` frames that entries of a window map; 0:
// they do not lie side by side. Any context, the page tables open.
uint32_t local_window_first(const uint64_t *entry, size_t count);

// The frame that an entry of a window maps; NULL: none. Any context.
struct page *local_window_page(const uint64_t *entry);
