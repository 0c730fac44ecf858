// SPDX-License-Identifier: MIT
//
// Every CPU is what the boot CPU is: the same protections, handlers of its own
// that bracket for themselves, and calls from everybody to everybody. With one
// CPU the calls go to that one.
#include "arch/apic.h"
#include "arch/cpu.h"
#include "arch/pks.h"
#include "arch/trap.h"
#include "kernel/config.h"
#include "kernel/cpus.h"
#include "kernel/remote.h"
#include "lib/string.h"
#include "mm/bracket.h"
#include "mm/image.h"
#include "mm/keys.h"
#include "mm/layout.h"
#include "mm/pagetable.h"
#include "tests/engines.h"
#include "tests/handlers.h"
#include "tests/scratch.h"

// Where an emulator has fewer CPUs than the machine, each call may wait for a
// turn of the emulator's threads.
#define CALLS 40

static void (*const senders[])(unsigned cpu, void (*fn)(void *),
                               void *arg) = {cpu_call, cpu_nmi};

// ------------------------------------------------------------ What a CPU is

struct self {
    uint64_t cr0, cr3, cr4, efer, pkrs, gs, idt;
    uint32_t cpu, apic, level, nmi_level;
    uint16_t task;
    uintptr_t gdt, stack;
};

struct table_pointer {
    uint16_t limit;
    uint64_t base;
} __packed;

static void note_self(void *to)
{
    struct self *self = to;
    struct table_pointer gdt, idt;
    __asm__ volatile("sgdt %0" : "=m"(gdt));
    __asm__ volatile("sidt %0" : "=m"(idt));
    __asm__ volatile("str %0" : "=r"(self->task));
    self->gdt = gdt.base;
    self->idt = idt.base;
    self->cr0 = cpu_read_cr0();
    self->cr3 = cpu_read_cr3();
    self->cr4 = cpu_read_cr4();
    self->efer = cpu_read_msr(MSR_EFER);
    self->pkrs = cpu_read_msr(MSR_IA32_PKRS);
    self->gs = cpu_read_msr(MSR_GS_BASE);
    self->cpu = cpu_id();
    self->apic = apic_id();
    self->level = percpu.trap_level;
    self->nmi_level = percpu.nmi_level;
    self->stack = (uintptr_t)__builtin_frame_address(0);
}

TEST(cpus, all_that_firmware_lists_are_online)
{
    uint64_t want = MIN(MAX(cpus_listed(), 1u), CPUS_MAX);
    if (config.max_cpus != 0) {
        want = MIN(want, config.max_cpus);
    }
    CHECK_EQ(cpus_online(), want);
    CHECK_EQ(cpu_id(), 0);
}

SCRATCH_ARRAY(struct self, self_in_call, CPUS_MAX, 0);
SCRATCH_ARRAY(struct self, self_in_nmi, CPUS_MAX,
              CPUS_MAX * sizeof(struct self));

TEST(cpus, each_is_reached_and_is_itself)
{
    struct self *const self[] = {self_in_call, self_in_nmi};
    for (unsigned cpu = 0; cpu < cpus_online(); cpu++) {
        for (unsigned i = 0; i < ARRAY_SIZE(senders); i++) {
            struct self *at = &self[i][cpu];
            memset(at, 0, sizeof(*at));
            senders[i](cpu, note_self, at);
            CHECK_EQ(at->cpu, cpu);
            CHECK_EQ(at->gs, (uintptr_t)cpu_data_of(cpu));
            CHECK(at->level >= 1); // an NMI may come into a handler
            CHECK_EQ(at->nmi_level, i == 0 ? 0 : at->level);
            CHECK_EQ(at->apic, self[0][cpu].apic);
            for (unsigned other = 0; other < cpu; other++) {
                CHECK(at->apic != self[i][other].apic);
                CHECK(at->gdt != self[i][other].gdt);
                CHECK(at->stack != self[i][other].stack);
            }
        }
    }
}

TEST(cpus, protections_are_those_of_the_boot_cpu)
{
    struct self boot, self;
    cpu_call(0, note_self, &boot);
    CHECK(!test_engine()->keys || boot.pkrs == PKRS_CLOSED);
    CHECK_EQ(!!(boot.cr4 & CR4_PKS), test_engine()->keys);
    for (unsigned cpu = 1; cpu < cpus_online(); cpu++) {
        cpu_call(cpu, note_self, &self);
        CHECK_EQ(self.pkrs, boot.pkrs);
        CHECK_EQ(self.cr0, boot.cr0);
        // Windows hang from a root of the CPU's own.
        CHECK_EQ(self.cr3 == boot.cr3, engine->root == NULL);
        CHECK_EQ(self.cr4, boot.cr4);
        CHECK_EQ(self.efer, boot.efer);
        CHECK_EQ(self.idt, boot.idt);
        CHECK_EQ(self.task, boot.task);
    }
}

TEST(cpus, apics_have_the_mode_that_was_asked_for)
{
    bool x2apic = apic_registers == NULL;
    CHECK(config.apic == APIC_AUTO || x2apic == (config.apic == APIC_X2APIC));
}

