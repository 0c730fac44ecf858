// SPDX-License-Identifier: MIT
//
// The fault record: every kind, with all that it says; and run_protected().
#include "arch/cpu.h"
#include "arch/cpuid.h"
#include "arch/pks.h"
#include "kernel/misuse.h"
#include "kernel/symbols.h"
#include "keyhole.h"
#include "lib/string.h"
#include "mm/domain.h"
#include "mm/keys.h"
#include "mm/pagetable.h"
#include "tests/alias.h"
#include "tests/engines.h"
#include "tests/handlers.h"

#define NON_CANONICAL 0x0000800000000000ull

// The call sites below stay functions of their own, for the names in faults.
static __noinline void touch_read(void *at)
{
    (void)*(volatile char *)at;
}

static __noinline void touch_write(void *at)
{
    *(volatile char *)at = 1;
}

static __noinline void touch_execute(void *at)
{
    ((void (*)(void))at)();
}

static __noinline void undefined_instruction(void *ignored)
{
    (void)ignored;
    __asm__ volatile("ud2");
}

static __noinline void breakpoint(void *ignored)
{
    (void)ignored;
    __asm__ volatile("int3");
}

static __noinline void divide_by_zero(void *ignored)
{
    (void)ignored;
    uint32_t low = 1, high = 0;
    __asm__ volatile("divl %2" : "+a"(low), "+d"(high) : "r"(0) : "cc");
}

static bool is_in(uintptr_t ip, const char *function)
{
    const char *name = symbol_find(ip, NULL);
    return name != NULL && strcmp(name, function) == 0;
}

// fn(at) must fault, and the record must say this.
static void expect(void (*fn)(void *), const char *name, void *at,
                   const struct fault *want)
{
    struct fault fault;
    struct map_stats before, after;
    map_stats_read(&before);
    CHECK(!run_protected(fn, at, &fault));
    map_stats_read(&after);
    CHECK_EQ(fault.kind, want->kind);
    CHECK_EQ(fault.access, want->access);
    CHECK_EQ(fault.address, want->address);
    CHECK_EQ(fault.error_code, want->error_code);
    CHECK_EQ(fault.pkey, want->pkey);
    CHECK_EQ((uintptr_t)fault.page, (uintptr_t)want->page);
    CHECK_EQ(fault.cpu, cpu_id());
    CHECK_EQ(after.faults, before.faults + 1);
    CHECK(rights_are(PKRS_CLOSED));
    if (name == NULL) {
        CHECK_EQ(fault.ip, (uintptr_t)at);
    } else {
        CHECK(is_in(fault.ip, name));
    }
}

TEST(fault, closed_key)
{
    NEEDS_REFUSALS();
    // Not the first frame of a leaf.
    struct page *block = alloc_pages(domain_ram, 1), *page = block + 1;
    CHECK(block != NULL);
    char *at = (char *)page_direct_map_address(page) + 123;
    const struct test_engine *running = test_engine();
    struct fault want = {
        .kind = running->closed,
        .access = ACCESS_READ,
        .address = (uintptr_t)at,
        .error_code = running->closed_error,
        .pkey = running->closed_has_leaf ? domain_ram->key : -1,
        .page = page,
    };
    expect(touch_read, "touch_read", at, &want);
    want.access = ACCESS_WRITE;
    want.error_code |= PF_WRITE;
    expect(touch_write, "touch_write", at, &want);
    // A read-only bracket leaves the write refused, and its own read allowed.
    struct fault fault;
    char *open = (char *)kmap_local_page_ro(page) + 123;
    CHECK(!run_protected(touch_write, open, &fault));
    CHECK(is_read_only_refusal(&fault, open, page));
    CHECK_EQ(*open, 0);
    kunmap_local(open - 123);
    free_pages(block, 1);
}

TEST(fault, not_present)
{
    struct fault want = {
        .kind = FAULT_NOT_PRESENT,
        .access = ACCESS_READ,
        .address = TEST_REGION_BASE + 5,
        .pkey = -1,
    };
    void *at = (void *)want.address;
    expect(touch_read, "touch_read", at, &want);
    want.access = ACCESS_WRITE;
    want.error_code = PF_WRITE;
    expect(touch_write, "touch_write", at, &want);
    want.access = ACCESS_EXECUTE;
    want.error_code = PF_FETCH;
    expect(touch_execute, NULL, at, &want);
}

