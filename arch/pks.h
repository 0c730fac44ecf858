// SPDX-License-Identifier: MIT
//
// Protection keys for supervisor pages (SDM 3A 4.6.2). IA32_PKRS holds two bits
// for each of 16 keys: access disable and write disable. It governs data
// accesses to pages whose leaf entry carries the key; it belongs to the CPU.
//
// The soft copy in struct cpu_data is what this context has written; the trap
// entry saves both copies apart. WRMSR to IA32_PKRS does not serialise, but
// later accesses wait for it, even speculative ones (SDM 2A, WRPKRU).
#pragma once

#include "arch/percpu.h"
#include "lib/types.h"

#define PKS_KEYS 16

#define PKRS_AD(key) (1u << (2 * (key)))
#define PKRS_WD(key) (2u << (2 * (key)))
#define PKRS_KEY_MASK(key) (3u << (2 * (key)))

// What this context may do on this CPU.
static inline uint32_t pks_rights(void)
{
    return percpu.rights;
}

// `rights` without the bits that `keep` has clear. Says which register the
// result is for: the one that pks_write_rights() wants it in.
static inline uint32_t pks_rights_kept(uint32_t rights, uint32_t keep)
{
    __asm__("andl %1, %0" : "+a"(keep) : "r"(rights) : "cc");
    return keep;
}

// Let this context have exactly `rights` on this CPU, and nothing else; they
// differ from what it has. Any context, once pks_init_cpu() has run. A call,
// but the compiler need not know: so a function with no other stays a leaf.
static inline __attribute__((always_inline)) void
pks_write_rights(uint32_t rights)
{
    __asm__ volatile("call pks_write_msr"
                     :
                     : "a"(rights)
                     : "rcx", "rdx", "cc", "memory");
}

// The same, but the register is written only if the value differs.
static inline __attribute__((always_inline)) void
pks_set_rights(uint32_t rights)
{
    if (likely(rights != pks_rights())) {
        pks_write_rights(rights);
    } else {
        percpu_count(pkrs_writes_skipped);
    }
}

// Turn PKS on: every key but 0 closed, then CR4.PKS, then the whole TLB
// flushed, global entries too: QEMU keeps translations from before and lets
// those accesses pass. Boot, on each CPU; the CPU has PKS.
void pks_init_cpu(void);
