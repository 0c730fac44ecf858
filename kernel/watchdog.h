// SPDX-License-Identifier: MIT
//
// Says so when nothing goes on, and panics: with what each CPU and each thread
// is at, and which locks they hold. Three things count as that, where it is on
// (boot word watchdog=, and while tests run):
//
//   - a CPU takes no interrupt for the time: another CPU sees that. One CPU
//     alone, with interrupts off, nobody sees.
//   - what was announced by watchdog_expect() does not happen in the time.
//   - every CPU idles, and nobody sleeps until a time: a deadlock, or a wake-up
//     that was lost. Seen after a second.
//
// Each CPU has one timer interrupt in half of the time, and none for this in
// between.
#pragma once

#include "lib/types.h"

// What tests have at least: seconds, and as many more for each CPU, since those
// of an emulator may share a few.
#define WATCHDOG_TESTS_S 30
#define WATCHDOG_TESTS_CPU_S 5

// Boot.
void watchdog_init(void);

// Watch from now on. With 0 seconds, or without a clock: not. Thread context.
void watchdog_start(uint64_t seconds);
void watchdog_stop(void);

// This is going to be over, or another announced, or watchdog_progress() called
// within the time. NULL: nothing is expected any more. The name is a constant.
// This CPU's own interrupt is put off. Thread context.
void watchdog_expect(const char *what);
void watchdog_progress(void);

// This CPU is about to halt, since it has nothing to do. The idle thread.
void watchdog_idle(void);
