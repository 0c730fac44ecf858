// SPDX-License-Identifier: MIT
//
// Interrupts: which vector is whose, and the way from a vector to its handler.
// Handlers run with interrupts off and every key closed (arch/trap.h). The
// local APIC is told of the end of an interrupt before its handler runs: a
// handler may be abandoned, and the next interrupt waits for IRETQ all the
// same.
#pragma once

#include "arch/tlb.h"
#include "lib/types.h"

// The upper four bits are the priority.
enum interrupt_vector {
    VECTOR_INTERRUPTS = 0x20, // the first that is not an exception
    VECTOR_PIC = 0x20,        // both 8259s, masked: 16 vectors
    VECTOR_TIMER = 0x30,
    VECTOR_SCHED = 0x40, // look at the queue of threads
    VECTOR_CALL = 0xf0,  // nothing but the next has its priority
    VECTOR_FLUSH = TLB_VECTOR,
    VECTOR_SPURIOUS = 0xff,
};

// Map and set up the boot CPU's local APIC, and mask the 8259s. Boot, before
// image_seal().
void interrupt_init(void);

// Set up the local APIC of another CPU, which runs this. Boot.
void interrupt_init_cpu(void);

// Let interrupts come. None does before somebody asked for it.
void interrupts_enable(void);

// Called by the trap handler.
void interrupt_handle(unsigned vector);
