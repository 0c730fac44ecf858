// SPDX-License-Identifier: MIT
//
// Puts an NFIT together, entry by entry, and has arch/acpi_nfit read it. What
// is there and what was read is state of the test that is at work.
#pragma once

#include "arch/acpi.h"
#include "tests/host/images.h"

// Offsets in a range, a mapping, a control region.
#define LENGTH 2
#define RANGE_INDEX 4
#define RANGE_GUID 16
#define RANGE_BASE 32
#define RANGE_LENGTH 40
#define MAPPING_HANDLE 4
#define MAPPING_RANGE 12
#define MAPPING_CONTROL 14
#define MAPPING_REGION 16
#define MAPPING_OFFSET 24
#define MAPPING_WAYS 42
#define MAPPING_STATE 44
#define CONTROL_INDEX 4
#define CONTROL_SERIAL 24

extern struct image nfit_image;
extern uint8_t nfit_entries[6400];
extern size_t nfit_size;           // of the entries
extern struct acpi_pmem nfit_read; // what was read

// Begin with the entries that QEMU makes.
void nfit_begin(void);
// Put an entry behind the others; its offset. The last three are like QEMU's,
// apart from what they are given; a mapping is of one frame.
size_t nfit_append(const void *entry, size_t length);
size_t nfit_append_range(uint16_t index, uint64_t base, uint64_t length);
size_t nfit_append_mapping(uint32_t handle, uint16_t range, uint16_t control);
size_t nfit_append_control(uint16_t index, uint32_t serial);
// Change the entries.
void nfit_put16(size_t offset, uint16_t value);
void nfit_put32(size_t offset, uint32_t value);
void nfit_put64(size_t offset, uint64_t value);

// Read the image as it is, or with a table of the entries: what
// acpi_pmem_parse() returns.
const char *nfit_parse_image(void);
const char *nfit_parse(void);
// Is it a refusal with these words, that leaves nothing for the caller to
// believe?
bool nfit_is_refusal(const char *problem, const char *words);
// The entries are refused so.
bool nfit_complains_of(const char *words);