// ------------------------------------------------------------------- Stacks

static void check_stack(void *kind)
{
    uintptr_t bottom = 0, top = 0, here = (uintptr_t)__builtin_frame_address(0);
    char byte;
    struct fault fault;
    HANDLER_CHECK(stack_find(here, &bottom, &top));
    HANDLER_CHECK(here > bottom && here < top);
    const char *name = stack_guard_name(bottom - 1);
    HANDLER_CHECK(name != NULL && strncmp(name, kind, strlen(kind)) == 0);
    HANDLER_CHECK(!probe_read((void *)(bottom - 1), &byte, 1, &fault));
    HANDLER_CHECK(fault.kind == FAULT_NOT_PRESENT);
    HANDLER_CHECK(fault.cpu == cpu_id());
    HANDLER_CHECK(!probe_read((void *)top, &byte, 1, &fault));
    HANDLER_CHECK(fault.kind == FAULT_NOT_PRESENT);
    HANDLER_CHECK(probe_read((void *)bottom, &byte, 1, NULL));
}

TEST(cpus, stacks_have_guards)
{
    for (unsigned cpu = 1; cpu < cpus_online(); cpu++) {
        cpu_call(cpu, check_stack, (void *)"idle");
        cpu_nmi(cpu, check_stack, (void *)"NMI");
    }
    CHECK(handlers_passed());
}

// ------------------------------------------------------------- What is gone

static void check_gone(void *unused)
{
    (void)unused;
    uint64_t word;
    struct fault fault;
    for (char *at = __init_start; at < __init_end; at += PAGE_SIZE) {
        HANDLER_CHECK(!probe_read(at, &word, sizeof(word), &fault));
        HANDLER_CHECK(fault.kind == FAULT_NOT_PRESENT);
        HANDLER_CHECK(fault.address == (uintptr_t)at);
    }
    for (uintptr_t at = 0; at < MIB(1); at += PAGE_SIZE) {
        HANDLER_CHECK(!probe_read((void *)at, &word, sizeof(word), &fault));
        HANDLER_CHECK(fault.kind == FAULT_NOT_PRESENT);
    }
    // Written while booting, by each CPU, and constant now.
    for (char *at = __ro_after_init_start; at < __ro_after_init_end;
         at += PAGE_SIZE) {
        HANDLER_CHECK(probe_read(at, &word, sizeof(word), NULL));
        HANDLER_CHECK(!probe_write(at, &word, sizeof(word), &fault));
        HANDLER_CHECK(fault.kind == FAULT_WRITE_PROTECT);
    }
}

TEST(cpus, boot_is_over_on_each)
{
    for (unsigned cpu = 0; cpu < cpus_online(); cpu++) {
        cpu_call(cpu, check_gone, NULL);
    }
    CHECK(handlers_passed());
    // The trampoline's page is an ordinary page of the direct map again.
    unsigned pages = 0;
    for (uintptr_t at = 0; at < KIB(640); at += PAGE_SIZE) {
        uint64_t size, leaf = pt_leaf(DIRECT_MAP_BASE + at, &size);
        if (leaf & PTE_P) {
            pages++;
            CHECK_EQ(leaf & (PTE_RW | PTE_XD | PTE_KEY_MASK),
                     engine->direct_leaf[DIRECT_FREE] &
                         (PTE_RW | PTE_XD | PTE_KEY_MASK));
        }
    }
    CHECK_EQ(pages > 0, engine_has_direct_map());
}

// -------------------------------------------------------------------- Brackets

TEST(cpus, handlers_bracket_on_each)
{
    NEEDS_ACCOUNT();
    struct page *page = alloc_page(domain_ram);
    CHECK(page != NULL);
    handler_uses();
    struct map_stats before, after;
    map_stats_read(&before);
    for (unsigned cpu = 0; cpu < cpus_online(); cpu++) {
        for (unsigned i = 0; i < ARRAY_SIZE(senders); i++) {
            senders[i](cpu, handler_uses_frame, page);
        }
    }
    map_stats_read(&after);
    CHECK(handlers_passed());
    CHECK_EQ(handler_uses(), 2 * cpus_online());
    CHECK_EQ(after.brackets - before.brackets, 2 * cpus_online());
    CHECK_EQ(after.nested, before.nested);
    CHECK_EQ(after.faults, before.faults);
    free_page(page);
}

// A frame that somebody else has open.
struct others {
    struct page *page;
    volatile unsigned *address;
};

static void check_others(void *arg)
{
    const struct others *others = arg;
    unsigned word = 0;
    struct fault fault;
    void *at = (void *)others->address;
    bool reached = probe_read(at, &word, sizeof(word), &fault);
    if (test_engine()->others_stay_out) {
        HANDLER_CHECK(!reached && fault.cpu == cpu_id());
        HANDLER_CHECK(is_refusal(&fault, ACCESS_READ, at, others->page));
    } else {
        HANDLER_CHECK(reached && word == 77);
    }
    const volatile unsigned *own = kmap_local_page_ro(others->page);
    HANDLER_CHECK(*own == 77);
    HANDLER_CHECK(rights_are(pks_rights()));
    kunmap_local((const void *)own);
    HANDLER_CHECK(rights_are(PKRS_CLOSED));
}

