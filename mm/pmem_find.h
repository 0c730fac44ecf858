// SPDX-License-Identifier: MIT
//
// Which regions of persistent memory there are, by what firmware says and
// nothing else: the memory map and the NFIT, read with suspicion. No hardware,
// no state; runs on the host too.
#pragma once

#include "arch/acpi.h"
#include "keyhole.h"
#include "lib/memory_map.h"

// Regions begin and end where leaves of 2 MiB do.
#define PMEM_ALIGN MIB(2)

#define PMEM_REGIONS_MAX 8

// Told of a range that firmware calls persistent and that is not used: in
// bytes, as firmware has it, and why.
typedef void pmem_refused_fn(uint64_t base, uint64_t length, const char *why);

// Fill `regions`, which has room for PMEM_REGIONS_MAX, and return how many
// there are: those of the NFIT first, in its order, then what is persistent in
// the map and in none of those, by address. They are disjoint, and lie below
// `limit`, what the CPU and the direct map can reach. Their domains and frames
// are for the caller to give. `reported` is as the loader has it; `listed` may
// be empty.
unsigned pmem_regions_find(const struct memory_map *reported,
                           const struct acpi_pmem *listed, uint64_t limit,
                           struct pmem_region *regions,
                           pmem_refused_fn *refused);

// What the user has to know of power cuts, by what the NFIT says of the
// platform. NULL: nothing; also if it says nothing of it, or lists no range.
const char *pmem_power_warning(const struct acpi_pmem *listed);
