// SPDX-License-Identifier: MIT
//
// A release image holds two kernels: this one, which serves every engine, and
// one for the engine `open` alone, in which a local bracket is compiled to the
// pointer that it gives.
#pragma once

#include "lib/types.h"

// Whether a command line asks for the other kernel: its last word protect= does
// so. Whoever runs then judges the words anew.
bool boot_wants_open(const char *cmdline);
