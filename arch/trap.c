// SPDX-License-Identifier: MIT
//
// Descriptor tables, and the boot CPU's exception stacks. The CPU reads GDT,
// IDT and TSS through the same key check as any access, so all of them live in
// the kernel's data, behind key 0.
#include "arch/trap.h"

#include "arch/cpu.h"
#include "arch/percpu.h"

#define TRAP_STUB_SIZE 16
#define GATE_INTERRUPT_PRESENT 0x8e // 64-bit interrupt gate, DPL 0

#define GDT_CODE 0x00af9b000000ffffull // accessed already: never written to
#define GDT_DATA 0x00cf93000000ffffull
#define GDT_TSS_AVAILABLE 0x89ull

// SDM 3A 7.7, figure 7-11.
struct tss {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7]; // ist[i] is IST i + 1
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t io_map_base;
} __packed;

_Static_assert(sizeof(struct tss) == 104, "SDM 3A 7.7");

// SDM 3A 6.14.1.
struct gate {
    uint16_t offset_low;
    uint16_t selector;
    uint8_t ist;
    uint8_t type;
    uint16_t offset_middle;
    uint32_t offset_high;
    uint32_t reserved;
};

struct table_pointer {
    uint16_t limit;
    uint64_t base;
} __packed;

enum ist { IST_NONE, IST_DOUBLE_FAULT, IST_NMI, IST_MACHINE_CHECK };

extern const char trap_stubs[];
extern void (*trap_entry)(void);
extern char stack_boot_bottom[], stack_boot_top[];
extern char stack_idle_bottom[];
extern char stack_double_fault_bottom[], stack_double_fault_top[];
extern char stack_nmi_bottom[], stack_nmi_top[];
extern char stack_machine_check_bottom[], stack_machine_check_top[];

// By the number of the CPU.
static __ro_after_init struct cpu_tables {
    struct tss tss;
    uint64_t gdt[5];
} tables[CPUS_MAX];

static __ro_after_init struct gate idt[256];

static const struct stack {
    const char *name;
    char *bottom, *top;
} stacks[] = {
    {"boot", stack_boot_bottom, stack_boot_top},
    {"idle", stack_idle_bottom, stack_idle_top},
    {"double fault", stack_double_fault_bottom, stack_double_fault_top},
    {"NMI", stack_nmi_bottom, stack_nmi_top},
    {"machine check", stack_machine_check_bottom, stack_machine_check_top},
};

static __init void gdt_init(struct cpu_tables *own,
                            const struct trap_stacks *tops)
{
    struct tss *tss = &own->tss;
    uint64_t *gdt = own->gdt, base = (uintptr_t)tss;
    tss->ist[IST_DOUBLE_FAULT - 1] = (uintptr_t)tops->double_fault;
    tss->ist[IST_NMI - 1] = (uintptr_t)tops->nmi;
    tss->ist[IST_MACHINE_CHECK - 1] = (uintptr_t)tops->machine_check;
    tss->io_map_base = sizeof(*tss);

    gdt[SELECTOR_CODE / 8] = GDT_CODE;
    gdt[SELECTOR_DATA / 8] = GDT_DATA;
    gdt[SELECTOR_TSS / 8] = (sizeof(*tss) - 1) | (base & 0xffffff) << 16 |
                            GDT_TSS_AVAILABLE << 40 | (base >> 24 & 0xff) << 56;
    gdt[SELECTOR_TSS / 8 + 1] = base >> 32;

    struct table_pointer pointer = {sizeof(own->gdt) - 1, (uintptr_t)gdt};
    __asm__ volatile("lgdt %0\n\t"
                     "pushq %1\n\t"
                     "leaq 1f(%%rip), %%rax\n\t"
                     "pushq %%rax\n\t"
                     "lretq\n"
                     "1:\n\t"
                     "movl %2, %%eax\n\t"
                     "movl %%eax, %%ss\n\t"
                     "movl %%eax, %%ds\n\t"
                     "movl %%eax, %%es\n\t"
                     "ltr %w3"
                     :
                     : "m"(pointer), "i"(SELECTOR_CODE), "i"(SELECTOR_DATA),
                       "r"(SELECTOR_TSS)
                     : "rax", "memory");
}

static __init void idt_set(unsigned vector, enum ist ist)
{
    uintptr_t stub = (uintptr_t)trap_stubs + vector * TRAP_STUB_SIZE;
    idt[vector] = (struct gate){
        .offset_low = stub & 0xffff,
        .selector = SELECTOR_CODE,
        .ist = ist,
        .type = GATE_INTERRUPT_PRESENT,
        .offset_middle = stub >> 16 & 0xffff,
        .offset_high = stub >> 32,
    };
}

const struct trap_frame *trap_of_nmi(void)
{
    const struct tss *tss = &tables[percpu.cpu].tss;
    return (const struct trap_frame *)tss->ist[IST_NMI - 1] - 1;
}

static __init void idt_load(void)
{
    struct table_pointer pointer = {sizeof(idt) - 1, (uintptr_t)idt};
    __asm__ volatile("lidt %0" : : "m"(pointer));
}

__init void trap_init_cpu(unsigned cpu, const struct trap_stacks *tops)
{
    gdt_init(&tables[cpu], tops);
    idt_load();
}

__init void trap_init(void)
{
    gdt_init(&tables[0],
             &(struct trap_stacks){stack_double_fault_top, stack_nmi_top,
                                   stack_machine_check_top});
    for (unsigned vector = 0; vector < ARRAY_SIZE(idt); vector++) {
        idt_set(vector, IST_NONE);
    }
    idt_set(TRAP_DF, IST_DOUBLE_FAULT);
    idt_set(TRAP_NMI, IST_NMI);
    idt_set(TRAP_MC, IST_MACHINE_CHECK);
    idt_load();
}

__init void trap_use(void (*entry)(void))
{
    trap_entry = entry;
}

bool stack_find(uintptr_t address, uintptr_t *bottom, uintptr_t *top)
{
    for (unsigned i = 0; i < ARRAY_SIZE(stacks); i++) {
        if (address >= (uintptr_t)stacks[i].bottom &&
            address < (uintptr_t)stacks[i].top) {
            *bottom = (uintptr_t)stacks[i].bottom;
            *top = (uintptr_t)stacks[i].top;
            return true;
        }
    }
    return stack_made_find(address, bottom, top);
}

// The stack of the image in whose lower guard an address lies, or NULL.
static const char *image_guard_name(uintptr_t address)
{
    for (unsigned i = 0; i < ARRAY_SIZE(stacks); i++) {
        uintptr_t bottom = (uintptr_t)stacks[i].bottom;
        if (address < bottom && bottom - address <= STACK_GUARD_SIZE) {
            return stacks[i].name;
        }
    }
    return NULL;
}

const char *stack_guard_name(uintptr_t address)
{
    const char *name = image_guard_name(address);
    return name != NULL ? name : stack_made_guard_name(address);
}

bool stack_is_guard(uintptr_t address)
{
    const struct stack *last = &stacks[ARRAY_SIZE(stacks) - 1];
    return image_guard_name(address) != NULL ||
           (address >= (uintptr_t)last->top &&
            address - (uintptr_t)last->top < STACK_GUARD_SIZE);
}

const struct extable_entry *extable_find(uintptr_t ip)
{
    extern const struct extable_entry __extable_start[], __extable_end[];
    for (const struct extable_entry *e = __extable_start; e < __extable_end;
         e++) {
        if (e->instruction == ip) {
            return e;
        }
    }
    return NULL;
}
