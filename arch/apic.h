// SPDX-License-Identifier: MIT
//
// The local APIC of this CPU (SDM 3A chapter 11), in one of two modes: xAPIC,
// with registers in memory and IDs of 8 bits, or x2APIC, with MSRs and IDs of
// 32 bits. The mode is chosen at boot, is the same on all CPUs, and is nobody's
// business but the boot's.
#pragma once

#include "lib/types.h"

#define APIC_REGISTERS_SIZE 4096

enum apic_mode {
    APIC_AUTO, // as the firmware left it
    APIC_XAPIC,
    APIC_X2APIC,
};

// The largest ID that xAPIC mode can name.
#define XAPIC_ID_MAX 254

// Bring the APIC to the mode and say where its registers are: physical address
// in *base, 0 in x2APIC mode. NULL, or what is wrong. Boot; the CPU has an
// APIC.
const char *apic_find(enum apic_mode wanted, uint64_t *base);

// Take the APIC over: registers at `base`, mapped uncached, or NULL in x2APIC
// mode; no local interrupt source enabled but LINT1, which is left as the
// firmware set it (NMI); what the firmware left in service is ended. Boot CPU.
void apic_init(volatile void *base, uint8_t spurious_vector);

// The same for another CPU, in the boot CPU's mode. Boot, there.
void apic_init_cpu(uint8_t spurious_vector);

// This CPU's APIC ID, and the largest that can be sent to. Any context.
uint32_t apic_id(void);
uint32_t apic_id_max(void);

// Where the registers are mapped; NULL in x2APIC mode. For the line below.
extern volatile char *apic_registers;

// Write a register in x2APIC mode: MSR 0x800 + number and no other
// (arch/apic_write.asm).
void apic_write_msr(uint32_t number, uint64_t value);
#define APIC_MSR(reg) ((reg) >> 4)

#define APIC_EOI 0xb0

// End of the interrupt in service with the highest priority. Handlers.
static inline void apic_eoi(void)
{
    volatile char *registers = apic_registers;
    if (likely(registers != NULL)) {
        *(volatile uint32_t *)(registers + APIC_EOI) = 0;
    } else {
        apic_write_msr(APIC_MSR(APIC_EOI), 0); // anything else raises #GP
    }
}

// Send an interrupt, or an NMI, to the CPU with this APIC ID, which may be this
// one. Returns when it is sent, not when it has arrived. What was stored before
// is seen there. Any context.
void apic_send(uint32_t id, unsigned vector);
void apic_send_nmi(uint32_t id);

// The two steps to start a CPU: reset it, and let it begin in real mode at the
// physical address page << 12 (SDM 3A 8.4.4). Boot.
void apic_send_init(uint32_t id);
void apic_send_startup(uint32_t id, uint8_t page);

// Count down from `count` to 0 and send `vector` to this CPU, once; and stop
// that. A count that was under way is forgotten. Any context.
void apic_timer_start(uint8_t vector, uint32_t count);
void apic_timer_stop(void);

// Count down from the largest count and send nothing; and how far it has come,
// as counts since then. For calibration.
void apic_timer_race(void);
uint32_t apic_timer_elapsed(void);
