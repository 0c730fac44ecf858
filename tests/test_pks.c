// SPDX-License-Identifier: MIT
//
// Protection keys beside plain accesses: the register and its soft copy, bad
// values, keys that change, and where emulators are known to differ.
#include "arch/apic.h"
#include "arch/cpu.h"
#include "arch/pks.h"
#include "keyhole.h"
#include "mm/pagetable.h"
#include "tests/alias.h"
#include "tests/engines.h"
#include "tests/pks_access.h"

#define KEY 9 // one that no other part of a test uses

extern const char pks_write_msr[]; // arch/pks_write.asm

// --------------------------------------------------------------- The register

TEST(pks, soft_copy_follows_the_register)
{
    NEEDS_PKS();
    uint32_t before = pks_rights();
    CHECK_EQ(before, PKRS_CLOSED);
    for (unsigned key = 1; key < PKS_KEYS; key++) {
        for (uint32_t bits = 0; bits < 4; bits++) {
            uint32_t want = (before & ~PKRS_KEY_MASK(key)) | bits << (2 * key);
            pks_set_rights(want);
            uint32_t soft = pks_rights();
            uint64_t hard = cpu_read_msr(MSR_IA32_PKRS);
            pks_set_rights(before);
            CHECK_EQ(soft, want);
            CHECK_EQ(hard, want);
        }
    }
    CHECK_EQ(cpu_read_msr(MSR_IA32_PKRS), before);
}

TEST(pks, equal_values_are_not_written)
{
    NEEDS_PKS();
    struct map_stats before, between, after;
    uint32_t rights = pks_rights();
    map_stats_read(&before);
    pks_set_rights(rights);
    map_stats_read(&between);
    pks_set_rights(rights ^ PKRS_WD(KEY));
    pks_set_rights(rights);
    map_stats_read(&after);
    CHECK_EQ(between.pkrs_writes, before.pkrs_writes);
    CHECK_EQ(between.pkrs_writes_skipped, before.pkrs_writes_skipped + 1);
    CHECK_EQ(after.pkrs_writes, between.pkrs_writes + 2);
    CHECK_EQ(after.pkrs_writes_skipped, between.pkrs_writes_skipped);
}

// The one WRMSR to IA32_PKRS, found in its function: there is to be no second.
static uintptr_t wrmsr_find(void)
{
    for (const char *at = pks_write_msr; at < pks_write_msr + 64; at++) {
        if (at[0] == 0x0f && at[1] == 0x30) {
            return (uintptr_t)at;
        }
    }
    return 0;
}

struct wrmsr {
    uintptr_t at;
    uint64_t value;
};

// Execute it and what follows with any value in EDX:EAX.
static void wrmsr_call(void *arg)
{
    const struct wrmsr *wrmsr = arg;
    uint32_t low = (uint32_t)wrmsr->value;
    uint32_t high = wrmsr->value >> 32;
    __asm__ volatile("call *%2"
                     : "+a"(low), "+d"(high)
                     : "r"(wrmsr->at), "c"(MSR_IA32_PKRS)
                     : "memory", "cc");
}

// SDM 3A 4.6.2: bits 63:32 are reserved; a value with one of them set raises
// #GP(0) and changes nothing.
TEST(pks, bad_values_raise_gp)
{
    NEEDS_PKS();
    struct wrmsr wrmsr = {.at = wrmsr_find()};
    uint32_t before = pks_rights();
    unsigned taken = 0;
    CHECK(wrmsr.at != 0);
    for (unsigned bit = 32; bit < 64; bit++) {
        struct fault fault;
        wrmsr.value = BIT(bit) | (PKRS_CLOSED & ~PKRS_KEY_MASK(KEY));
        if (run_protected(wrmsr_call, &wrmsr, &fault)) {
            taken++;
            wrmsr.value = before;
            wrmsr_call(&wrmsr);
            continue;
        }
        CHECK_EQ(fault.kind, FAULT_GP);
        CHECK_EQ(fault.ip, wrmsr.at);
        CHECK_EQ(fault.error_code, 0);
        CHECK_EQ(fault.address, 0);
        CHECK_EQ(cpu_read_msr(MSR_IA32_PKRS), before);
    }
    if (taken != 0) {
        printf("# note: IA32_PKRS takes values with bits 63:32 set here "
               "(Bochs), %u of 32\n",
               taken);
    }
    CHECK(taken == 0 || taken == 32);
    CHECK_EQ(pks_rights(), before);
    CHECK_EQ(cpu_read_msr(MSR_IA32_PKRS), before);
}

