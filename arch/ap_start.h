// SPDX-License-Identifier: MIT
//
// Waking the other CPUs: INIT, SIPI, SIPI, and who has come. What they run
// first is in boot/ap_trampoline.asm. All of this is for boot, on the boot CPU.
#pragma once

#include "arch/asm.h"
#include "lib/types.h"

// One CPU that may come. The layout is known to assembly.
struct ap {
    uint32_t apic_id;
    uint32_t state;  // enum ap_state; both sides change it
    void *stack_top; // what it runs on from ap_main() on
};

enum ap_state {
    AP_STATE_UNUSED,               // do not come, or: given up
    AP_STATE_AWAITED = AP_AWAITED, // nothing heard of it yet
    AP_STATE_ALIVE = AP_ALIVE,     // in ap_main(), waits for its number
    AP_STATE_GO,                   // has its number
    AP_STATE_READY,                // done with init code
};

_Static_assert(sizeof(struct ap) == AP_SIZE, "asm.h");
_Static_assert(offsetof(struct ap, apic_id) == AP_APIC_ID, "asm.h");
_Static_assert(offsetof(struct ap, state) == AP_STATE, "asm.h");
_Static_assert(offsetof(struct ap, stack_top) == AP_STACK, "asm.h");

// Those who may come; ap_start() is told how many.
extern struct ap ap_table[];

// Write what a CPU begins with to a page at physical address `phys`, below 1
// MiB, that can be written at `page`; `root` is the root of the page tables.
void ap_trampoline_write(void *page, uint64_t phys, uint64_t root);

// Wake the first `count` of the table, which are AP_STATE_AWAITED, and wait
// until they are alive. Those who do not come in time are put back to sleep and
// AP_STATE_UNUSED. False: there is no clock to wait by, and nobody was woken.
bool ap_start(unsigned count, uint64_t trampoline_phys);

// How long ap_start() waited after it had called them, by the time-stamp
// counter.
extern uint64_t ap_start_waited_tsc;

// Wait for one to reach a state behind AP_STATE_ALIVE. False: not in time.
bool ap_wait(const struct ap *ap, enum ap_state state);

static inline enum ap_state ap_state_read(const struct ap *ap)
{
    return (enum ap_state)__atomic_load_n(&ap->state, __ATOMIC_ACQUIRE);
}

static inline void ap_state_set(struct ap *ap, enum ap_state state)
{
    __atomic_store_n(&ap->state, state, __ATOMIC_RELEASE);
}

// Supplied by the kernel layer: what a CPU does from here on. GS, IA32_PKRS and
// the descriptor tables are not set up; interrupts are off.
__noreturn void ap_main(unsigned number);
