// SPDX-License-Identifier: MIT
//
// The seam between what a bracket means and how it is enforced. Each engine is
// one file with one `struct engine`, and one entry in the table of engine.c; no
// other file asks which of them runs. What differs on the hot paths costs
// nothing: the calls there are given their targets at boot (engine_start()).
//
// The word of rights in the innermost slot (arch/pks.h) is the same in all:
// WINDOW_WRITE opens the page tables. What an engine makes of it is its own.
#pragma once

#include "arch/cpuid.h"
#include "arch/percpu.h"
#include "arch/pte.h"
#include "keyhole.h"
#include "lib/types.h"
#include "mm/bracket.h"
#include "mm/domain.h"

struct mm_context; // mm/context.h
struct tlb_batch;  // arch/tlb.h
struct watch;      // mm/watch.h

// The calls that can be given other targets (keyhole.h, ENGINE_CALL_).
enum engine_call {
    ENGINE_CALL_MAP = ENGINE_CALL_MAP_, // of one frame
    ENGINE_CALL_MAP_RANGE = ENGINE_CALL_MAP_RANGE_,
    ENGINE_CALL_UNMAP = ENGINE_CALL_UNMAP_,
    ENGINE_CALL_RIGHTS = ENGINE_CALL_RIGHTS_, // the word has changed
    ENGINE_CALLS,
};

// What the direct map has, as an engine treats it.
enum direct_part { DIRECT_FREE, DIRECT_IMAGE, DIRECT_TABLES };

// How the allocator reaches frames that it fills: see mm/frames.c.
struct frame_filler {
    struct domain *domain;
    struct page *page; // that is being filled, if any
    uint32_t rights;   // to put back
    bool pinned;
};

#define DIRECT_RW (PTE_P | PTE_RW | PTE_A | PTE_D | PTE_XD)
#define DIRECT_RO (PTE_P | PTE_A | PTE_XD)

struct engine {
    const char *name;
    const char *how; // one clause
    enum protect_engine id;
    // NULL: any CPU will do.
    const enum cpu_feature *needs;
    const char *needs_what;

    // By enum engine_call; NULL: as it was compiled, for PKS. In assembly, and
    // bound by what keyhole.h says that the call clobbers.
    void (*call[ENGINE_CALLS])(void);
    void (*trap_entry)(void);

    // The leaf (without address and size) that a part of the direct map gets at
    // boot; 0: none.
    uint64_t direct_leaf[DIRECT_TABLES + 1];
    // Where page tables are reached: this plus a table's physical address.
    uintptr_t tables_base;
    // Of the leaves in threads' windows for scattered frames.
    unsigned window_key;
    bool counts_pkrs; // writes of rights are writes of IA32_PKRS

    // A CPU begins to enforce: from here on what is closed is closed. Boot, on
    // each CPU.
    void (*init_cpu)(void);
    // What another CPU needs for that; false: no memory. Boot CPU, before it.
    bool (*prepare_cpu)(struct cpu_data *cpu, struct bracket_handlers *slots);

    // Give 2^order frames of the direct map another key, or what stands for
    // it. -ENOMEM: nothing changed. mm_lock held.
    int (*rekey_locked)(phys_addr_t block, unsigned order, unsigned key);
    // The same for memory that stays with its domain, in leaves as large as
    // they come. NULL: nothing to do.
    int (*fix_locked)(phys_addr_t base, uint64_t length, unsigned key);
    // A domain begins and ends. mm_lock held.
    void (*domain_begin_locked)(struct domain *domain);
    void (*domain_end_locked)(struct domain *domain);
    // See that brackets on a domain can open it by rights alone. Any context.
    bool (*domain_open)(struct domain *domain);

    // Reach frames of a domain to fill them, one after the other. Thread
    // context.
    void (*fill_begin)(struct frame_filler *filler, struct domain *domain);
    void *(*fill_frame)(struct frame_filler *filler, struct page *page);
    void (*fill_frame_end)(struct frame_filler *filler, void *address);
    void (*fill_end)(struct frame_filler *filler);
    // What a handler has abandoned anywhere in between has nothing open any
    // more; `slot` is the innermost of the thread. NULL: nothing to do.
    void (*fill_abandon)(struct frame_filler *filler, struct bracket *slot);

    // A thread's window: memory for it, with mm_lock; false: none.
    bool (*window_make_locked)(struct mm_context *context, size_t tables);
    // The boot CPU's first two are made: begin to use them. NULL: nothing to
    // do.
    void (*windows_begin)(void);
    // This CPU switches from one thread to another (mm/context.c): before it
    // knows the other's brackets, and behind. Where percpu.exact is set.
    void (*switch_from)(const struct mm_context *to);
    void (*switch_to)(struct mm_context *to, bool to_in_trap);
    // Handlers above this trap level were abandoned, with their brackets: what
    // they had hidden of the level's own is to be there again, and the level's
    // window is the running context's. NULL: nothing to do.
    void (*abandon_above)(uint32_t level);
    // Scattered frames of this thread are unmapped: who else may remember them?
    // NULL: nobody, or it does not matter.
    void (*list_closed)(uintptr_t address, size_t count);
    // Close a bracket that is no special one, but for its rights. NULL: that is
    // all there is.
    void (*bracket_abandon)(struct bracket *bracket);

    // The entry of level 1 for an address that only contexts of this trap level
    // see, on this CPU, though it be hidden just now; NULL: none. NULL: there
    // are no such.
    uint64_t *(*entry)(uintptr_t address, uint32_t level);
    uint64_t (*leaf)(uintptr_t address, uint32_t level); // what it says, or 0
    // A frame is watched (mm/watch.h), or is so no more: change its leaf of the
    // direct map, which is one of 4 KiB; the page tables are open, other CPUs
    // parked. NULL: there is no direct map.
    void (*watch_direct)(const struct watch *watch, uint64_t *entry,
                         uintptr_t address, size_t count, bool begin,
                         struct tlb_batch *batch);
    // What that leaf would be otherwise, but for its key. NULL: mm/watch.h.
    uint64_t (*direct_unwatched)(uint64_t entry);
    // Map calls are to look at each frame of a domain, or no more. NULL: they
    // need not. mm_lock held.
    void (*watch_domain_locked)(struct domain *domain, bool watched);
    // What audits count of the tables and leaves that no shared table leads to;
    // the root of a CPU's own. NULL: there are none.
    size_t (*window_tables)(void);
    size_t (*window_leaves)(void);
    phys_addr_t (*root)(unsigned cpu);
    uint64_t direct_bits; // that a leaf of the direct map may have besides
    // Whether what the CPU enforces is what the word of rights says.
    bool (*rights_hold)(uint64_t *is, uint64_t *wanted);
    // Whether a leaf of the direct map (0: none) is right for a frame that must
    // have this key.
    bool (*direct_leaf_is_right)(uint64_t leaf, unsigned key);
    // Whether a domain's entries in the tables of rights are right.
    bool (*domain_is_right)(const struct domain *domain);
};

extern const struct engine engine_pks, engine_exact, engine_open, engine_flip;

// The engine of this boot.
extern const struct engine *engine;

// The leaf that is present of those that `leaf` knows, or 0. Any context.
uint64_t engine_leaf(uintptr_t address, uint32_t level);

// By its number; NULL: there is no such engine.
const struct engine *engine_of(enum protect_engine id);

// Choose, and give the calls their targets. Boot, on the early page tables,
// where text can be written. `traced`: brackets are noted (mm/trace.h).
void engine_start(const struct engine *which, bool traced);
