// SPDX-License-Identifier: MIT
//
// Protection keys for user pages beside ours. Keyhole has no user pages and
// leaves CR4.PKE off; these tests turn it on for a moment and make a user page,
// to see that PKRU and IA32_PKRS stay out of each other's way.
#include "arch/cpu.h"
#include "arch/pks.h"
#include "mm/domain.h"
#include "tests/alias.h"
#include "tests/engines.h"
#include "tests/pks_access.h"

#define KEY 9 // of the user page: one that no other part of a test uses

// RDPKRU and WRPKRU want ECX to be 0, WRPKRU EDX too (SDM 2B).
static void pkru_write(void *value)
{
    __asm__ volatile("wrpkru"
                     :
                     : "a"(*(uint32_t *)value), "c"(0), "d"(0)
                     : "memory");
}

// CPUID.(EAX=7,ECX=0):ECX[3] (SDM 2A). Asked for, not tried: QEMU 7.2 neither
// sets a reserved bit of CR4 nor raises #GP, and never comes back.
static bool has_pku(void)
{
    uint32_t eax = 7, ecx = 0;
    __asm__("cpuid" : "+a"(eax), "+c"(ecx) : : "ebx", "edx");
    return ecx >> 3 & 1;
}

static void pke_set(bool on)
{
    uint64_t cr4 = cpu_read_cr4() & ~CR4_PKE;
    cpu_write_cr4(cr4 | (on ? CR4_PKE : 0));
}

static void pkru_set(uint32_t value)
{
    pkru_write(&value);
}

static void ac_set(bool on)
{
    uint64_t flags = cpu_read_flags() & ~RFLAGS_AC;
    flags |= on ? RFLAGS_AC : 0;
    __asm__ volatile("push %0; popfq" : : "r"(flags) : "memory", "cc");
}

static void wp_set(bool on)
{
    uint64_t cr0 = cpu_read_cr0() & ~CR0_WP;
    cpu_write_cr0(cr0 | (on ? CR0_WP : 0));
}

// SDM 2B, WRPKRU: #UD while CR4.PKE is 0.
TEST(peers_pku, off_without_cr4_pke)
{
    struct fault fault;
    uint32_t value = 0;
    CHECK(!(cpu_read_cr4() & CR4_PKE));
    CHECK(!run_protected(pkru_write, &value, &fault));
    CHECK_EQ(fault.kind, FAULT_OTHER);
}

struct outcome {
    bool read, written;
    uint64_t seen;
    struct fault read_fault, write_fault;
};

// A read and a write of `at` with this PKRU and CR0.WP.
static void try(void *at, uint32_t pkru, bool wp, uint64_t value,
                struct outcome *outcome)
{
    *outcome = (struct outcome){0};
    ac_set(true);
    pkru_set(pkru);
    wp_set(wp);
    outcome->read = pks_access_read(at, &outcome->seen, &outcome->read_fault);
    outcome->written = pks_access_write(at, value, &outcome->write_fault);
    wp_set(true);
    pkru_set(0);
    ac_set(false);
}

static const uint32_t everything_closed[] = {0x55555555, 0xaaaaaaaa,
                                             0xffffffff}; // AD, WD, both

// PKRU with AD or WD for every key, CR0.WP or not: what is open stays open and
// what is closed stays closed, with the error code of PKS.
TEST(peers_pku, supervisor_pages_ignore_pkru)
{
    if (!has_pku()) {
        SKIP("the CPU has no protection keys for user pages (pku)");
    }
    struct page *open = alloc_page(domain_ram);
    struct domain *other = domain_create("other");
    struct page *closed = other != NULL ? alloc_page(other) : NULL;
    CHECK(open != NULL && closed != NULL);
    pke_set(true);
    uint64_t *p = kmap_local_page(open);
    bool good = true;
    uint64_t value = 20;
    *p = value;
    for (unsigned i = 0; i < ARRAY_SIZE(everything_closed); i++) {
        for (unsigned wp = 0; wp < 2; wp++) {
            struct outcome outcome;
            try(p, everything_closed[i], wp != 0, value + 1, &outcome);
            good = good && outcome.read && outcome.written;
            good = good && outcome.seen == value && *p == ++value;
            void *at = page_direct_map_address(closed);
            if (!engine_refuses()) {
                continue;
            }
            try(at, 0, wp != 0, 1, &outcome);
            good = good && !outcome.read && !outcome.written;
            good = good &&
                   is_refusal(&outcome.read_fault, ACCESS_READ, at, closed);
            good = good &&
                   is_refusal(&outcome.write_fault, ACCESS_WRITE, at, closed);
        }
    }
    kunmap_local(p);
    pke_set(false);
    CHECK(good);
    uint64_t left = 1;
    memcpy_from_page(&left, closed, 0, sizeof(left));
    CHECK_EQ(left, 0);
    free_page(open);
    free_page(closed);
    CHECK_EQ(domain_destroy(other), 0);
}

// WD for the page's key: writes are refused if CR0.WP is 1. AD: everything is.
// IA32_PKRS has the same key closed all the time.
static bool user_page_obeys(void *at, uint64_t *value)
{
    static const struct {
        uint32_t pkru;
        bool wp, read, written;
    } want[] = {
        {0, true, true, true},
        {0, false, true, true},
        {PKRS_WD(KEY), false, true, true},
        {PKRS_WD(KEY), true, true, false},
        {PKRS_AD(KEY), false, false, false},
        {PKRS_AD(KEY), true, false, false},
        {~PKRS_KEY_MASK(KEY), true, true, true}, // any other key
    };
    bool good = true;
    for (unsigned i = 0; i < ARRAY_SIZE(want); i++) {
        struct outcome o;
        try(at, want[i].pkru, want[i].wp, *value + 1, &o);
        good = good && o.read == want[i].read && o.written == want[i].written;
        good = good && (o.read ? o.seen == *value
                               : o.read_fault.error_code == 0x21 &&
                                     o.read_fault.pkey == KEY);
        good = good && (o.written || (o.write_fault.error_code == 0x23 &&
                                      o.write_fault.address == (uintptr_t)at));
        *value += o.written;
    }
    return good;
}

TEST(peers_pku, user_pages_obey_pkru)
{
    if (!has_pku()) {
        SKIP("the CPU has no protection keys for user pages (pku)");
    }
    struct page *page = alloc_page(domain_ram);
    CHECK(page != NULL);
    pke_set(true);
    uint64_t value = 0, left;
    void *at =
        alias_map(ALIAS_LOW_BASE, page, 1, PTE_US | PTE_KEY(KEY) | ALIAS_DATA);
    bool good = at != NULL && user_page_obeys(at, &value);
    alias_unmap(ALIAS_LOW_BASE, 1);
    pke_set(false);
    CHECK(good);
    memcpy_from_page(&left, page, 0, sizeof(left));
    CHECK_EQ(left, value);
    CHECK_EQ(value, 4);
    free_page(page);
}
