// SPDX-License-Identifier: MIT
//
// What each CPU knows about itself, at the base of its GS segment. A CPU
// writes only its own; others read at most the counters. The members that
// assembly uses come first.
#pragma once

#include "arch/asm.h"
#include "lib/types.h"

struct bracket;     // mm/bracket.h
struct catch_frame; // keyhole.h
struct step;        // kernel/step.h

struct cpu_data {
    struct cpu_data *self; // for taking the address of a member

    // Saved by every trap, reset for its handler, and put back on the way out.
    uint32_t rights;             // soft copy of IA32_PKRS, see arch/pks.h
    uint32_t zero;               // saved and put back with it, as one word
    struct bracket *bracket_top; // where the next bracket goes

    // Of the thread that runs here: behind its last bracket begin those of the
    // handlers that interrupt it.
    struct bracket *bracket_limit;

    uint64_t pkrs_writes; // struct map_stats, summed over all CPUs on request

    // The trap level from which on NMIs are blocked: that of the NMI that is
    // being handled; 0: not blocked. Traps above it return without IRETQ, which
    // would unblock them (docs/TRICKS.md).
    uint32_t nmi_level;
    uint32_t trap_level; // traps being handled, 0 in a thread

    uint64_t pkrs_writes_skipped;
    uint64_t brackets_opened;
    uint64_t brackets_outermost; // of those, with no other open
    uint64_t pte_writes;
    uint64_t invlpg;
    uint64_t full_flushes;
    uint64_t shootdown_ipis;
    uint64_t faults;

    struct catch_frame *catches; // innermost place to come back to
    struct step *step;           // innermost step_through(), or NULL
    uint32_t cpu;                // number of this CPU
};

_Static_assert(offsetof(struct cpu_data, rights) == PERCPU_RIGHTS, "asm.h");
_Static_assert(offsetof(struct cpu_data, bracket_top) == PERCPU_BRACKET_TOP,
               "asm.h");
_Static_assert(offsetof(struct cpu_data, bracket_limit) == PERCPU_BRACKET_LIMIT,
               "asm.h");
_Static_assert(offsetof(struct cpu_data, pkrs_writes) == PERCPU_PKRS_WRITES,
               "asm.h");
_Static_assert(offsetof(struct cpu_data, nmi_level) == PERCPU_NMI_LEVEL,
               "asm.h");

// This CPU's data; each access is one GS-relative instruction. Read-modify-
// write of a counter is one instruction too, so no handler can lose a count.
#define percpu (*(volatile struct cpu_data __seg_gs *)0)

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

// Point GS at the boot CPU's data. Early boot, once, before all else in C.
void percpu_init_boot(void);
