// SPDX-License-Identifier: MIT
//
// Registers of the local APIC (SDM 3A 11.4.1, table 11-1, and 11.12.1 for
// x2APIC mode). Each is 32 bits wide and is read and written as a whole; in
// x2APIC mode the two halves of the ICR are one register of 64 bits.
#include "arch/apic.h"

#include "arch/cpu.h"
#include "arch/cpuid.h"
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
#define ICR_NMI (4u << 8)
#define ICR_INIT (5u << 8)
#define ICR_STARTUP (6u << 8)
#define ICR_ASSERT BIT(14)
#define ICR_PENDING BIT(12)
#define ID_SHIFT 24 // in xAPIC mode, of APIC_ID and the destination
#define DIVIDE_BY_16 3
#define INTERRUPTS_PER_REGISTER 32

// Reads of the ICR until an interrupt must have been accepted.
#define SEND_TRIES 10000000

__ro_after_init volatile char *apic_registers;

static inline uint32_t apic_read(unsigned reg)
{
    if (likely(apic_registers != NULL)) {
        return *(volatile uint32_t *)(apic_registers + reg);
    }
    return (uint32_t)cpu_read_msr(MSR_X2APIC + APIC_MSR(reg));
}

static inline void apic_write(unsigned reg, uint32_t value)
{
    if (likely(apic_registers != NULL)) {
        *(volatile uint32_t *)(apic_registers + reg) = value;
    } else {
        apic_write_msr(APIC_MSR(reg), value);
    }
}

// ----------------------------------------------------------------------- Mode

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

// IA32_APIC_BASE of this CPU to what the mode wants. Out of x2APIC mode and out
// of "off" the only way leads through the state between (SDM 3A 11.12.5).
static __init void mode_enter(bool x2apic)
{
    uint64_t value = cpu_read_msr(MSR_IA32_APIC_BASE);
    if ((value & BASE_X2APIC) && !x2apic) {
        value &= ~(BASE_X2APIC | BASE_ENABLE);
        cpu_write_msr_init(MSR_IA32_APIC_BASE, value);
    }
    if (!(value & BASE_ENABLE)) {
        value |= BASE_ENABLE;
        cpu_write_msr_init(MSR_IA32_APIC_BASE, value);
    }
    if (x2apic && !(value & BASE_X2APIC)) {
        cpu_write_msr_init(MSR_IA32_APIC_BASE, value | BASE_X2APIC);
    }
}

__init const char *apic_find(enum apic_mode wanted, uint64_t *base)
{
    bool x2apic = cpu_read_msr(MSR_IA32_APIC_BASE) & BASE_X2APIC;
    if (wanted == APIC_X2APIC && !cpu_has(CPU_FEATURE_X2APIC)) {
        return "apic=x2apic: this CPU has no x2APIC mode; leave the word out "
               "(with "
               "QEMU from 9.0 on, -cpu max has it)";
    }
    if (wanted == APIC_XAPIC && x2apic && xapic_is_locked()) {
        return "apic=xapic: the firmware locked the local APIC in x2APIC mode; "
               "leave the word out";
    }
    if (wanted != APIC_AUTO) {
        x2apic = wanted == APIC_X2APIC;
    }
    mode_enter(x2apic);
    uint64_t value = cpu_read_msr(MSR_IA32_APIC_BASE);
    if (!(value & BASE_ENABLE) || !(value & BASE_X2APIC) != !x2apic) {
        return "the local APIC is off, or in a mode that it cannot be brought "
               "out of";
    }
    *base = x2apic ? 0 : value & BASE_ADDRESS;
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

static __init void take_over(uint8_t spurious_vector)
{
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

__init void apic_init(volatile void *base, uint8_t spurious_vector)
{
    apic_registers = base;
    take_over(spurious_vector);
}

__init void apic_init_cpu(uint8_t spurious_vector)
{
    mode_enter(apic_registers == NULL);
    take_over(spurious_vector);
}

uint32_t apic_id(void)
{
    uint32_t id = apic_read(APIC_ID);
    return apic_registers != NULL ? id >> ID_SHIFT : id;
}

// ----------------------------------------------------------- Interrupts sent

static inline bool send_is_pending(volatile char *registers)
{
    return cpu_test_register(registers + APIC_ICR_LOW, ICR_PENDING);
}

static inline void send_wait(volatile char *registers)
{
    if (likely(!send_is_pending(registers))) {
        return;
    }
    for (unsigned i = 0; send_is_pending(registers); i++) {
        if (i == SEND_TRIES) {
            panic("the local APIC does not send an interrupt, ICR 0x%x",
                  *(volatile uint32_t *)(registers + APIC_ICR_LOW));
        }
        cpu_pause();
    }
}

// A handler that sends too may run between the two writes, so each sender puts
// back the destination that it found. In x2APIC mode there is one write, and
// nothing to wait for; but it does not wait for earlier stores either, and
// whoever gets the interrupt reads what they wrote (SDM 3A 11.12.3).
static inline void send(uint32_t id, uint32_t command)
{
    volatile char *registers = apic_registers;
    if (unlikely(registers == NULL)) {
        cpu_fence();
        apic_write_msr(APIC_MSR(APIC_ICR_LOW),
                       (uint64_t)id << 32 | command | ICR_ASSERT);
        return;
    }
    volatile uint32_t *high = (volatile uint32_t *)(registers + APIC_ICR_HIGH);
    send_wait(registers);
    uint32_t interrupted = *high;
    *high = id << ID_SHIFT;
    *(volatile uint32_t *)(registers + APIC_ICR_LOW) = command | ICR_ASSERT;
    send_wait(registers);
    *high = interrupted;
}

uint32_t apic_id_max(void)
{
    return apic_registers != NULL ? XAPIC_ID_MAX : UINT32_MAX - 1;
}

void apic_send(uint32_t id, unsigned vector)
{
    send(id, vector);
}

void apic_send_nmi(uint32_t id)
{
    send(id, ICR_NMI);
}

__init void apic_send_init(uint32_t id)
{
    send(id, ICR_INIT);
}

__init void apic_send_startup(uint32_t id, uint8_t page)
{
    send(id, ICR_STARTUP | page);
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
