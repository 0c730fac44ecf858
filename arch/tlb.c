// SPDX-License-Identifier: MIT
//
// Requests to other CPUs. Whoever asks holds the one lock until all have
// answered; each CPU that is asked has a word of its own for that, and so has
// the idle state, both on a cache line apart from the rest of its data.
//
// Modelled in verify/shootdown.pml and verify/keys.pml.
#include "arch/tlb.h"

#include "arch/apic.h"
#include "arch/spinlock.h"

enum tlb_state {
    TLB_ACTIVE, // uses translations
    TLB_LAZY,   // idles, and uses none but those of the kernel's own data
    TLB_STALE,  // the same, and some of what it remembers is no longer true
};

enum tlb_wanted {
    TLB_NOTHING,
    TLB_FLUSH, // flush what the request says
    TLB_PARK,  // say TLB_PARKED and wait for another word
    TLB_PARKED,
};

static struct {
    struct spinlock lock;
    const struct tlb_batch *batch; // NULL: pages from start on
    uintptr_t start;
    size_t pages;    // more than TLB_PAGES_MAX: everything
    bool parking;    // between park and release
    uint64_t parked; // the CPUs that said so
} request = {.lock = SPINLOCK("TLB request")};

static const struct tlb_batch everything = {.count = TLB_PAGES_MAX + 1};
static const struct tlb_batch nothing;

// ---------------------------------------------------------- The CPU's own side

static void flush_batch(const struct tlb_batch *batch)
{
    if (batch->count > TLB_PAGES_MAX) {
        tlb_flush_all();
        return;
    }
    for (unsigned i = 0; i < batch->count; i++) {
        tlb_flush_page(batch->address[i]);
    }
}

static void flush_requested(void)
{
    if (request.batch != NULL) {
        flush_batch(request.batch);
        return;
    }
    for (size_t i = 0; i < request.pages; i++) {
        tlb_flush_page(request.start + i * PAGE_SIZE);
    }
}

void tlb_serve(void)
{
    uint32_t *wanted = &percpu.self->tlb_wanted;
    uint32_t now = __atomic_load_n(wanted, __ATOMIC_ACQUIRE);
    if (likely(now == TLB_NOTHING)) {
        return;
    }
    if (now == TLB_PARK) {
        __atomic_store_n(wanted, TLB_PARKED, __ATOMIC_SEQ_CST);
        while (__atomic_load_n(wanted, __ATOMIC_ACQUIRE) == TLB_PARKED) {
            cpu_pause();
        }
    }
    flush_requested();
    __atomic_store_n(wanted, TLB_NOTHING, __ATOMIC_RELEASE);
}

void tlb_idle(void)
{
    percpu.tlb_lazy = true;
    __atomic_store_n(&percpu.self->tlb_state, TLB_LAZY, __ATOMIC_SEQ_CST);
}

// The handler of an NMI uses translations too, but changes nothing that those
// look at who have parked the others; so it need not wait for them, and leaves
// that to the next trap or to the idle thread. One that comes while this runs
// finds tlb_lazy still set, and flushes for itself.
void tlb_wake(bool in_nmi)
{
    uint32_t old = __atomic_exchange_n(&percpu.self->tlb_state, TLB_ACTIVE,
                                       __ATOMIC_SEQ_CST);
    if (in_nmi || old == TLB_STALE) {
        tlb_flush_all();
    }
    if (!in_nmi) {
        while (__atomic_load_n(&request.parking, __ATOMIC_SEQ_CST)) {
            tlb_serve();
            cpu_pause();
        }
        percpu.tlb_lazy = false;
    }
}

// --------------------------------------------------------------- The initiator

// Mark a CPU that idles. False: it does not.
static bool mark_stale(struct cpu_data *cpu)
{
    uint32_t lazy = TLB_LAZY;
    return __atomic_compare_exchange_n(&cpu->tlb_state, &lazy, TLB_STALE, false,
                                       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) ||
           lazy == TLB_STALE;
}

