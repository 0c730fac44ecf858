// SPDX-License-Identifier: MIT
//
// The local APIC of this CPU in xAPIC mode, by its memory-mapped registers (SDM
// 3A chapter 11). x2APIC mode is not used: its registers are MSRs, and after
// boot the kernel writes one MSR only, IA32_PKRS.
#pragma once

#include "lib/types.h"

#define APIC_REGISTERS_SIZE 4096

// Bring the APIC to xAPIC mode and say where its registers are, physical
// address in *base. NULL, or what is wrong. Boot; the CPU has an APIC.
const char *apic_find(uint64_t *base);

// Take the APIC over: registers at `base`, mapped uncached; no local interrupt
// source enabled but LINT1, which is left as the firmware set it (NMI); what
// the firmware left in service is ended. Boot.
void apic_init(volatile void *base, uint8_t spurious_vector);

// This CPU's APIC ID. Any context.
uint32_t apic_id(void);

// End of the interrupt in service with the highest priority. Handlers.
void apic_eoi(void);

// Send an interrupt, or an NMI, to the CPU with this APIC ID, which may be this
// one. Returns when it is sent, not when it has arrived. Any context.
void apic_send(uint32_t id, uint8_t vector);
void apic_send_nmi(uint32_t id);

// Count down from `count` to 0 and send `vector` to this CPU, once; and stop
// that. A count that was under way is forgotten. Any context.
void apic_timer_start(uint8_t vector, uint32_t count);
void apic_timer_stop(void);

// Count down from the largest count and send nothing; and how far it has come,
// as counts since then. For calibration.
void apic_timer_race(void);
uint32_t apic_timer_elapsed(void);
