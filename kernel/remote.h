// SPDX-License-Identifier: MIT
//
// Functions that run on a CPU because somebody sent it an interrupt or an NMI:
// cpu_call() and cpu_nmi() of the contract, and their halves.
#pragma once

#include "keyhole.h"
#include "lib/types.h"

// One request. It belongs to the CPU that runs it from the post until `done`.
struct remote_call {
    void (*fn)(void *arg);
    void *arg;
    struct remote_call *next; // posted before
    bool done;
};

// Ask a CPU that there is to run call->fn as cpu_call() or cpu_nmi() would, and
// do not wait. Any context.
void remote_call_post(unsigned cpu, struct remote_call *call);
void remote_nmi_post(unsigned cpu, struct remote_call *call);

// Whether it has run. Any context.
bool remote_is_done(const struct remote_call *call);

// Called by the trap handler: run what was asked for. False: an NMI for which
// nobody asked.
void remote_call_handle(void);
bool remote_nmi_handle(void);

// How many of those came to this CPU. Any context.
uint64_t remote_nmis_stray(void);
