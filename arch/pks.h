// SPDX-License-Identifier: MIT
//
// Protection keys for supervisor pages (SDM 3A 4.6.2). IA32_PKRS holds two bits
// for each of 16 keys: access disable and write disable. It governs data
// accesses to pages whose leaf entry carries the key; it belongs to the CPU.
//
// What a context may do is one word: `rights` of the slot below
// percpu.bracket_top, that of its innermost bracket or, where none is open, of
// the sentinel under them. The register follows it. A trap gives its handler
// slots of its own, so it neither sees nor changes the word. WRMSR to IA32_PKRS
// does not serialise, but later accesses wait for it, even speculative ones
// (SDM 2A, WRPKRU).
#pragma once

#include "arch/percpu.h"
#include "lib/types.h"

#define PKS_KEYS 16

#define PKRS_AD(key) (1u << (2 * (key)))
#define PKRS_WD(key) (2u << (2 * (key)))
#define PKRS_KEY_MASK(key) (3u << (2 * (key)))

// What this context may do.
static inline uint32_t pks_rights(void)
{
    return percpu.bracket_top[-1].rights;
}

static inline void pks_write_msr_now(uint32_t rights)
{
    percpu_count(other_pkrs_writes);
    __asm__ volatile(
        ENGINE_CALL_("1", "pks_write_msr", ENGINE_CALL_RIGHTS_, ".")
        :
        : "a"(rights)
        : "rcx", "rdx", "cc", "memory");
}

// Write to the register what this context may do: it has become another. Any
// context.
static inline void pks_load_rights(void)
{
    pks_write_msr_now(percpu.bracket_top[-1].rights);
}

// Let the context whose innermost slot this is, and which runs, have exactly
// `rights`, which differ from what it has. Any context.
static inline void pks_change_rights(struct bracket *innermost, uint32_t rights)
{
    // The word first, as in a bracket: a trap between the two puts the register
    // back as it was, and the call goes on to write it.
    *(volatile uint32_t *)&innermost->rights = rights;
    pks_write_msr_now(rights);
}

// Let this context have exactly `rights`, and nothing else, until its innermost
// bracket closes. Any context, once pks_init_cpu() has run.
static inline void pks_set_rights(uint32_t rights)
{
    struct bracket *innermost = percpu.bracket_top - 1;
    if (unlikely(rights == innermost->rights)) {
        percpu_count(other_pkrs_writes_skipped);
    } else {
        pks_change_rights(innermost, rights);
    }
}

// Turn PKS on: every key but 0 closed, then CR4.PKS, then the whole TLB
// flushed, global entries too: QEMU keeps translations from before and lets
// those accesses pass. Boot, on each CPU; the CPU has PKS.
void pks_init_cpu(void);
