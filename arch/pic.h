// SPDX-License-Identifier: MIT
//
// The two 8259 interrupt controllers, which are not used.
#pragma once

#include "lib/types.h"

// Mask every line of both. They are moved to the 16 vectors from `vector` on
// (a multiple of 8) first: where the firmware put them, an interrupt that slips
// through looks like an exception. Boot.
void pic_disable(uint8_t vector);