// The kernel's other WRMSR, that of the local APIC, reaches 0x800 to 0x8ff
// only, whatever it is given (arch/apic_write.asm). Those tried here are
// reserved, or are no MSRs outside x2APIC mode: #GP, or nothing under QEMU.
static void apic_write_call(void *number)
{
    apic_write_msr(*(uint32_t *)number, 0);
}

TEST(pks, writing_apic_registers_does_not_reach_pkrs)
{
    NEEDS_PKS();
    for (unsigned high = 0; high < 16; high++) {
        uint32_t number = MSR_IA32_PKRS ^ high << 8;
        struct fault fault;
        bool done = run_protected(apic_write_call, &number, &fault);
        CHECK(done || fault.kind == FAULT_GP);
        CHECK_EQ(cpu_read_msr(MSR_IA32_PKRS), pks_rights());
    }
    CHECK_EQ(pks_rights(), PKRS_CLOSED);
}

TEST(pks, handlers_start_closed_and_give_back)
{
    NEEDS_PKS();
    // The probe's own handler reads nothing of ours; what it leaves behind is
    // seen here.
    uint32_t before = pks_rights();
    pks_set_rights(before & ~PKRS_KEY_MASK(KEY));
    struct fault fault;
    uint64_t value;
    bool read = probe_read(NULL, &value, sizeof(value), &fault);
    uint32_t soft = pks_rights();
    uint64_t hard = cpu_read_msr(MSR_IA32_PKRS);
    pks_set_rights(before);
    CHECK(!read);
    CHECK_EQ(soft, before & ~PKRS_KEY_MASK(KEY));
    CHECK_EQ(hard, soft);
}

// ------------------------------------------------- Where processors may differ

// Instructions that name an address without using what is there.
TEST(pks, hints_and_flushes)
{
    NEEDS_PKS();
    struct page *page = alloc_page(domain_ram);
    CHECK(page != NULL);
    char *at = page_direct_map_address(page);
    struct fault fault = {.kind = FAULT_NONE};
    uint64_t value;
    CHECK(!pks_access_read(at, &value, &fault));
    CHECK_EQ(fault.error_code, PF_PRESENT | PF_PKEY);
    // SDM 2B: PREFETCHW is a hint and raises no #PF. SDM 2A: INVLPG does not
    // access what it names.
    CHECK(pks_access_prefetchw(at, 0, &fault));
    CHECK(pks_access_invlpg(at, 0, &fault));
    // SDM 2A: CLFLUSH is subject to all permission checks of a byte load.
    fault.kind = FAULT_NONE;
    if (pks_access_clflush(at, 0, &fault)) {
        printf("# note: CLFLUSH of a closed page is not checked here (QEMU)\n");
    } else {
        CHECK_EQ(fault.kind, FAULT_PKEY);
        CHECK_EQ(fault.error_code, PF_PRESENT | PF_PKEY);
        CHECK_EQ(fault.address, (uintptr_t)at);
    }
    free_page(page);
}

// A changed key must be seen at once. TCG forgets every translation whenever
// IA32_PKRS is written, so the invalidation is looked for in the count too.
TEST(pks, a_changed_key_is_seen)
{
    NEEDS_PKS();
    struct page *page = alloc_page(domain_ram);
    struct map_stats before, after;
    struct fault fault;
    uint64_t value;
    CHECK(page != NULL);
    char *at = alias_map(TEST_REGION_BASE, page, 1, ALIAS_DATA);
    bool open = at != NULL && pks_access_read(at, &value, &fault);
    map_stats_read(&before);
    pt_change(TEST_REGION_BASE, PAGE_SIZE, PTE_KEY_MASK, PTE_KEY(KEY));
    map_stats_read(&after);
    bool closed = at != NULL && !pks_access_read(at, &value, &fault);
    alias_unmap(TEST_REGION_BASE, 1);
    free_page(page);
    CHECK(open);
    CHECK(closed);
    CHECK_EQ(fault.pkey, KEY);
    CHECK_EQ(after.invlpg, before.invlpg + 1);
    CHECK_EQ(after.pte_writes, before.pte_writes + 1);
}
