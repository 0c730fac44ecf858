// SPDX-License-Identifier: MIT
//
// Initialisation words of the 8259A (Intel 231468, "Programming the 8259A").
#include "arch/pic.h"

#include "arch/cpu.h"

#define PIC1_COMMAND 0x20
#define PIC1_DATA 0x21
#define PIC2_COMMAND 0xa0
#define PIC2_DATA 0xa1

#define ICW1_INIT_ICW4 0x11
#define ICW3_SECOND_ON_LINE_2 0x04
#define ICW3_AM_ON_LINE_2 0x02
#define ICW4_8086 0x01
#define MASK_ALL 0xff

__init void pic_disable(uint8_t vector)
{
    cpu_out8(PIC1_COMMAND, ICW1_INIT_ICW4);
    cpu_out8(PIC2_COMMAND, ICW1_INIT_ICW4);
    cpu_out8(PIC1_DATA, vector);
    cpu_out8(PIC2_DATA, vector + 8);
    cpu_out8(PIC1_DATA, ICW3_SECOND_ON_LINE_2);
    cpu_out8(PIC2_DATA, ICW3_AM_ON_LINE_2);
    cpu_out8(PIC1_DATA, ICW4_8086);
    cpu_out8(PIC2_DATA, ICW4_8086);
    cpu_out8(PIC1_DATA, MASK_ALL);
    cpu_out8(PIC2_DATA, MASK_ALL);
}
