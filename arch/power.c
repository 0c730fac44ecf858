// SPDX-License-Identifier: MIT
//
// Ending a run, by whatever the machine understands.
#include "arch/power.h"

#include "arch/acpi.h"
#include "arch/cpu.h"
#include "arch/uart.h"

#define DEBUG_EXIT_PORT 0xf4
#define KEYBOARD_COMMAND_PORT 0x64
#define KEYBOARD_PULSE_RESET 0xfe
#define PM1_SLP_EN BIT(13)
#define PM1_SLP_TYP_SHIFT 10

static __ro_after_init struct acpi_power acpi;

__init void power_init(const struct acpi_power *power)
{
    acpi = *power;
}

static void power_off(void)
{
    if (!acpi.can_power_off) {
        return;
    }
    cpu_out16(acpi.pm1a_control,
              (uint16_t)(acpi.sleep_type_a << PM1_SLP_TYP_SHIFT | PM1_SLP_EN));
    if (acpi.pm1b_control != 0) {
        cpu_out16(
            acpi.pm1b_control,
            (uint16_t)(acpi.sleep_type_b << PM1_SLP_TYP_SHIFT | PM1_SLP_EN));
    }
}

__noreturn static void halt(void)
{
    for (;;) {
        cpu_cli();
        cpu_hlt();
    }
}

void power_exit(enum exit_status status)
{
    uart_flush();
    cpu_out8(DEBUG_EXIT_PORT, status);
    power_off();
    halt();
}

void power_reset(void)
{
    uart_flush();
    if (acpi.can_reset && acpi.reset_space == ACPI_SPACE_IO) {
        cpu_out8((uint16_t)acpi.reset_address, acpi.reset_value);
    }
    cpu_out8(KEYBOARD_COMMAND_PORT, KEYBOARD_PULSE_RESET);
    // An empty IDT: the next exception is a triple fault, which resets.
    static const struct {
        uint16_t limit;
        uint64_t base;
    } __packed nothing;
    __asm__ volatile("lidt %0; int3" : : "m"(nothing));
    halt();
}
