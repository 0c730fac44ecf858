// SPDX-License-Identifier: MIT
//
// The ways to end a run.
#pragma once

#include "lib/types.h"

struct acpi_power; // arch/acpi.h

// What is written to QEMU's isa-debug-exit device (port 0xf4); QEMU's own exit
// status is (value << 1) | 1.
enum exit_status {
    EXIT_PASSED = 0x10,
    EXIT_FAILED = 0x11,
    EXIT_PANIC = 0x12,
};

// Remember what ACPI says about power-off and reset. Boot.
void power_init(const struct acpi_power *power);

// End the run: the debug-exit device, else ACPI power-off, else halt. Any
// context.
__noreturn void power_exit(enum exit_status status);

// Reset the machine: ACPI's reset register, the keyboard controller, at last a
// triple fault. Any context.
__noreturn void power_reset(void);
