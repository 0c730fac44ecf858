// SPDX-License-Identifier: MIT
//
// The kernel image in memory: its parts, their protections, and the init part
// that goes away.
#pragma once

#include "keyhole.h"
#include "lib/types.h"

// Linker symbols (linker.ld), all page aligned.
extern char __image_start[], __image_end[];
extern char __init_start[], __init_text_end[], __init_end[];
extern char __text_start[], __text_end[];
extern char __rodata_start[], __rodata_end[];
extern char __ro_after_init_start[], __ro_after_init_end[];
extern char __data_start[], __data_end[];
extern char __ksyms_start[], __ksyms_end[];

// Map the image at its own addresses: text executable and read-only, constants
// read-only, data not executable, guard pages of the stacks not at all. Init
// code and data stay until image_seal(). Boot, on tables not yet in use.
void image_map(void);

// The end of boot: unmap the init part and give its frames to the allocator,
// and make read-only what was written during boot only.
void image_seal(void);

// Whether an address is the kernel's own code (after boot: not init code).
bool image_is_text(uintptr_t address);
