// SPDX-License-Identifier: MIT
//
// CRC-32C (Castagnoli): polynomial 0x1edc6f41, reflected, begun with ~0 and
// inverted at the end; "123456789" gives 0xe3069283 (RFC 3720, appendix B.4).
#pragma once

#include "lib/types.h"

// Of `length` bytes. By the CRC32 instruction where the CPU has it (CPUID
// 1:ECX.SSE4_2, SDM 2A "CRC32"), about 1.1 instructions for 8 bytes. Any
// context.
uint32_t store_crc32c(const void *bytes, size_t length);

// Of what has the checksum `crc` (0: nothing) and these bytes behind it.
uint32_t store_crc32c_more(uint32_t crc, const void *bytes, size_t length);

// The same by a table, on any CPU.
uint32_t store_crc32c_by_table(const void *bytes, size_t length);

// Of a block or a part of block 0, whose first 4 bytes hold it: of the others.
static inline uint32_t crc32c_rest(const void *bytes, size_t length)
{
    return store_crc32c((const uint8_t *)bytes + sizeof(uint32_t),
                        length - sizeof(uint32_t));
}
