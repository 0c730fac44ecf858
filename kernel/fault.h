// SPDX-License-Identifier: MIT
//
// From a trap to a struct fault, and from that to words.
#pragma once

#include "arch/trap.h"
#include "keyhole.h"

// What the CPU refused, with the key and the frame looked up. Any context.
void fault_describe(const struct trap_frame *trap, struct fault *fault);

// Print the fault report. Any context.
void fault_report(const struct trap_frame *trap, const struct fault *fault);

// How many there were.
extern unsigned fault_reports;

// Whether it ends in a line of JSON (docs/reference/fault-report.md); yes,
// unless a person sits at the console.
void fault_report_for_programs(bool yes);

// "read", "write", "execute".
const char *fault_access_name(enum fault_access access);

// "FAULT_PKEY", ...
const char *fault_kind_name(enum fault_kind kind);

// "#PF", "#GP", ... of an exception vector.
const char *trap_name(uint64_t vector);
