// SPDX-License-Identifier: MIT
//
// The local APIC's timer in one-shot mode, shared by a few events. Its
// frequency and the time-stamp counter's are measured together, by the 8254.
#include "kernel/timer.h"

#include "arch/apic.h"
#include "arch/cpu.h"
#include "arch/pit.h"
#include "arch/spinlock.h"
#include "kernel/interrupt.h"
#include "keyhole.h"
#include "lib/log.h"

#define MEASUREMENTS 3

// The shortest period that timer_start() gives: a handler must get away in
// time.
#define PERIOD_MIN_US 1

static struct {
    uint64_t tsc_per_ms; // 0: not measured yet
    uint32_t apic_per_ms;
} rate;

_Static_assert(TIMER_EVENTS == PERCPU_TIMERS, "arch/percpu.h");

// Who is called for an event, on whichever CPU.
static void (*handlers[TIMER_EVENTS])(void);

static struct spinlock rate_lock = SPINLOCK("clock rate");
static unsigned user_cpu; // whose TIMER_USER timer_start() has set

// The least of some measurements: what disturbs one makes it longer.
static void rate_measure(void)
{
    uint64_t tsc = UINT64_MAX;
    uint32_t apic = UINT32_MAX;
    for (unsigned i = 0; i < MEASUREMENTS; i++) {
        apic_timer_race();
        uint64_t start = cpu_read_tsc();
        bool counted = pit_wait_1ms();
        uint64_t ticks = cpu_read_tsc() - start;
        uint32_t counts = apic_timer_elapsed();
        apic_timer_stop();
        if (!counted || ticks == 0 || counts == 0) {
            return;
        }
        tsc = MIN(tsc, ticks);
        apic = MIN(apic, counts);
    }
    rate.apic_per_ms = apic;
    rate.tsc_per_ms = tsc;
}

uint64_t clock_now(void)
{
    return cpu_read_tsc();
}

uint64_t clock_ticks(uint64_t us)
{
    if (unlikely(rate.tsc_per_ms == 0)) {
        uint64_t lock = spin_lock(&rate_lock);
        if (rate.tsc_per_ms == 0) {
            rate_measure();
        }
        spin_unlock(&rate_lock, lock);
    }
    uint64_t ms = us / 1000;
    return ms * rate.tsc_per_ms + us % 1000 * rate.tsc_per_ms / 1000;
}

// Set the APIC for the earliest event.
static void timer_program(void)
{
    const struct timer_slot *events = percpu.self->timer;
    uint64_t first = 0;
    for (unsigned i = 0; i < TIMER_EVENTS; i++) {
        if (events[i].at != 0 && (first == 0 || events[i].at < first)) {
            first = events[i].at;
        }
    }
    if (first == 0) {
        apic_timer_stop();
        return;
    }
    uint64_t now = clock_now();
    uint64_t wait = first > now ? first - now : 0;
    // Far away: look again after a minute, or when the APIC has counted down.
    wait = MIN(wait, 60000 * rate.tsc_per_ms);
    uint64_t count = wait * rate.apic_per_ms / rate.tsc_per_ms;
    apic_timer_start(VECTOR_TIMER, (uint32_t)MIN(count + 1, UINT32_MAX));
}

void timer_set(enum timer_event event, uint64_t at)
{
    percpu.self->timer[event].at = at;
    timer_program();
}

__init void timer_handler_set(enum timer_event event, void (*fn)(void))
{
    handlers[event] = fn;
}

// The APIC is set for the next before anybody is called, since a handler may be
// abandoned.
void timer_handle(void)
{
    struct timer_slot *events = percpu.self->timer;
    uint64_t now = clock_now();
    bool due[TIMER_EVENTS];
    for (unsigned i = 0; i < TIMER_EVENTS; i++) {
        due[i] = events[i].at != 0 && events[i].at <= now;
        if (due[i]) {
            events[i].at = events[i].period != 0 ? now + events[i].period : 0;
        }
    }
    timer_program();
    for (unsigned i = 0; i < TIMER_EVENTS; i++) {
        if (due[i]) {
            handlers[i]();
        }
    }
}

// ------------------------------------------------------------ Periods for all

int timer_start(uint64_t period_us, void (*fn)(void))
{
    timer_stop();
    if (clock_ticks(1000) == 0) {
        log_line(LOG_WARN, "no timer: the 8254 does not count, so the local "
                           "APIC's frequency is not known");
        return -EIO;
    }
    if (period_us < PERIOD_MIN_US || period_us > UINT32_MAX) {
        return -EINVAL;
    }
    uint64_t flags = cpu_interrupts_off();
    struct timer_slot *slot = &percpu.self->timer[TIMER_USER];
    user_cpu = percpu.cpu;
    handlers[TIMER_USER] = fn;
    slot->period = clock_ticks(period_us);
    timer_set(TIMER_USER, clock_now() + slot->period);
    cpu_interrupts_restore(flags);
    return 0;
}

static void stop_here(void *unused)
{
    (void)unused;
    if (percpu.self->timer[TIMER_USER].at != 0) {
        timer_set(TIMER_USER, 0);
    }
}

void timer_stop(void)
{
    uint64_t flags = cpu_interrupts_off();
    if (user_cpu == percpu.cpu) {
        stop_here(NULL);
    } else {
        cpu_call(user_cpu, stop_here, NULL);
    }
    cpu_interrupts_restore(flags);
}
