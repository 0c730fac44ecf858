// SPDX-License-Identifier: MIT
//
// The kernel's first and last function.
#pragma once

#include "lib/boot_info.h"

// The time-stamp counter when the loader entered the kernel (boot/entry.asm).
extern const uint64_t boot_tsc;

// Bring the machine up and run what the command line asks for. Called once, by
// boot, on the boot stack with the early page tables; does not return.
__noreturn void kmain(const struct boot_info *boot);