TEST(fault, write_protect)
{
    static const char constant = 'c';
    phys_addr_t physical = (uintptr_t)&constant - KERNEL_BASE;
    struct fault want = {
        .kind = FAULT_WRITE_PROTECT,
        .access = ACCESS_WRITE,
        .address = (uintptr_t)&constant,
        .error_code = PF_PRESENT | PF_WRITE,
        .pkey = KEY_KERNEL,
        .page = phys_to_page(physical),
    };
    expect(touch_write, "touch_write", (void *)&constant, &want);
    CHECK_EQ(constant, 'c');
}

TEST(fault, no_execute)
{
    static char data[16] = {(char)0xc3};
    phys_addr_t physical = (uintptr_t)data - KERNEL_BASE;
    struct fault want = {
        .kind = FAULT_NO_EXECUTE,
        .access = ACCESS_EXECUTE,
        .address = (uintptr_t)data,
        .error_code = PF_PRESENT | PF_FETCH,
        .pkey = KEY_KERNEL,
        .page = phys_to_page(physical),
    };
    expect(touch_execute, NULL, data, &want);
}

TEST(fault, general_protection)
{
    struct fault want = {.kind = FAULT_GP, .access = ACCESS_READ, .pkey = -1};
    expect(touch_read, "touch_read", (void *)NON_CANONICAL, &want);
}

TEST(fault, other_exceptions)
{
    struct fault want = {
        .kind = FAULT_OTHER, .access = ACCESS_READ, .pkey = -1};
    expect(undefined_instruction, "undefined_instruction", NULL, &want);
    expect(breakpoint, "breakpoint", NULL, &want);
    expect(divide_by_zero, "divide_by_zero", NULL, &want);
}

// An address with more bits than the CPU has: SDM 3A 4.7, RSVD.
TEST(fault, reserved_bit)
{
    if (cpu_physical_bits() >= 52) {
        SKIP("the CPU has no reserved address bits");
    }
    struct fault want = {
        .kind = FAULT_OTHER,
        .access = ACCESS_READ,
        .address = TEST_REGION_BASE,
        .error_code = PF_PRESENT | PF_RESERVED,
        .pkey = 7,
    };
    CHECK_EQ(pt_map(TEST_REGION_BASE, BIT(51), PAGE_SIZE,
                    PTE_P | PTE_A | PTE_XD | PTE_KEY(7), 1),
             0);
    struct fault first;
    run_protected(touch_read, (void *)TEST_REGION_BASE, &first);
    if (first.error_code == PF_RESERVED) {
        printf("# note: RSVD comes without P here (QEMU); SDM 3A 4.7 has "
               "both\n");
        want.error_code = PF_RESERVED;
    }
    expect(touch_read, "touch_read", (void *)TEST_REGION_BASE, &want);
    CHECK_EQ(pt_unmap(TEST_REGION_BASE, PAGE_SIZE), 0);
}

// SMAP and SMEP (SDM 3A 4.6.1): no kind of their own, but told apart.
TEST(fault, user_pages)
{
    if (!cpu_has(CPU_FEATURE_SMAP) || !cpu_has(CPU_FEATURE_SMEP)) {
        SKIP("the CPU has no SMAP or no SMEP");
    }
    struct page *page = alloc_page(domain_ram);
    struct fault want = {
        .kind = FAULT_OTHER,
        .access = ACCESS_READ,
        .address = ALIAS_LOW_BASE,
        .error_code = PF_PRESENT,
        .pkey = 5,
        .page = page,
    };
    CHECK(page != NULL);
    void *at = alias_map(ALIAS_LOW_BASE, page, 1, PTE_US | PTE_KEY(5));
    CHECK(at != NULL);
    expect(touch_read, "touch_read", at, &want);
    want.kind = FAULT_NO_EXECUTE;
    want.access = ACCESS_EXECUTE;
    want.error_code = PF_PRESENT | PF_FETCH;
    expect(touch_execute, NULL, at, &want);
    alias_unmap(ALIAS_LOW_BASE, 1);
    free_page(page);
}

// -------------------------------------------------------------- run_protected

static void do_nothing(void *arg)
{
    *(int *)arg += 1;
}

