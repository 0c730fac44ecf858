// SPDX-License-Identifier: MIT
//
// What becomes of a fault that nobody probes: by what the domain's callback
// says, the watch, the domain, or the boot word, in this order.
#pragma once

#include "arch/trap.h"
#include "keyhole.h"

// True: go on with the interrupted code, which tries once more or is let
// through; reported, if that was wanted. False: nobody has dealt with it. In
// the handler of the fault.
bool fault_go_on(struct trap_frame *trap, const struct fault *fault);

// An access to a watched frame that is let through: from inside the watcher's
// own brackets, or a mere read where writing is watched. False: it is not, and
// was counted. In the handler of the fault, where watches_on is not 0.
bool fault_is_let_through(struct trap_frame *trap);
