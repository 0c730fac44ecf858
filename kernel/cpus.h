// SPDX-License-Identifier: MIT
//
// The machine's processors: which there are by firmware's word, and bringing
// them up. Each CPU that came waits in HLT for what it is called for
// (kernel/remote.h). Numbers are given without holes, 0 to the boot CPU.
#pragma once

#include "lib/boot_info.h"
#include "lib/types.h"

// Take the processors from the ACPI tables, while boot->early can read them.
// With no table that makes sense it says so, and there is one CPU. Boot.
void cpus_find(const struct boot_info *boot);

// How many that are; 0: nothing is known.
unsigned cpus_listed(void);

// The largest APIC ID among them; 0: nothing is known. Boot.
uint32_t cpus_apic_id_max(void);

// Bring up as many as there are, and maxcpus= allows; say which are left out.
// Boot, before image_seal(), with interrupts set up.
void cpus_start(void);
