// SPDX-License-Identifier: MIT
//
// Channel 2 of the 8254, whose output can be read and whose gate can be set
// through port 61H (Intel 231164; ISA system control port B).
#include "arch/pit.h"

#include "arch/cpu.h"

#define PIT_CHANNEL_2 0x42
#define PIT_COMMAND 0x43
#define COMMAND_CHANNEL_2_MODE_0 0xb0 // low byte, high byte; output 1 at 0

#define PORT_B 0x61
#define PORT_B_GATE_2 0x01
#define PORT_B_SPEAKER 0x02
#define PORT_B_OUTPUT_2 0x20

#define COUNT_1MS 1193 // at 1.193182 MHz

// Reads of port B; each takes from 20 ns (emulated) to 1 us.
#define WAIT_TRIES 5000000

bool pit_wait_1ms(void)
{
    uint8_t before = cpu_in8(PORT_B);
    cpu_out8(PORT_B, (before & ~PORT_B_SPEAKER) | PORT_B_GATE_2);
    cpu_out8(PIT_COMMAND, COMMAND_CHANNEL_2_MODE_0);
    cpu_out8(PIT_CHANNEL_2, COUNT_1MS & 0xff);
    cpu_out8(PIT_CHANNEL_2, COUNT_1MS >> 8);
    bool over = false;
    for (unsigned i = 0; !over && i < WAIT_TRIES; i++) {
        over = cpu_in8(PORT_B) & PORT_B_OUTPUT_2;
    }
    cpu_out8(PORT_B, before);
    return over;
}