TEST(cpus, rights_are_of_one_cpu)
{
    struct others others = {.page = alloc_page(domain_ram)};
    CHECK(others.page != NULL);
    struct map_stats before, after;
    map_stats_read(&before);
    others.address = kmap_local_page(others.page);
    *others.address = 77;
    for (unsigned cpu = 0; cpu < cpus_online(); cpu++) {
        for (unsigned i = 0; i < ARRAY_SIZE(senders); i++) {
            senders[i](cpu, check_others, &others);
            CHECK_EQ(*others.address, 77);
        }
    }
    kunmap_local((const void *)others.address);
    map_stats_read(&after);
    CHECK(handlers_passed());
    CHECK_EQ(after.faults - before.faults,
             test_engine()->others_stay_out ? 2 * cpus_online() : 0);
    free_page(others.page);
}

static struct page *scattered[3];
static const volatile void *window_of[CPUS_MAX];

static void check_window(void *unused)
{
    (void)unused;
    struct page *pages[] = {scattered[2], scattered[0], scattered[1]};
    volatile unsigned *at = kmap_local_pages(pages, 3);
    window_of[cpu_id()] = at;
    for (unsigned i = 0; i < 3; i++) {
        at[i * PAGE_SIZE / sizeof(*at)] = 100 * cpu_id() + i;
    }
    const volatile unsigned *middle = kmap_local_page_ro(scattered[0]);
    HANDLER_CHECK(*middle == 100 * cpu_id() + 1);
    kunmap_local((const void *)middle);
    kunmap_local((const void *)at);
    unsigned word;
    HANDLER_CHECK(!probe_read((void *)at, &word, sizeof(word), NULL));
}

TEST(cpus, each_has_a_window)
{
    for (unsigned i = 0; i < 3; i++) {
        scattered[i] = alloc_page(domain_ram);
        CHECK(scattered[i] != NULL);
    }
    for (unsigned cpu = 0; cpu < cpus_online(); cpu++) {
        for (unsigned i = 0; i < ARRAY_SIZE(senders); i++) {
            senders[i](cpu, check_window, NULL);
        }
        for (unsigned other = 0; other < cpu; other++) {
            // Or at the same address, in tables of the CPU's own.
            CHECK_EQ(window_of[cpu] != window_of[other], engine->root == NULL);
        }
    }
    CHECK(handlers_passed());
    for (unsigned i = 0; i < 3; i++) {
        free_page(scattered[i]);
    }
}

// ----------------------------------------------------------- In all directions

static uint64_t taken; // by anybody

static void take(void *unused)
{
    (void)unused;
    __atomic_add_fetch(&taken, 1, __ATOMIC_RELAXED);
}

static unsigned rounds(void)
{
    return MAX(CALLS / (cpus_online() * cpus_online()), 1u);
}

static void call_everybody(void *sender)
{
    for (unsigned round = 0; round < rounds(); round++) {
        for (unsigned cpu = 0; cpu < cpus_online(); cpu++) {
            (*(void (*const *)(unsigned, void (*)(void *), void *))sender)(
                cpu, take, NULL);
        }
    }
}

SCRATCH_ARRAY(struct remote_call, calls, CPUS_MAX, 0);

// All CPUs at once, each in a handler but this one.
static void all_directions(unsigned sender, bool interrupts)
{
    taken = 0;
    for (unsigned cpu = 1; cpu < cpus_online(); cpu++) {
        calls[cpu].fn = call_everybody;
        calls[cpu].arg = (void *)&senders[sender];
        remote_call_post(cpu, &calls[cpu]);
    }
    if (!interrupts) {
        cpu_cli();
    }
    call_everybody((void *)&senders[sender]);
    cpu_sti();
    for (unsigned cpu = 1; cpu < cpus_online(); cpu++) {
        while (!remote_is_done(&calls[cpu])) {
            cpu_pause();
        }
    }
    CHECK_EQ(taken, (uint64_t)rounds() * cpus_online() * cpus_online());
}

TEST(cpus, calls_in_all_directions)
{
    all_directions(0, true);
    all_directions(0, false);
}

TEST(cpus, nmis_in_all_directions)
{
    all_directions(1, true);
    all_directions(1, false);
}

static void call_back(void *unused)
{
    (void)unused;
    cpu_call(0, take, NULL);
    cpu_nmi(0, take, NULL);
}

TEST(cpus, call_back_with_interrupts_off)
{
    taken = 0;
    cpu_cli();
    for (unsigned cpu = 0; cpu < cpus_online(); cpu++) {
        cpu_call(cpu, call_back, NULL);
    }
    bool off = !(cpu_read_flags() & RFLAGS_IF);
    cpu_sti();
    CHECK(off);
    CHECK_EQ(taken, 2 * cpus_online());
}
