// SPDX-License-Identifier: MIT
//
// Registers as in the PC16550D data sheet.
#include "arch/uart.h"

#include "arch/cpu.h"

#define COM1 0x3f8

enum uart_register {
    UART_DATA = 0,
    UART_IER = 1, // interrupt enable
    UART_FCR = 2, // FIFO control
    UART_LCR = 3, // line control
    UART_MCR = 4, // modem control
    UART_LSR = 5, // line status
    UART_SCR = 7, // scratch
};

#define LCR_DIVISOR_LATCH BIT(7)
#define LCR_8N1 0x03
#define FCR_ENABLE_AND_CLEAR 0x07
#define MCR_DTR_RTS 0x03
#define LSR_DATA_READY BIT(0)
#define LSR_THR_EMPTY BIT(5)
#define LSR_TRANSMITTER_EMPTY BIT(6)

#define DIVISOR_115200 1

// A UART that stopped answering must not stop the kernel: at 115200 baud a
// byte takes 87 us, and an I/O read takes about 1 us on real hardware.
#define POLL_LIMIT 100000

static bool uart_present;

static void uart_wait(uint8_t status)
{
    for (unsigned i = 0; i < POLL_LIMIT; i++) {
        if (cpu_in8(COM1 + UART_LSR) & status) {
            return;
        }
    }
}

__init bool uart_init(void)
{
    cpu_out8(COM1 + UART_SCR, 0x5a);
    if (cpu_in8(COM1 + UART_SCR) != 0x5a) {
        return false;
    }
    cpu_out8(COM1 + UART_IER, 0);
    cpu_out8(COM1 + UART_LCR, LCR_DIVISOR_LATCH);
    cpu_out8(COM1 + UART_DATA, DIVISOR_115200);
    cpu_out8(COM1 + UART_IER, 0);
    cpu_out8(COM1 + UART_LCR, LCR_8N1);
    cpu_out8(COM1 + UART_FCR, FCR_ENABLE_AND_CLEAR);
    cpu_out8(COM1 + UART_MCR, MCR_DTR_RTS);
    uart_present = true;
    return true;
}

void uart_write(char byte)
{
    if (uart_present) {
        uart_wait(LSR_THR_EMPTY);
        cpu_out8(COM1 + UART_DATA, (uint8_t)byte);
    }
}

int uart_read(void)
{
    if (uart_present && (cpu_in8(COM1 + UART_LSR) & LSR_DATA_READY)) {
        return cpu_in8(COM1 + UART_DATA);
    }
    return -1;
}

void uart_flush(void)
{
    if (uart_present) {
        uart_wait(LSR_TRANSMITTER_EMPTY);
    }
}
