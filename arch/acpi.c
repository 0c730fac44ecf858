// SPDX-License-Identifier: MIT
//
// Finding ACPI tables. Every pointer, length and count is outside data: each
// is bounded before it is followed, and a table counts only with its checksum.

#include "arch/acpi.h"

#include "lib/string.h"

#define FRAME 4096u

// Tables that a root table may list; what is behind is not looked at.
#define ROOT_ENTRIES_MAX 1024

// In the copy of the root pointer (ACPI 6.5, 5.2.5.3).
#define RSDP_RSDT 16
#define RSDP_XSDT 24

_Static_assert(sizeof(struct acpi_header) == 36, "ACPI 6.5, table 5.4");

// Add up the bytes frame by frame: a window need not be larger than a frame.
static bool checksum_is_right(struct phys_reader *reader, uint64_t phys,
                              uint32_t length)
{
    uint8_t sum = 0;

    while (length > 0) {
        size_t step = MIN(length, FRAME - (uint32_t)(phys % FRAME));
        const uint8_t *bytes = reader->read(reader->context, phys, step);

        if (bytes == NULL) {
            return false;
        }
        for (size_t i = 0; i < step; i++) {
            sum = (uint8_t)(sum + bytes[i]);
        }
        phys += step;
        length -= (uint32_t)step;
    }
    return sum == 0;
}

static bool has_signature(struct phys_reader *reader, uint64_t phys,
                          const char signature[4], struct acpi_header *header)
{
    return phys != 0 && phys_copy(reader, phys, header, sizeof(*header)) &&
           memcmp(header->signature, signature, 4) == 0;
}

bool acpi_table_verify(struct phys_reader *reader, uint64_t phys,
                       const char signature[4], uint32_t *length)
{
    struct acpi_header header;

    if (!has_signature(reader, phys, signature, &header)) {
        return false;
    }
    if (header.length < sizeof(header) || header.length > ACPI_TABLE_MAX ||
        phys + header.length < phys ||
        !checksum_is_right(reader, phys, header.length)) {
        return false;
    }
    *length = header.length;
    return true;
}

// A root table: XSDT or RSDT.
struct root {
    uint64_t phys;
    size_t entry_size; // bytes
    size_t entries;
};

// The XSDT, or the RSDT where there is no sound XSDT. False: neither.
static bool root_find(struct phys_reader *reader, const struct boot_info *boot,
                      struct root *root)
{
    uint32_t length;

    if (boot->rsdp_length == 0) {
        return false;
    }
    root->phys = 0;
    root->entry_size = 8;
    memcpy(&root->phys, boot->rsdp + RSDP_XSDT, 8);
    if (boot->rsdp_length < BOOT_RSDP_SIZE ||
        !acpi_table_verify(reader, root->phys, "XSDT", &length)) {
        root->phys = 0;
        root->entry_size = 4;
        memcpy(&root->phys, boot->rsdp + RSDP_RSDT, 4);
        if (!acpi_table_verify(reader, root->phys, "RSDT", &length)) {
            return false;
        }
    }
    root->entries = (length - sizeof(struct acpi_header)) / root->entry_size;
    root->entries = MIN(root->entries, ROOT_ENTRIES_MAX);
    return true;
}

// The address of a table, or 0.
static uint64_t root_entry(struct phys_reader *reader, const struct root *root,
                           size_t index)
{
    uint64_t at =
        root->phys + sizeof(struct acpi_header) + index * root->entry_size;
    uint64_t entry = 0; // little endian: the short form fills its low half

    return phys_copy(reader, at, &entry, root->entry_size) ? entry : 0;
}

bool acpi_find_table(struct phys_reader *reader, const struct boot_info *boot,
                     const char signature[4], uint64_t *phys, uint32_t *length)
{
    struct root root;

    if (!root_find(reader, boot, &root)) {
        return false;
    }
    for (size_t i = 0; i < root.entries; i++) {
        uint64_t entry = root_entry(reader, &root, i);

        if (acpi_table_verify(reader, entry, signature, length)) {
            *phys = entry;
            return true;
        }
    }
    return false;
}

bool acpi_table_listed(struct phys_reader *reader, const struct boot_info *boot,
                       const char signature[4])
{
    struct acpi_header header;
    struct root root;

    if (!root_find(reader, boot, &root)) {
        return false;
    }
    for (size_t i = 0; i < root.entries; i++) {
        if (has_signature(reader, root_entry(reader, &root, i), signature,
                          &header)) {
            return true;
        }
    }
    return false;
}
