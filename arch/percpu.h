// SPDX-License-Identifier: MIT
//
// What each CPU knows about itself, at the base of its GS segment. A CPU
// writes only its own; others read at most the counters. The members that
// assembly uses come first.
#pragma once

#include "arch/asm.h"
#include "keyhole.h"
#include "lib/types.h"

// CPUs that the kernel uses at most; it says so when there are more.
#define CPUS_MAX 64

struct exact_cpu;    // mm/exact_windows.c
struct local_window; // mm/local_window.h
struct sched_queue;  // kernel/sched.c
struct spinlock;     // arch/spinlock.h
struct step;         // kernel/step.h
struct thread;       // kernel/thread.h
struct profile_site; // mm/profile.h
struct trace_event;  // mm/trace.h

#define PERCPU_DOMAINS 4096
#define PERCPU_HEAP_CLASSES 27
#define PERCPU_HEAP_SLOTS 32

// A domain's free frames that this CPU has at hand (mm/frame_cache.h).
struct frame_cache {
    uint32_t head; // frame number, linked by private_next; 0 ends the list
    uint32_t count;
};

// An event of this CPU's timer (kernel/timer.h).
struct timer_slot {
    uint64_t at;     // ticks of the TSC; 0: never
    uint64_t period; // 0: once
};

#define PERCPU_TIMERS 4

// A refused access that goes on for one instruction (kernel/pass.h).
#define PASS_LEAVES 4
#define PASS_LEVELS 4

struct pass {
    uintptr_t ip;
    uint64_t rflags; // of the interrupted context, to put back
    uint32_t opened; // bits of IA32_PKRS that were set, and are not meanwhile
    uint32_t leaves; // that are open for it
    struct {
        uint64_t *entry;
        uint64_t closed, open;
        uintptr_t address;
    } leaf[PASS_LEAVES];
    bool active;
};

#ifdef KEYHOLE_DEBUG
// A spinlock that this CPU holds (kernel/lock_check.c).
struct lock_held {
    const struct spinlock *lock; // NULL: being filled in, or taken out
    uintptr_t site;              // of the call that took it
    uint64_t since;              // ticks of the TSC
};

#define PERCPU_LOCKS 16
#endif

struct cpu_data {
    struct cpu_data *self; // for taking the address of a member

    // Where this context's next bracket goes. Its rights are those in the slot
    // before (arch/pks.h). Every trap saves it, gives its handler brackets of
    // its own, and puts it back.
    struct bracket *bracket_top;
    struct bracket *handler_next; // where those of the next handler begin

    uint64_t brackets_opened;
    uint64_t bracket_pkrs_writes; // by the hot paths of map and unmap
    uint64_t other_pkrs_writes;

    // The trap level from which on NMIs are blocked: that of the NMI that is
    // being handled; 0: not blocked. Traps above it return without IRETQ, which
    // would unblock them (docs/TRICKS.md).
    uint32_t nmi_level;
    uint32_t trap_level; // traps being handled, 0 in a thread

    // For scattered frames (mm/local_window.h): of the thread that runs here,
    // or, under engines that hide it from handlers, of the running handler.
    struct local_window *window;
    uint64_t full_flushes;
    uint64_t pte_writes;
    uint64_t invlpg;
    uint64_t cr0_writes; // for page tables, under engines without keys

    // What map_stats_read() needs beside these (mm/stats.c).
    uint64_t other_pkrs_writes_skipped;
    uint64_t brackets_abandoned; // closed without an unmap
    uint64_t bracket_slow_calls; // maps and unmaps that took no hot path
    uint64_t shootdown_ipis;
    uint64_t faults;

    struct bracket *handler_first; // where those of the first handler begin

    // Of the thread that runs here.
    struct thread *thread;       // NULL: before there are threads
    bool slice_over;             // it has run long enough (kernel/sched.h)
    struct sched_queue *queue;   // of threads that are ready here
    struct exact_cpu *exact;     // tables of this CPU's own (mm/exact.h)
    struct catch_frame *catches; // innermost place to come back to
    struct step *step;           // innermost step_through(), or NULL
    uint32_t cpu;                // number of this CPU
    uint32_t lock_mark;          // cpu + 1, in locks that it holds
    uint32_t apic_id;
    bool tlb_lazy; // tlb_wake() is to be called

    uint64_t ipis; // interrupts that CPUs sent; all other ones
    uint64_t interrupts;

    struct timer_slot timer[PERCPU_TIMERS];
    uint64_t
        heartbeat; // TSC when the watchdog's timer came (kernel/watchdog.h)

    // Where the NMI found this CPU that stopped it for good (kernel/panic.h).
    const struct trap_frame *stopped_at; // NULL: it runs
    uintptr_t stopped_frame;             // pointer, in the NMI's handler

