// SPDX-License-Identifier: MIT
//
// The 8254 timer, as a clock of known frequency to measure others by.
#pragma once

#include "lib/types.h"

// Wait for a millisecond (0.015 % less). False: the timer does not count. Not
// in handlers.
bool pit_wait_1ms(void);
