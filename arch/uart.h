// SPDX-License-Identifier: MIT
//
// The 16550 at COM1, polled: 115200 baud, 8 data bits, no parity, 1 stop bit.
#pragma once

#include "lib/types.h"

// Set the line up. Early boot. False: there is no UART at that port; output is
// then thrown away and input never comes.
bool uart_init(void);

// Send one byte; waits for room in the transmitter, a bounded time. Any
// context.
void uart_write(char byte);

// The next byte received, or -1. Any context.
int uart_read(void);

// Wait until the last bit has left. Before the machine stops: what is in the
// transmitter then is lost.
void uart_flush(void);
