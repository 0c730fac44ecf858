// SPDX-License-Identifier: MIT
//
// The one check that an ACPI root pointer passes before anything believes it,
// whichever loader handed it over.
#pragma once

#include "lib/boot_info.h"

#define RSDP_V1_SIZE 20
#define RSDP_V2_SIZE BOOT_RSDP_SIZE

// The revision that a version 1 sized pointer claims; 2 or more says that the
// longer form is there.
unsigned rsdp_revision(const void *rsdp);

// Copy the root pointer of `size` bytes into boot_info if its signature and
// checksums are right (ACPI 6.5, 5.2.5.3): the short form if `size` is less
// than 36, else the long one. False, and nothing changed, if it is refused.
bool rsdp_take(const void *rsdp, size_t size, struct boot_info *out);

// The firmware's memory type numbers, which are the same for E820, multiboot2
// and PVH (ACPI 6.5, table 15.5).
enum memory_type memory_type_from_firmware(uint32_t type);
