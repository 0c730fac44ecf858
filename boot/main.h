// SPDX-License-Identifier: MIT
//
// Where boot/entry.asm goes on in C.
#pragma once

#include "lib/boot_info.h"

// `info` is the physical address of the loader's information. Does not return.
__noreturn void boot_main(enum boot_protocol protocol, uint32_t info);
