// SPDX-License-Identifier: MIT
//
// Invalidation of translations (SDM 3A 4.10.4), on this CPU and on the others
// (4.10.5): whoever takes a right away in the page tables invalidates here
// first, and then has the other CPUs do the same. One such request is under way
// in the machine at a time.
//
// A CPU that idles is not disturbed: it is marked, and flushes everything
// before it does anything else. One that waits for a lock with interrupts off
// looks for requests itself (arch/spinlock.h).
#pragma once

#include "arch/cpu.h"
#include "arch/percpu.h"

#define TLB_VECTOR 0xf1

// Above this number of pages, everything is flushed (Linux's
// tlb_single_page_flush_ceiling is 33).
#define TLB_PAGES_MAX 32

// One page of any size, global or not.
static inline void tlb_flush_page(uintptr_t address)
{
    cpu_invlpg(address);
    percpu_count(invlpg);
}

// Everything, global entries too: changing CR4.PGE does that.
static inline void tlb_flush_all(void)
{
    uint64_t cr4 = cpu_read_cr4();
    cpu_write_cr4(cr4 ^ CR4_PGE);
    cpu_write_cr4(cr4);
    percpu_count(full_flushes);
}

// ------------------------------------------------------------ The other CPUs

// Addresses, one in each page that changed, whatever its size. More than fit
// mean everything.
struct tlb_batch {
    unsigned count;
    uintptr_t address[TLB_PAGES_MAX];
};

// One more page has changed; invalidates it here.
static inline void tlb_batch_add(struct tlb_batch *batch, uintptr_t address)
{
    tlb_flush_page(address);
    if (batch->count < TLB_PAGES_MAX) {
        batch->address[batch->count] = address;
    }
    batch->count++;
}

// On return no other CPU uses what it remembers of these pages: a batch;
// `pages` pages of 4 KiB from `start` on, or more. The entries have changed
// before, and this CPU has invalidated them. Any context but NMI.
void tlb_shootdown_batch(const struct tlb_batch *batch);
void tlb_shootdown_range(uintptr_t start, size_t pages);

// The same for everything, on CPUs that idle too: they walk the page tables
// ahead of what they run, and tables are about to be something else.
void tlb_shootdown_tables(void);

// Whether this CPU, in what this context interrupted, asks others just now:
// then it can ask them nothing more. Any context.
bool tlb_is_asking(void);

// The same for the CPUs in `mask` alone, by number.
void tlb_shootdown_range_on(uint64_t mask, uintptr_t start, size_t pages);

// Bring every other CPU to where it does nothing, and changes nothing that
// others look at, until tlb_release(); it is in the handler of an interrupt, or
// waits for a lock, with interrupts off, or idles with no bracket open. NMIs
// go on. What they had stored can be seen. Release has them flush a batch on
// their way out (NULL: nothing), and says whether any was disturbed. Interrupts
// off. Not in the handler of an NMI.
void tlb_park(void);
bool tlb_release(const struct tlb_batch *batch);

// ---------------------------------------------------------- The CPU's own side

// Do what another CPU asks for, if one does. The handler of TLB_VECTOR, and
// whoever waits with interrupts off.
void tlb_serve(void);

// This CPU has nothing to do, and no bracket open: from the next trap on
// tlb_wake() comes first. Interrupts off.
void tlb_idle(void);
void tlb_wake(bool in_nmi);
