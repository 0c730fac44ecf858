// SPDX-License-Identifier: MIT
//
// Power-off and reset as ACPI describes them: the FADT's registers, and the
// \_S5_ package, which is looked for in the DSDT's bytes without interpreting
// them. Firmware writes that package as constants, always in the same form.

#include "arch/acpi.h"
#include "lib/string.h"

// The generic address structure (ACPI 6.5, 5.2.3.2).
struct generic_address {
    uint8_t space;
    uint8_t bit_width;
    uint8_t bit_offset;
    uint8_t access_size;
    uint64_t address;
} __packed;

// The FADT's members that we use (ACPI 6.5, table 5.9). Older tables are
// shorter; what a table does not have reads as 0.
struct fadt {
    struct acpi_header header;
    uint32_t facs;
    uint32_t dsdt;
    uint8_t unused_44[20];
    uint32_t pm1a_control;
    uint32_t pm1b_control;
    uint8_t unused_72[40];
    uint32_t flags;
    struct generic_address reset_register;
    uint8_t reset_value;
    uint8_t unused_129[11];
    uint64_t x_dsdt;
    uint8_t unused_148[24];
    struct generic_address x_pm1a_control;
    struct generic_address x_pm1b_control;
} __packed;

_Static_assert(offsetof(struct fadt, dsdt) == 40, "ACPI 6.5, table 5.9");
_Static_assert(offsetof(struct fadt, pm1a_control) == 64, "table 5.9");
_Static_assert(offsetof(struct fadt, flags) == 112, "table 5.9");
_Static_assert(offsetof(struct fadt, reset_register) == 116, "table 5.9");
_Static_assert(offsetof(struct fadt, reset_value) == 128, "table 5.9");
_Static_assert(offsetof(struct fadt, x_dsdt) == 140, "table 5.9");
_Static_assert(offsetof(struct fadt, x_pm1a_control) == 172, "table 5.9");

#define FADT_RESET_REGISTER_SUPPORTED BIT(10)

// AML's opcodes (ACPI 6.5, 20.3).
#define AML_ZERO 0x00
#define AML_ONE 0x01
#define AML_NAME 0x08
#define AML_BYTE 0x0a
#define AML_WORD 0x0b
#define AML_DWORD 0x0c
#define AML_PACKAGE 0x12

// The DSDT is read in overlapping pieces: an S5 package and what stands before
// it is shorter than the overlap.
#define SCAN_PIECE 512
#define SCAN_OVERLAP 32

// A position in AML that cannot pass its end. A read behind it gives 0 and
// makes the whole thing bad.
struct aml {
    const uint8_t *at;
    const uint8_t *end;
    bool bad;
};

static uint8_t aml_byte(struct aml *aml)
{
    if (aml->at == aml->end) {
        aml->bad = true;
        return 0;
    }
    return *aml->at++;
}

static uint8_t aml_integer(struct aml *aml)
{
    unsigned behind = 0;
    uint8_t opcode = aml_byte(aml);
    uint8_t value;

    switch (opcode) {
    case AML_ZERO:
    case AML_ONE:
        return opcode;
    case AML_BYTE:
        break;
    case AML_WORD:
        behind = 1;
        break;
    case AML_DWORD:
        behind = 3;
        break;
    default:
        aml->bad = true;
        return 0;
    }
    value = aml_byte(aml);
    for (; behind > 0; behind--) {
        aml->bad |= aml_byte(aml) != 0;
    }
    return value;
}

// A package of integers, its opcode next: SLP_TYPa, SLP_TYPb, and two that are
// reserved and may be left out. (ACPI 6.5, 7.4.2)
static bool parse_s5_package(struct aml *aml, struct acpi_power *out)
{
    uint8_t elements;
    uint8_t a;
    uint8_t b;

    if (aml_byte(aml) != AML_PACKAGE) {
        return false;
    }
    // PkgLength: bits 7:6 of its first byte say how many bytes follow. Its
    // value does not matter here.
    for (unsigned more = aml_byte(aml) >> 6; more > 0; more--) {
        aml_byte(aml);
    }
    elements = aml_byte(aml);
    a = aml_integer(aml);
    b = elements > 1 ? aml_integer(aml) : a;
    if (aml->bad || elements == 0 || a > 7 || b > 7) {
        return false;
    }
    out->sleep_type_a = a;
    out->sleep_type_b = b;
    return true;
}

