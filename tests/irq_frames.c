// SPDX-License-Identifier: MIT
//
// Frames for the tests of interrupts.
#include "tests/irq_frames.h"

struct page *irq_threads, *irq_handlers;
const void *irq_threads_address;

void (*const irq_senders[IRQ_SENDERS])(unsigned cpu, void (*fn)(void *),
                                       void *arg) = {cpu_call, cpu_nmi};

bool irq_frames_get(void)
{
    irq_threads = alloc_page(domain_ram);
    irq_handlers = alloc_page(domain_ram);
    return irq_threads != NULL && irq_handlers != NULL;
}

void irq_frames_put(void)
{
    free_page(irq_threads);
    free_page(irq_handlers);
}
