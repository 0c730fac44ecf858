// SPDX-License-Identifier: MIT
//
// Letting a refused access through: what refuses it is opened, the instruction
// is done with interrupts off and RFLAGS.TF set, and #DB closes again (SDM 3B
// 17.3.1.4). So the right lasts for one instruction, and no other code of this
// CPU has it. A leaf is in tables that other CPUs use too; what they do in that
// moment is not seen.
#pragma once

#include "arch/trap.h"
#include "keyhole.h"
#include "lib/types.h"

// Whether that can be done: there is a leaf, or a leaf that a watch has closed,
// and the instruction can be stepped, which it cannot in the handler of an NMI.
// In the handler of the fault.
bool pass_can(const struct fault *fault);

// Do it, on return from this trap. pass_can() was asked. With `whatever` the
// access gets what it needs; without, what a watch took from the leaf and no
// more. An instruction may come here several times, with several pages. False:
// that does not allow it, or it has too many pages; nothing changed.
bool pass_begin(struct trap_frame *trap, const struct fault *fault,
                bool whatever);

// Of #DB: true if it ended an instruction that was let through, and nobody else
// wants to know of it.
bool pass_end(struct trap_frame *trap);

// Code of this trap level and above is abandoned: close what is open for it.
void pass_abandon(uint32_t level);