// Name (_S5, Package ...) or Name (\_S5, Package ...), somewhere in a piece.
static bool find_s5(const uint8_t *bytes, size_t size, struct acpi_power *out)
{
    for (size_t i = 2; i + 4 <= size; i++) {
        struct aml aml = {bytes + i + 4, bytes + size, false};

        if (memcmp(bytes + i, "_S5_", 4) != 0) {
            continue;
        }
        if (bytes[i - 1] != AML_NAME &&
            (bytes[i - 1] != '\\' || bytes[i - 2] != AML_NAME)) {
            continue;
        }
        if (parse_s5_package(&aml, out)) {
            return true;
        }
    }
    return false;
}

static bool scan_dsdt(struct phys_reader *reader, uint64_t phys,
                      uint32_t length, struct acpi_power *out)
{
    uint8_t piece[SCAN_PIECE];
    uint32_t offset = 0;

    for (;;) {
        size_t size = MIN(length - offset, SCAN_PIECE);

        if (!phys_copy(reader, phys + offset, piece, size)) {
            return false;
        }
        if (find_s5(piece, size, out)) {
            return true;
        }
        if (size < SCAN_PIECE) {
            return false;
        }
        offset += SCAN_PIECE - SCAN_OVERLAP;
    }
}

// The I/O port of a control block: the extended address if it is there, the
// old one otherwise, 0 if neither is a port.
static uint16_t control_port(const struct generic_address *extended,
                             uint32_t legacy)
{
    if (extended->address != 0) {
        return extended->space == ACPI_SPACE_IO &&
                       extended->address <= UINT16_MAX
                   ? (uint16_t)extended->address
                   : 0;
    }
    return legacy <= UINT16_MAX ? (uint16_t)legacy : 0;
}

static void take_reset(const struct fadt *fadt, struct acpi_power *out)
{
    const struct generic_address *reg = &fadt->reset_register;

    if ((fadt->flags & FADT_RESET_REGISTER_SUPPORTED) == 0 ||
        reg->address == 0) {
        return;
    }
    if (reg->space != ACPI_SPACE_MEMORY &&
        (reg->space != ACPI_SPACE_IO || reg->address > UINT16_MAX)) {
        return;
    }
    out->can_reset = true;
    out->reset_space = (enum acpi_space)reg->space;
    out->reset_address = reg->address;
    out->reset_value = fadt->reset_value;
}

const char *acpi_power_parse(struct phys_reader *reader,
                             const struct boot_info *boot,
                             struct acpi_power *out)
{
    struct fadt fadt;
    uint64_t phys;
    uint32_t length;

    memset(out, 0, sizeof(*out));
    memset(&fadt, 0, sizeof(fadt));
    if (!acpi_find_table(reader, boot, "FACP", &phys, &length)) {
        return "ACPI: no sound FADT";
    }
    if (!phys_copy(reader, phys, &fadt, MIN(length, sizeof(fadt)))) {
        return "ACPI: the FADT cannot be read";
    }
    take_reset(&fadt, out);
    out->pm1a_control = control_port(&fadt.x_pm1a_control, fadt.pm1a_control);
    out->pm1b_control = control_port(&fadt.x_pm1b_control, fadt.pm1b_control);
    if (out->pm1a_control == 0) {
        return "ACPI: the FADT names no PM1 control port";
    }
    phys = fadt.x_dsdt;
    if (!acpi_table_verify(reader, phys, "DSDT", &length)) {
        phys = fadt.dsdt;
        if (!acpi_table_verify(reader, phys, "DSDT", &length)) {
            return "ACPI: no sound DSDT";
        }
    }
    if (!scan_dsdt(reader, phys, length, out)) {
        return "ACPI: the DSDT has no \\_S5_ package";
    }
    out->can_power_off = true;
    return NULL;
}
