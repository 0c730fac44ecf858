// SPDX-License-Identifier: MIT
//
// Sets up the local APIC and hands interrupts to those who asked for them.
#include "kernel/interrupt.h"

#include "arch/apic.h"
#include "arch/cpu.h"
#include "arch/cpuid.h"
#include "arch/pic.h"
#include "arch/pte.h"
#include "kernel/config.h"
#include "kernel/cpus.h"
#include "kernel/remote.h"
#include "kernel/sched.h"
#include "kernel/timer.h"
#include "lib/log.h"
#include "lib/panic.h"
#include "mm/layout.h"
#include "mm/pagetable.h"

#define APIC_REGISTERS DEVICE_REGION_BASE
#define DEVICE_FLAGS                                                           \
    (PTE_P | PTE_RW | PTE_A | PTE_D | PTE_PCD | PTE_PWT | PTE_XD)

// CPUs whose IDs are too long for xAPIC mode ask for the other one.
static __init enum apic_mode apic_mode_choose(void)
{
    bool needed = cpus_apic_id_max() > XAPIC_ID_MAX;
    return config.apic == APIC_AUTO && needed && cpu_has(CPU_FEATURE_X2APIC)
               ? APIC_X2APIC
               : config.apic;
}

// The registers of the local APIC, mapped; NULL: it has MSRs instead.
static __init volatile void *apic_map(void)
{
    uint64_t base;
    const char *wrong = apic_find(apic_mode_choose(), &base);
    if (wrong != NULL) {
        refuse("%s", wrong);
    }
    if (base == 0) {
        return NULL;
    }
    if (pt_map(APIC_REGISTERS, base, APIC_REGISTERS_SIZE, DEVICE_FLAGS, 1) !=
        0) {
        panic("no page table for the registers of the local APIC");
    }
    return (volatile void *)APIC_REGISTERS;
}

__init void interrupt_init(void)
{
    if (!cpu_has(CPU_FEATURE_APIC)) {
        refuse("this CPU has no %s (local interrupt controller); with QEMU use "
               "-cpu max or add +%s",
               cpu_feature_name(CPU_FEATURE_APIC),
               cpu_feature_qemu(CPU_FEATURE_APIC));
    }
    pic_disable(VECTOR_PIC);
    apic_init(apic_map(), VECTOR_SPURIOUS);
    percpu.apic_id = apic_id();
}

__init void interrupt_init_cpu(void)
{
    apic_init_cpu(VECTOR_SPURIOUS);
    percpu.apic_id = apic_id();
}

void interrupts_enable(void)
{
    cpu_sti();
}

void interrupt_handle(unsigned vector)
{
    if (vector == VECTOR_SPURIOUS) {
        return; // never in service (SDM 3A 11.9)
    }
    apic_eoi();
    switch (vector) {
    case VECTOR_CALL:
        percpu_count(ipis);
        remote_call_handle();
        break;
    case VECTOR_FLUSH:
        percpu_count(ipis);
        tlb_serve();
        break;
    case VECTOR_SCHED:
        percpu_count(ipis);
        sched_kicked();
        break;
    case VECTOR_TIMER:
        percpu_count(interrupts);
        timer_handle();
        break;
    default:
        percpu_count(interrupts);
        log_line(LOG_WARN, "interrupt %u that nobody asked for", vector);
        break;
    }
}
