// SPDX-License-Identifier: MIT
//
// Time, and the one timer of this CPU. Events are set for a time and happen
// once; the local APIC is set for the earliest. There is no tick: with nothing
// to wait for there is no interrupt.
#pragma once

#include "lib/types.h"

// Who waits for a time on this CPU.
enum timer_event {
    TIMER_SLICE, // the running thread has had its turn
    TIMER_SLEEP, // the first sleeper's time has come
    TIMER_USER,  // timer_start()
    TIMER_WATCHDOG,
    TIMER_EVENTS,
};

// Now, in ticks of the time-stamp counter, and that many of them in some time.
// The first call of the second measures how fast they are, for some
// milliseconds; then 0: there is no clock to measure by, and no timer either.
uint64_t clock_now(void);
uint64_t clock_ticks(uint64_t us);

// Call the event's handler, in interrupt context, at a time or soon after it
// (0: never). Interrupts off. clock_ticks() gave a number.
void timer_set(enum timer_event event, uint64_t at);

// Who is called. Boot.
void timer_handler_set(enum timer_event event, void (*fn)(void));

// Call fn every period_us microseconds, in interrupt context, until
// timer_stop(). A running timer is replaced. Thread context. 0, or -EINVAL: the
// period cannot be had; -EIO: the frequency cannot be measured.
int timer_start(uint64_t period_us, void (*fn)(void));

// No call of fn begins after this. Thread context.
void timer_stop(void);

// Called by the interrupt handler.
void timer_handle(void);