    struct pass pass[PASS_LEVELS]; // by level of the interrupted context
    uint32_t callback_level;       // of the trap that calls one; 0: none does
                                   // (kernel/fault_mode.c)

    // The history (mm/trace.h).
    struct trace_event *trace_ring; // NULL: none
    uint32_t trace_newest;          // number of the newest event; 0: none
    struct profile_site *profile;   // mm/profile.h; NULL: none

    // The domain whose single frame this CPU is filling; 0: none.
    uint32_t frame_filling;
    struct frame_cache frame_cache[PERCPU_DOMAINS];

    // Of the heap: for each size, where the next free object goes, and the
    // objects (mm/heap.c).
    void **heap_top[PERCPU_HEAP_CLASSES];
    void *heap_slots[PERCPU_HEAP_CLASSES][PERCPU_HEAP_SLOTS] __aligned(
        PERCPU_HEAP_SLOTS * sizeof(void *));

#ifdef KEYHOLE_DEBUG
    uint32_t locks_held; // how many of these
    struct lock_held locks[PERCPU_LOCKS];
#endif

    // Written by other CPUs, so on a cache line of their own (arch/tlb.c).
    uint32_t tlb_state __aligned(64);
    uint32_t tlb_wanted;
} __aligned(64);

_Static_assert(offsetof(struct cpu_data, bracket_top) == PERCPU_BRACKET_TOP &&
                   PERCPU_BRACKET_TOP == BRACKET_TOP_AT_,
               "asm.h, keyhole.h");
_Static_assert(offsetof(struct cpu_data, brackets_opened) ==
                   BRACKETS_OPENED_AT_,
               "keyhole.h");
_Static_assert(offsetof(struct cpu_data, handler_next) == PERCPU_HANDLER_NEXT,
               "asm.h");
_Static_assert(offsetof(struct cpu_data, bracket_pkrs_writes) ==
                   PERCPU_BRACKET_PKRS_WRITES,
               "asm.h");
_Static_assert(offsetof(struct cpu_data, other_pkrs_writes) ==
                   PERCPU_OTHER_PKRS_WRITES,
               "asm.h");
_Static_assert(offsetof(struct cpu_data, nmi_level) == PERCPU_NMI_LEVEL,
               "asm.h");
_Static_assert(offsetof(struct cpu_data, window) == PERCPU_WINDOW &&
                   offsetof(struct cpu_data, full_flushes) ==
                       PERCPU_FULL_FLUSHES &&
                   offsetof(struct cpu_data, pte_writes) == PERCPU_PTE_WRITES &&
                   offsetof(struct cpu_data, invlpg) == PERCPU_INVLPG &&
                   offsetof(struct cpu_data, cr0_writes) == PERCPU_CR0_WRITES,
               "asm.h");

// This CPU's data; each access is one GS-relative instruction. Read-modify-
// write of a counter is one instruction too, so no handler can lose a count.
#define percpu (*(volatile struct cpu_data __seg_gs *)0)

// The same without volatile, for what only code with interrupts off touches.
#define percpu_plain (*(struct cpu_data __seg_gs *)0)

// Add a constant in a single instruction.
#define percpu_add(member, constant)                                           \
    __asm__ volatile("addq %1, %%gs:%c0"                                       \
                     :                                                         \
                     : "i"(offsetof(struct cpu_data, member)),                 \
                       "i"((long)(constant))                                   \
                     : "cc", "memory")

// The same for a number that is not constant.
#define percpu_add_value(member, value)                                        \
    __asm__ volatile("addq %1, %%gs:%c0"                                       \
                     :                                                         \
                     : "i"(offsetof(struct cpu_data, member)),                 \
                       "r"((uint64_t)(value))                                  \
                     : "cc", "memory")

#define percpu_count(member) percpu_add(member, 1)

// For members of 32 bits.
#define percpu_add32(member, constant)                                         \
    __asm__ volatile("addl %1, %%gs:%c0"                                       \
                     :                                                         \
                     : "i"(offsetof(struct cpu_data, member)),                 \
                       "i"((int)(constant))                                    \
                     : "cc", "memory")

// All CPUs' data, by number, and how many run.
extern struct cpu_data *cpu_table[CPUS_MAX];
extern unsigned cpus_count;

static inline struct cpu_data *cpu_data_of(unsigned cpu)
{
    return cpu_table[cpu];
}

// Point GS at the data of a CPU, the one that runs this: zeroed memory, aligned
// to a cache line; NULL is the boot CPU's own. Boot, on each, before all else
// in C that knows of CPUs.
void percpu_init(unsigned cpu, struct cpu_data *data);
