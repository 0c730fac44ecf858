// SPDX-License-Identifier: MIT
//
// The accesses that the CPU makes by itself: it reads descriptor tables and
// pushes onto stacks with supervisor rights, through the same check of keys as
// any access (SDM 3A 4.6.1).
//
// The tables here span two pages: the first is open and holds all that the
// handler needs, the second has KEY and holds what the access needs.
#include "arch/cpu.h"
#include "arch/pks.h"
#include "keyhole.h"
#include "mm/pagetable.h"
#include "tests/alias.h"
#include "tests/engines.h"
#include "tests/pks_access.h"

#define KEY 9 // one that no other part of a test uses
#define TABLE_BASE TEST_REGION_BASE
#define STACK_BASE (TEST_REGION_BASE + MIB(1))
#define FAR_SELECTOR PAGE_SIZE // first of the second page
#define FAR_OFFSET (16ul * 64) // of vector 64 in an IDT
#define DATA_NOT_ACCESSED 0x00cf92000000ffffull
#define DATA_ACCESSED 0x00cf93000000ffffull
#define TSS_BUSY BIT(41) // in the type of a descriptor
#define TSS_SIZE 104
#define TSS_IST4 60 // offset in it

struct table_pointer {
    uint16_t limit;
    uint64_t base;
} __packed;

static struct {
    struct page *tables, *stack;
    char *near; // the open page; the closed one follows
    struct table_pointer old_gdt, old_idt;
} cpu;

static void key_set(uint32_t rights)
{
    pks_set_rights((pks_rights() & ~PKRS_KEY_MASK(KEY)) | rights);
}

static void gdt_load(const struct table_pointer *pointer)
{
    __asm__ volatile("lgdt %0" : : "m"(*pointer));
}

static void idt_load(const struct table_pointer *pointer)
{
    __asm__ volatile("lidt %0" : : "m"(*pointer));
}

static void task_load(void)
{
    __asm__ volatile("ltr %w0" : : "r"(SELECTOR_TSS) : "memory");
}

static void es_restore(void)
{
    __asm__ volatile("movl %0, %%es" : : "r"(SELECTOR_DATA));
}

// Two pages, the second with KEY and open for now.
static bool tables_map(void)
{
    __asm__ volatile("sgdt %0" : "=m"(cpu.old_gdt));
    __asm__ volatile("sidt %0" : "=m"(cpu.old_idt));
    cpu.tables = alloc_pages(domain_ram, 1);
    cpu.stack = alloc_page(domain_ram);
    if (cpu.tables == NULL || cpu.stack == NULL) {
        return false;
    }
    cpu.near = alias_map(TABLE_BASE, cpu.tables, 1, ALIAS_DATA);
    key_set(0);
    return cpu.near != NULL &&
           alias_map(TABLE_BASE + PAGE_SIZE, cpu.tables + 1, 1,
                     ALIAS_DATA | PTE_KEY(KEY)) != NULL &&
           alias_map(STACK_BASE, cpu.stack, 1, ALIAS_DATA | PTE_KEY(KEY)) !=
               NULL;
}

static void tables_unmap(void)
{
    key_set(PKRS_KEY_MASK(KEY));
    alias_unmap(TABLE_BASE, 1);
    alias_unmap(TABLE_BASE + PAGE_SIZE, 1);
    alias_unmap(STACK_BASE, 1);
    if (cpu.stack != NULL) {
        free_page(cpu.stack);
    }
    if (cpu.tables != NULL) {
        free_pages(cpu.tables, 1);
    }
}

// A GDT with the kernel's descriptors and, at FAR_SELECTOR, one more.
static void gdt_use(uint64_t far_descriptor)
{
    struct table_pointer pointer = {FAR_SELECTOR + 7, (uintptr_t)cpu.near};
    memcpy(cpu.near, (const void *)cpu.old_gdt.base, cpu.old_gdt.limit + 1);
    *(uint64_t *)(cpu.near + FAR_SELECTOR) = far_descriptor;
    gdt_load(&pointer);
}

// An IDT whose gates from vector 64 on are in the second page. Returns where
// the gate of PKS_ACCESS_VECTOR is.
static uint64_t *idt_use(unsigned ist)
{
    char *base = cpu.near + PAGE_SIZE - FAR_OFFSET;
    struct table_pointer pointer = {cpu.old_idt.limit, (uintptr_t)base};
    memcpy(base, (const void *)cpu.old_idt.base, cpu.old_idt.limit + 1);
    uint64_t *gate = (uint64_t *)(base + PKS_ACCESS_VECTOR * 16);
    uintptr_t to = (uintptr_t)pks_access_handler;
    gate[0] = (to & 0xffff) | SELECTOR_CODE << 16 | (uint64_t)ist << 32 |
              0x8eull << 40 | (to >> 16 & 0xffff) << 48;
    gate[1] = to >> 32;
    idt_load(&pointer);
    return gate;
}

// What a case ended in; looked at when everything is back in place.
struct outcome {
    bool open, refused; // went through with the key open; did not when closed
    struct fault fault;
    uintptr_t address; // where the fault must be
};

// Make the access with the key open and with these rights.
static void outcome_get(struct outcome *outcome, uint64_t selector,
                        bool (*access)(void *, uint64_t, struct fault *),
                        uint32_t rights)
{
    outcome->open = access(NULL, selector, &outcome->fault);
    key_set(rights);
    outcome->refused = !access(NULL, selector, &outcome->fault);
    key_set(0);
}