static void ask(struct cpu_data *cpu, enum tlb_wanted what)
{
    __atomic_store_n(&cpu->tlb_wanted, what, __ATOMIC_RELEASE);
    percpu_count(shootdown_ipis);
    apic_send(cpu->apic_id, TLB_VECTOR);
}

// Of a word that a CPU was asked to change.
static void wait_while(const struct cpu_data *cpu, enum tlb_wanted what)
{
    while (__atomic_load_n(&cpu->tlb_wanted, __ATOMIC_ACQUIRE) == what) {
        cpu_pause();
    }
}

// Ask those in a mask, and mark those that idle instead. Returns who was asked.
static uint64_t ask_all(uint64_t mask, enum tlb_wanted what, bool idle_too)
{
    uint64_t asked = 0;
    for (unsigned i = 0; i < cpus_count; i++) {
        if ((mask & BIT(i)) && i != percpu.cpu &&
            (idle_too || !mark_stale(cpu_data_of(i)))) {
            ask(cpu_data_of(i), what);
            asked |= BIT(i);
        }
    }
    return asked;
}

static void wait_all(uint64_t asked, enum tlb_wanted what)
{
    for (; asked != 0; asked &= asked - 1) {
        wait_while(cpu_data_of(__builtin_ctzll(asked)), what);
    }
}

static void shoot(uint64_t mask, const struct tlb_batch *batch, uintptr_t start,
                  size_t pages, bool idle_too)
{
    uint64_t flags = spin_lock(&request.lock);
    request.batch = batch;
    request.start = start;
    request.pages = pages;
    wait_all(ask_all(mask, TLB_FLUSH, idle_too), TLB_FLUSH);
    spin_unlock(&request.lock, flags);
}

void tlb_shootdown_batch(const struct tlb_batch *batch)
{
    if (cpus_count > 1 && batch->count != 0) {
        shoot(~0ull, batch, 0, 0, false);
    }
}

void tlb_shootdown_tables(void)
{
    if (cpus_count > 1) {
        shoot(~0ull, &everything, 0, 0, true);
    }
}

bool tlb_is_asking(void)
{
    return spin_is_held_here(&request.lock);
}

void tlb_shootdown_range_on(uint64_t mask, uintptr_t start, size_t pages)
{
    if (cpus_count > 1) {
        shoot(mask, pages > TLB_PAGES_MAX ? &everything : NULL, start, pages,
              false);
    }
}

void tlb_shootdown_range(uintptr_t start, size_t pages)
{
    tlb_shootdown_range_on(~0ull, start, pages);
}

// ------------------------------------------------------------------- Parking

void tlb_park(void)
{
    if (cpus_count == 1) {
        return;
    }
    spin_lock(&request.lock);
    __atomic_store_n(&request.parking, true, __ATOMIC_SEQ_CST);
    request.parked = ask_all(~0ull, TLB_PARK, false);
    wait_all(request.parked, TLB_PARK);
}

// Those that were marked may have taken up work in the handler of an NMI, so
// they are looked at again.
bool tlb_release(const struct tlb_batch *batch)
{
    if (cpus_count == 1) {
        return false;
    }
    uint64_t parked = request.parked;
    request.batch = batch != NULL ? batch : &nothing;
    for (uint64_t left = parked; left != 0; left &= left - 1) {
        __atomic_store_n(&cpu_data_of(__builtin_ctzll(left))->tlb_wanted,
                         TLB_FLUSH, __ATOMIC_RELEASE);
    }
    uint64_t asked =
        request.batch->count != 0 ? ask_all(~parked, TLB_FLUSH, false) : 0;
    wait_all(parked | asked, TLB_FLUSH);
    __atomic_store_n(&request.parking, false, __ATOMIC_SEQ_CST);
    spin_unlock(&request.lock, 0);
    return (parked | asked) != 0;
}