TEST(fault, run_protected_returns)
{
    int calls = 0;
    struct fault fault = {.kind = FAULT_OTHER};
    struct catch_frame *before = percpu.catches;
    CHECK(run_protected(do_nothing, &calls, &fault));
    CHECK_EQ(calls, 1);
    CHECK_EQ(fault.kind, FAULT_NONE);
    CHECK(run_protected(do_nothing, &calls, NULL));
    CHECK_EQ(calls, 2);
    CHECK_EQ((uintptr_t)percpu.catches, (uintptr_t)before);
    CHECK(!run_protected(undefined_instruction, NULL, NULL));
    CHECK_EQ((uintptr_t)percpu.catches, (uintptr_t)before);
}

struct scene {
    struct page *page[3];
    struct fault inner;
    uint32_t rights_between;
    bool inner_done;
};

static void open_two_and_fault(void *arg)
{
    struct scene *scene = arg;
    kmap_local_page(scene->page[1]);
    kmap_local_page_ro(scene->page[2]);
    *(volatile char *)TEST_REGION_BASE = 1;
}

static void open_and_nest(void *arg)
{
    struct scene *scene = arg;
    kmap_local_page(scene->page[0]);
    scene->rights_between = pks_rights();
    scene->inner_done = run_protected(open_two_and_fault, scene, &scene->inner);
    // The bracket from before is open as it was; now leave it behind as well.
    if (pks_rights() == scene->rights_between) {
        undefined_instruction(NULL);
    }
}

TEST(fault, run_protected_closes_brackets)
{
    struct scene scene = {0};
    struct domain *others[2] = {domain_create("one"), domain_create("two")};
    struct fault fault;
    CHECK(others[0] != NULL && others[1] != NULL);
    scene.page[0] = alloc_page(domain_ram);
    scene.page[1] = alloc_page(others[0]);
    scene.page[2] = alloc_page(others[1]);
    CHECK(scene.page[0] && scene.page[1] && scene.page[2]);

    volatile char *outer = kmap_local_page(scene.page[2]);
    uint32_t rights = pks_rights();
    bool done = run_protected(open_and_nest, &scene, &fault);
    CHECK_EQ(pks_rights(), rights);
    CHECK(rights_are(rights));
    *outer = 1;
    kunmap_local((const void *)outer); // the innermost again, or a misuse
    CHECK_EQ(pks_rights(), PKRS_CLOSED);

    CHECK(!done);
    CHECK_EQ(fault.kind, FAULT_OTHER);
    CHECK(is_in(fault.ip, "undefined_instruction"));
    CHECK(!scene.inner_done);
    CHECK_EQ(scene.inner.kind, FAULT_NOT_PRESENT);
    CHECK_EQ(scene.inner.access, ACCESS_WRITE);
    CHECK_EQ(scene.inner.address, TEST_REGION_BASE);
    CHECK(is_in(scene.inner.ip, "open_two_and_fault"));
    for (unsigned i = 0; i < 3; i++) {
        free_page(scene.page[i]); // a misuse if a bracket were open
    }
    CHECK_EQ(domain_destroy(others[0]), 0);
    CHECK_EQ(domain_destroy(others[1]), 0);
}

static void unmap_nothing(void *ignored)
{
    (void)ignored;
    kunmap_local((const void *)TEST_REGION_BASE);
}

TEST(fault, run_protected_catches_misuse)
{
    struct fault fault;
    CHECK(!run_protected(unmap_nothing, NULL, &fault));
    CHECK_EQ(fault.kind, FAULT_OTHER);
    CHECK_EQ(fault.pkey, -1);
    CHECK(is_in(fault.ip - 1, "unmap_nothing"));
}

static void keep_in_nmi(void *unused)
{
    (void)unused;
    HANDLER_CHECK(stub_protected_keeps_registers());
}

TEST(fault, run_protected_keeps_registers)
{
    CHECK(stub_protected_keeps_registers());
    cpu_nmi(cpu_id(), keep_in_nmi, NULL);
    CHECK(handlers_passed());
}

static void turn_interrupts_off(void *unused)
{
    cpu_cli();
    undefined_instruction(unused);
}

TEST(fault, run_protected_keeps_interrupts_on)
{
    CHECK(!run_protected(turn_interrupts_off, NULL, NULL));
    CHECK(cpu_read_flags() & RFLAGS_IF);
}

// Deep enough that a leak of stack or of a place to come back to would show.
TEST(fault, ten_thousand_in_a_row)
{
    struct fault fault;
    for (unsigned i = 0; i < 10000; i++) {
        CHECK(!run_protected(touch_read, (void *)TEST_REGION_BASE, &fault));
    }
    CHECK_EQ(fault.kind, FAULT_NOT_PRESENT);
}