static void outcome_check(const struct outcome *outcome, uint32_t error)
{
    CHECK(outcome->open);
    CHECK(outcome->refused);
    CHECK_EQ(outcome->fault.kind, FAULT_PKEY);
    CHECK_EQ(outcome->fault.error_code, error);
    CHECK_EQ(outcome->fault.address, outcome->address);
    CHECK_EQ(outcome->fault.pkey, KEY);
}

TEST(pks, descriptor_load_is_checked)
{
    NEEDS_PKS();
    struct outcome outcome = {.address = TABLE_BASE + FAR_SELECTOR};
    bool mapped = tables_map();
    if (mapped) {
        cpu_cli(); // an interrupt would use these tables too
        gdt_use(DATA_ACCESSED);
        outcome_get(&outcome, FAR_SELECTOR, pks_access_load_es, PKRS_AD(KEY));
        es_restore();
        gdt_load(&cpu.old_gdt);
        cpu_sti();
    }
    tables_unmap();
    CHECK(mapped);
    outcome_check(&outcome, PF_PRESENT | PF_PKEY);
}

TEST(pks, accessed_bit_write_is_checked)
{
    NEEDS_PKS();
    struct outcome outcome = {.address = TABLE_BASE + FAR_SELECTOR};
    bool set = false, mapped = tables_map();
    if (mapped) {
        cpu_cli(); // an interrupt would use these tables too
        uint64_t *descriptor = (uint64_t *)(cpu.near + FAR_SELECTOR);
        gdt_use(DATA_NOT_ACCESSED);
        outcome.open = pks_access_load_es(NULL, FAR_SELECTOR, &outcome.fault);
        set = *descriptor == DATA_ACCESSED;
        *descriptor = DATA_NOT_ACCESSED;
        key_set(PKRS_WD(KEY));
        outcome.refused =
            !pks_access_load_es(NULL, FAR_SELECTOR, &outcome.fault);
        key_set(0);
        es_restore();
        gdt_load(&cpu.old_gdt);
        cpu_sti();
    }
    tables_unmap();
    CHECK(mapped);
    CHECK(set);
    // The byte that holds the bit, or the descriptor as a whole.
    CHECK_EQ(outcome.fault.address & ~7ul, outcome.address);
    outcome.fault.address = outcome.address;
    outcome_check(&outcome, PF_PRESENT | PF_WRITE | PF_PKEY);
}

TEST(pks, gate_read_is_checked)
{
    NEEDS_PKS();
    struct outcome outcome = {0};
    bool mapped = tables_map();
    if (mapped) {
        cpu_cli(); // an interrupt would use these tables too
        outcome.address = (uintptr_t)idt_use(0);
        outcome_get(&outcome, 0, pks_access_int, PKRS_AD(KEY));
        idt_load(&cpu.old_idt);
        cpu_sti();
    }
    tables_unmap();
    CHECK(mapped);
    CHECK_EQ(outcome.fault.address & ~15ul, outcome.address);
    outcome.fault.address = outcome.address;
    outcome_check(&outcome, PF_PRESENT | PF_PKEY);
}

// The kernel's TSS, as far as its descriptor tells.
static char *task_state(uint64_t *descriptor)
{
    uint64_t base = (descriptor[0] >> 16 & 0xffffff) |
                    (descriptor[0] >> 56) << 24 | descriptor[1] << 32;
    return (char *)base;
}

// Let a TSS descriptor, not busy, name `tss`.
static void task_use(uint64_t *descriptor, const char *tss)
{
    uint64_t base = (uintptr_t)tss;
    descriptor[0] = (descriptor[0] & 0x00ffff000000ffff & ~TSS_BUSY) |
                    (base & 0xffffff) << 16 | (base >> 24 & 0xff) << 56;
    descriptor[1] = base >> 32;
    task_load();
}

TEST(pks, stack_push_of_an_exception_is_checked)
{
    NEEDS_PKS();
    // SDM 3A 6.14.2: SS is the first to be pushed.
    struct outcome outcome = {.address = STACK_BASE + PAGE_SIZE - 8};
    bool mapped = tables_map();
    if (mapped) {
        cpu_cli(); // an interrupt would use these tables too
        gdt_use(DATA_ACCESSED);
        uint64_t *descriptor = (uint64_t *)(cpu.near + SELECTOR_TSS);
        char *old_tss = task_state(descriptor);
        char *tss = cpu.near + KIB(2);
        memcpy(tss, old_tss, TSS_SIZE);
        *(uint64_t *)(tss + TSS_IST4) = STACK_BASE + PAGE_SIZE;
        task_use(descriptor, tss);
        idt_use(4);
        // Only the stack is to be refused.
        pt_change(TABLE_BASE + PAGE_SIZE, PAGE_SIZE, PTE_KEY_MASK, 0);
        outcome_get(&outcome, 0, pks_access_int, PKRS_WD(KEY));
        idt_load(&cpu.old_idt);
        // TR is loaded from the copy: the kernel's descriptor is read-only,
        // and busy already.
        task_use(descriptor, old_tss);
        gdt_load(&cpu.old_gdt);
        cpu_sti();
    }
    tables_unmap();
    CHECK(mapped);
    outcome_check(&outcome, PF_PRESENT | PF_WRITE | PF_PKEY);
}
