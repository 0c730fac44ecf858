// SPDX-License-Identifier: MIT
//
// What the tests of interrupts share.
#pragma once

#include "keyhole.h"

// A frame that a handler finds open in the thread, and one of its own.
extern struct page *irq_threads, *irq_handlers;
extern const void *irq_threads_address;

// False: no memory.
bool irq_frames_get(void);
void irq_frames_put(void);

// The contract's two ways to run a handler on this CPU.
#define IRQ_SENDERS 2
extern void (*const irq_senders[IRQ_SENDERS])(unsigned cpu, void (*fn)(void *),
                                              void *arg);
