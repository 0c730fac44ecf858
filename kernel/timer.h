// SPDX-License-Identifier: MIT
//
// The one periodic interrupt of this CPU. There is no tick unless somebody asks
// for it.
#pragma once

#include "lib/types.h"

// Call fn every period_us microseconds, in interrupt context, until
// timer_stop(). A running timer is replaced. The first call on a machine
// measures the timer's frequency, for some milliseconds. Thread context. 0, or
// -EINVAL: the period cannot be had; -EIO: the frequency cannot be measured.
int timer_start(uint64_t period_us, void (*fn)(void));

// No call of fn begins after this. Thread context.
void timer_stop(void);

// Called by the interrupt handler.
void timer_handle(void);
