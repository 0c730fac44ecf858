// SPDX-License-Identifier: MIT
//
// The local APIC's timer, in units of time.
#include "kernel/timer.h"

#include "arch/apic.h"
#include "arch/cpu.h"
#include "arch/pit.h"
#include "kernel/interrupt.h"
#include "keyhole.h"

#define MEASUREMENTS 3

static struct {
    uint32_t counts_per_ms; // 0: not measured yet
    void (*fn)(void);       // NULL: stopped
} timer;

// The least of some measurements: what disturbs one makes it longer. 0: there
// is no clock to measure by.
static uint32_t counts_per_ms_measure(void)
{
    uint32_t least = UINT32_MAX;
    for (unsigned i = 0; i < MEASUREMENTS; i++) {
        apic_timer_race();
        bool counted = pit_wait_1ms();
        uint32_t counts = apic_timer_elapsed();
        apic_timer_stop();
        if (!counted) {
            return 0;
        }
        least = MIN(least, counts);
    }
    return least;
}

int timer_start(uint64_t period_us, void (*fn)(void))
{
    timer_stop();
    if (timer.counts_per_ms == 0) {
        timer.counts_per_ms = counts_per_ms_measure();
    }
    if (timer.counts_per_ms == 0) {
        printf("keyhole: no timer: the 8254 does not count, so the local "
               "APIC's frequency is not known\n");
        return -EIO;
    }
    if (period_us > UINT32_MAX) {
        return -EINVAL;
    }
    uint64_t count = period_us * timer.counts_per_ms / 1000;
    if (count == 0 || count > UINT32_MAX) {
        return -EINVAL;
    }
    timer.fn = fn;
    cpu_compiler_barrier();
    apic_timer_start(VECTOR_TIMER, (uint32_t)count);
    return 0;
}

void timer_stop(void)
{
    apic_timer_stop();
    cpu_compiler_barrier();
    timer.fn = NULL;
}

// One that was on its way when the timer stopped finds no function.
void timer_handle(void)
{
    void (*fn)(void) = timer.fn;
    if (fn != NULL) {
        fn();
    }
}
