// SPDX-License-Identifier: MIT
//
// Registers of the local APIC (SDM 3A 11.4.1, table 11-1). Each is 32 bits wide
// and is read and written as a whole.
#include "arch/apic.h"

#include "arch/cpu.h"
#include "lib/panic.h"

// IA32_APIC_BASE (SDM 3A 11.4.3 and 11.12.1).
#define BASE_X2APIC BIT(10)
#define BASE_ENABLE BIT(11)
#define BASE_ADDRESS BITS(51, 12)

// Some CPUs can be locked in x2APIC mode (SDM 4, IA32_ARCH_CAPABILITIES).
#define MSR_ARCH_CAPABILITIES 0x10a
#define ARCH_HAS_XAPIC_STATUS BIT(21)
#define MSR_XAPIC_DISABLE_STATUS 0xbd
#define XAPIC_LOCKED BIT(0)

enum apic_register {
    APIC_ID = 0x20,
    APIC_VERSION = 0x30,
    APIC_TPR = 0x80,
    APIC_EOI = 0xb0,
    APIC_SPURIOUS = 0xf0,
    APIC_IN_SERVICE = 0x100, // 8 registers, 0x10 apart
    APIC_ICR_LOW = 0x300,
    APIC_ICR_HIGH = 0x310,
    APIC_LVT_TIMER = 0x320,
    APIC_LVT_THERMAL = 0x330,
    APIC_LVT_PERFORMANCE = 0x340,
    APIC_LVT_LINT0 = 0x350,
    APIC_LVT_ERROR = 0x370,
    APIC_TIMER_INITIAL = 0x380,
    APIC_TIMER_CURRENT = 0x390,
    APIC_TIMER_DIVIDE = 0x3e0,
};

#define SPURIOUS_APIC_ENABLE BIT(8)
#define LVT_MASKED BIT(16)
#define ICR_NMI BIT(10)
#define ICR_ASSERT BIT(14)
#define ICR_PENDING BIT(12)
#define ICR_DESTINATION_SHIFT 24
#define DIVIDE_BY_16 3
#define INTERRUPTS_PER_REGISTER 32

// Reads of the ICR until an interrupt must have been accepted.
#define SEND_TRIES 10000000

static __ro_after_init volatile char *registers;

static uint32_t apic_read(unsigned reg)
{
    return *(volatile uint32_t *)(registers + reg);
}

static void apic_write(unsigned reg, uint32_t value)
{
    *(volatile uint32_t *)(registers + reg) = value;
}

// Whether CPUID.(EAX=7,ECX=0):EDX[29] says that there is IA32_ARCH_CAPABILITIES
// and that says that xAPIC mode is locked out.
static __init bool xapic_is_locked(void)
{
    uint32_t max = 0, b, c = 0, d = 0;
    __asm__("cpuid" : "+a"(max), "=b"(b), "+c"(c), "=d"(d));
    if (max < 7) {
        return false;
    }
    uint32_t a = 7;
    c = 0;
    __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return (d & BIT(29)) &&
           (cpu_read_msr(MSR_ARCH_CAPABILITIES) & ARCH_HAS_XAPIC_STATUS) &&
           (cpu_read_msr(MSR_XAPIC_DISABLE_STATUS) & XAPIC_LOCKED);
}

__init const char *apic_find(uint64_t *base)
{
    uint64_t value = cpu_read_msr(MSR_IA32_APIC_BASE);
    if (value & BASE_X2APIC) {
        if (xapic_is_locked()) {
            return "the firmware locked the local APIC in x2APIC mode; turn "
                   "x2APIC off in the firmware's setup";
        }
        // The only way back to xAPIC mode is through disabled (SDM 3A 11.12.5).
        value &= ~(BASE_X2APIC | BASE_ENABLE);
        cpu_write_msr_init(MSR_IA32_APIC_BASE, value);
    }
    if (!(value & BASE_ENABLE)) {
        value |= BASE_ENABLE;
        cpu_write_msr_init(MSR_IA32_APIC_BASE, value);
    }
    if (!(cpu_read_msr(MSR_IA32_APIC_BASE) & BASE_ENABLE)) {
        return "the local APIC is off and cannot be turned on";
    }
    *base = value & BASE_ADDRESS;
    return NULL;
}

// End what a loader's handler did not.
static __init void in_service_drain(void)
{
    for (unsigned i = 0; i < 256 / INTERRUPTS_PER_REGISTER; i++) {
        uint32_t left = apic_read(APIC_IN_SERVICE + i * 0x10);
        for (; left != 0; left &= left - 1) {
            apic_eoi();
        }
    }
}

__init void apic_init(volatile void *base, uint8_t spurious_vector)
{
    registers = base;
    apic_write(APIC_SPURIOUS, SPURIOUS_APIC_ENABLE | spurious_vector);
    unsigned last_lvt = apic_read(APIC_VERSION) >> 16 & 0xff;
    apic_write(APIC_LVT_TIMER, LVT_MASKED);
    apic_write(APIC_TIMER_INITIAL, 0);
    apic_write(APIC_LVT_LINT0, LVT_MASKED);
    apic_write(APIC_LVT_ERROR, LVT_MASKED);
    if (last_lvt >= 4) {
        apic_write(APIC_LVT_PERFORMANCE, LVT_MASKED);
    }
    if (last_lvt >= 5) {
        apic_write(APIC_LVT_THERMAL, LVT_MASKED);
    }
    in_service_drain();
    apic_write(APIC_TPR, 0);
}

uint32_t apic_id(void)
{
    return apic_read(APIC_ID) >> 24;
}

void apic_eoi(void)
{
    apic_write(APIC_EOI, 0);
}

// ----------------------------------------------------------- Interrupts sent

static void send_wait(void)
{
    for (unsigned i = 0; i < SEND_TRIES; i++) {
        if (!(apic_read(APIC_ICR_LOW) & ICR_PENDING)) {
            return;
        }
        cpu_pause();
    }
    panic("the local APIC does not send an interrupt, ICR 0x%x",
          apic_read(APIC_ICR_LOW));
}

// A handler that sends too may run between the two writes, so each sender puts
// back the destination that it found.
static void send(uint32_t id, uint32_t command)
{
    send_wait();
    uint32_t interrupted = apic_read(APIC_ICR_HIGH);
    apic_write(APIC_ICR_HIGH, id << ICR_DESTINATION_SHIFT);
    apic_write(APIC_ICR_LOW, command | ICR_ASSERT);
    send_wait();
    apic_write(APIC_ICR_HIGH, interrupted);
}

void apic_send(uint32_t id, uint8_t vector)
{
    send(id, vector);
}

void apic_send_nmi(uint32_t id)
{
    send(id, ICR_NMI);
}

// --------------------------------------------------------------------- Timer

void apic_timer_start(uint8_t vector, uint32_t count)
{
    apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_16);
    apic_write(APIC_LVT_TIMER, vector);
    apic_write(APIC_TIMER_INITIAL, count);
}

void apic_timer_stop(void)
{
    apic_write(APIC_LVT_TIMER, LVT_MASKED);
    apic_write(APIC_TIMER_INITIAL, 0);
}

void apic_timer_race(void)
{
    apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_16);
    apic_write(APIC_LVT_TIMER, LVT_MASKED);
    apic_write(APIC_TIMER_INITIAL, UINT32_MAX);
}

uint32_t apic_timer_elapsed(void)
{
    return UINT32_MAX - apic_read(APIC_TIMER_CURRENT);
}
