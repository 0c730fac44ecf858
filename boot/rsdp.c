// SPDX-License-Identifier: MIT
//
// The ACPI root pointer's checks, and the firmware's memory types.

#include "boot/rsdp.h"

#include "lib/string.h"

#define RSDP_REVISION 15
#define RSDP_LENGTH 20

static bool sum_is_zero(const uint8_t *bytes, size_t size)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < size; i++) {
        sum = (uint8_t)(sum + bytes[i]);
    }
    return sum == 0;
}

unsigned rsdp_revision(const void *rsdp)
{
    return ((const uint8_t *)rsdp)[RSDP_REVISION];
}

bool rsdp_take(const void *rsdp, size_t size, struct boot_info *out)
{
    unsigned copied = RSDP_V1_SIZE;

    if (size < RSDP_V1_SIZE || memcmp(rsdp, "RSD PTR ", 8) != 0 ||
        !sum_is_zero(rsdp, RSDP_V1_SIZE)) {
        return false;
    }
    if (size >= RSDP_V2_SIZE && rsdp_revision(rsdp) >= 2) {
        uint32_t length;

        memcpy(&length, (const uint8_t *)rsdp + RSDP_LENGTH, sizeof(length));
        if (length < RSDP_V2_SIZE || length > size ||
            !sum_is_zero(rsdp, length)) {
            return false;
        }
        copied = RSDP_V2_SIZE;
    }
    memset(out->rsdp, 0, sizeof(out->rsdp));
    memcpy(out->rsdp, rsdp, copied);
    out->rsdp_length = copied;
    return true;
}

enum memory_type memory_type_from_firmware(uint32_t type)
{
    switch (type) {
    case 1:
        return MEMORY_USABLE;
    case 3:
        return MEMORY_ACPI;
    case 4:
        return MEMORY_NVS;
    case 5:
        return MEMORY_BAD;
    case 7:
        return MEMORY_PERSISTENT;
    default:
        return MEMORY_RESERVED;
    }
}
