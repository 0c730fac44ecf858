// SPDX-License-Identifier: MIT
//
// One instruction with one right more.
#include "kernel/pass.h"

#include "arch/cpu.h"
#include "arch/percpu.h"
#include "arch/pks.h"
#include "arch/pte.h"
#include "arch/regs.h"
#include "arch/tlb.h"
#include "mm/engine.h"
#include "mm/frames.h"
#include "mm/pt_window.h"
#include "mm/watch.h"

_Static_assert(PASS_LEVELS <= TRAPS_MAX, "levels of the interrupted");

// The entry that refuses, NULL: there is none of 4 KiB for that frame. One that
// does not map it now is one that a watch has closed.
static uint64_t *entry_of(const struct fault *fault)
{
    uint64_t *entry = watch_entry_seen(fault->address, percpu.trap_level - 1);
    if (entry == NULL) {
        return NULL;
    }
    uint64_t value = watch_leaf_seen(fault->address, percpu.trap_level - 1);
    bool names = (value & PTE_ADDRESS) == page_to_phys(fault->page);
    return names && value != 0 ? entry : NULL;
}

static bool is_leaf_matter(const struct fault *fault)
{
    return fault->kind == FAULT_WRITE_PROTECT ||
           fault->kind == FAULT_NOT_PRESENT;
}

bool pass_can(const struct fault *fault)
{
    uint32_t level = percpu.trap_level - 1;
    bool in_nmi = percpu.nmi_level != 0 && percpu.nmi_level <= level;
    if (fault->page == NULL || level >= PASS_LEVELS || in_nmi) {
        return false;
    }
    return fault->kind == FAULT_PKEY ||
           (is_leaf_matter(fault) && entry_of(fault) != NULL);
}

// --------------------------------------------------------------------- Leaves

// Whether an entry has these bits, whatever a CPU has set in it since.
static bool entry_is(uint64_t entry, uint64_t value)
{
    return ((entry ^ value) & ~(PTE_A | PTE_D)) == 0;
}

// Other CPUs may unmap the page at that moment, or count in the entry (`flip`).
// False: it does not say `old` any more.
static bool leaf_exchange(uint64_t *entry, uint64_t old, uint64_t value,
                          uintptr_t address)
{
    if (!__atomic_compare_exchange_n(entry, &old, value, false,
                                     __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
        return false;
    }
    percpu_count(pte_writes);
    tlb_flush_page(address);
    return true;
}

// What a leaf was before it was watched.
static uint64_t unwatched(uint64_t entry, uintptr_t address)
{
    bool direct = address - DIRECT_MAP_BASE < DIRECT_MAP_SIZE;
    return direct && engine->direct_unwatched != NULL
               ? engine->direct_unwatched(entry)
               : pte_unwatched(entry);
}

// One try. False: somebody else has changed the entry.
static bool leaf_try(struct pass *pass, const struct fault *fault,
                     bool whatever, bool *opens)
{
    uint64_t needed = PTE_P | (fault->access == ACCESS_WRITE ? PTE_RW : 0);
    uint64_t *entry = entry_of(fault);
    uint64_t closed =
        entry != NULL ? watch_leaf_seen(fault->address, percpu.trap_level - 1)
                      : 0;
    uint64_t open =
        whatever ? closed | needed : unwatched(closed, fault->address);
    *opens =
        closed != 0 && (open & needed) == needed && pass->leaves < PASS_LEAVES;
    if (!*opens) {
        return true;
    }
    uint32_t rights = window_open(WINDOW_WRITE);
    bool done = leaf_exchange(entry, closed, open, fault->address);
    if (done) {
        unsigned i = pass->leaves++;
        pass->leaf[i].entry = entry;
        pass->leaf[i].closed = closed;
        pass->leaf[i].open = open;
        pass->leaf[i].address = fault->address;
    }
    window_close(rights);
    return done;
}

static bool leaf_open(struct pass *pass, const struct fault *fault,
                      bool whatever)
{
    bool opens;
    while (!leaf_try(pass, fault, whatever, &opens)) {
    }
    return opens;
}

// One that somebody has changed meanwhile is none of ours any more.
static void leaf_close(const struct pass *pass, unsigned i)
{
    uint64_t now;
    do {
        now = __atomic_load_n(pass->leaf[i].entry, __ATOMIC_RELAXED);
    } while (entry_is(now, pass->leaf[i].open) &&
             !leaf_exchange(pass->leaf[i].entry, now, pass->leaf[i].closed,
                            pass->leaf[i].address));
}

// All but the `keep` that were opened last.
static void leaves_close(struct pass *pass, unsigned keep)
{
    if (pass->leaves <= keep) {
        return;
    }
    unsigned closed = pass->leaves - keep;
    uint32_t rights = window_open(WINDOW_WRITE);
    for (unsigned i = 0; i < pass->leaves; i++) {
        if (i < closed) {
            leaf_close(pass, i);
        } else {
            pass->leaf[i - closed] = pass->leaf[i];
        }
    }
    pass->leaves = keep;
    window_close(rights);
}

// ---------------------------------------------------------------- Instructions

static struct pass *pass_at(uint32_t level)
{
    return (struct pass *)&percpu.self->pass[level];
}

static void instruction_begin(struct pass *pass, struct trap_frame *trap)
{
    pass->ip = trap->rip;
    pass->rflags = trap->rflags;
    pass->opened = 0;
    pass->active = true;
    trap->rflags = (trap->rflags | RFLAGS_TF) & ~(uint64_t)RFLAGS_IF;
}

bool pass_begin(struct trap_frame *trap, const struct fault *fault,
                bool whatever)
{
    struct pass *pass = pass_at(percpu.trap_level - 1);
    if (fault->kind != FAULT_PKEY && !leaf_open(pass, fault, whatever)) {
        return false;
    }
    if (!pass->active) {
        instruction_begin(pass, trap);
    }
    if (fault->kind == FAULT_PKEY) {
        // The register alone: that is what a trap saves and puts back.
        uint32_t key = PKRS_KEY_MASK(fault->pkey);
        pass->opened |= (uint32_t)trap->rights & key;
        trap->rights &= ~(uint64_t)key;
    }
    return true;
}

// A string instruction traps after each of its steps; it is done when it is
// behind itself.
bool pass_end(struct trap_frame *trap)
{
    uint32_t level = percpu.trap_level - 1;
    if (level >= PASS_LEVELS || !pass_at(level)->active) {
        return false;
    }
    struct pass *pass = pass_at(level);
    bool stepped = pass->rflags & RFLAGS_TF; // by step_through() too
    if (trap->rip == pass->ip) {
        if (pass->leaves == PASS_LEAVES) {
            leaves_close(pass, PASS_LEAVES / 2); // room for the next frames
        }
        return !stepped;
    }
    leaves_close(pass, 0);
    trap->rights |= pass->opened;
    trap->rflags &= ~(uint64_t)(RFLAGS_TF | RFLAGS_IF);
    trap->rflags |= pass->rflags & (RFLAGS_TF | RFLAGS_IF);
    pass->active = false;
    return !stepped;
}

void pass_abandon(uint32_t level)
{
    for (; level < PASS_LEVELS; level++) {
        leaves_close(pass_at(level), 0);
        pass_at(level)->active = false;
    }
}
