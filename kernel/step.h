// SPDX-License-Identifier: MIT
//
// Single-stepping a function: step_through() of the contract.
#pragma once

#include "arch/trap.h"
#include "lib/types.h"

// Called by the trap handler for #DB. False: it belongs to no step_through().
bool step_handle(struct trap_frame *trap);
