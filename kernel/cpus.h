// SPDX-License-Identifier: MIT
//
// The machine's processors: which there are, by firmware's word.
#pragma once

#include "lib/boot_info.h"
#include "lib/types.h"

// Take the processors from the ACPI tables, while boot->early can read them.
// With no table that makes sense it says so, and there is one CPU. Boot.
void cpus_find(const struct boot_info *boot);

// The largest APIC ID among them; 0: nothing is known. Boot.
uint32_t cpus_apic_id_max(void);
