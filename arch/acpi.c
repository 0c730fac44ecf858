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

bool acpi_read(struct phys_reader *reader, uint64_t phys, void *to, size_t len)
{
    const void *from;

    if (phys + len < phys) {
        return false;
    }
    from = reader->read(reader->context, phys, len);
    if (from == NULL) {
        return false;
    }
    memcpy(to, from, len);
    return true;
}

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

bool acpi_table_verify(struct phys_reader *reader, uint64_t phys,
                       const char signature[4], uint32_t *length)
{
    struct acpi_header header;

    if (phys == 0 || !acpi_read(reader, phys, &header, sizeof(header)) ||
        memcmp(header.signature, signature, 4) != 0) {
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

// Look through one root table, whose entries have `entry_size` bytes each.
static bool find_in_root(struct phys_reader *reader, uint64_t root,
                         uint32_t root_length, size_t entry_size,
                         const char signature[4], uint64_t *phys,
                         uint32_t *length)
{
    size_t entries = (root_length - sizeof(struct acpi_header)) / entry_size;

    for (size_t i = 0; i < MIN(entries, ROOT_ENTRIES_MAX); i++) {
        uint64_t entry = 0; // little endian: the short form fills its low half

        if (!acpi_read(reader,
                       root + sizeof(struct acpi_header) + i * entry_size,
                       &entry, entry_size)) {
            return false;
        }
        if (acpi_table_verify(reader, entry, signature, length)) {
            *phys = entry;
            return true;
        }
    }
    return false;
}

bool acpi_find_table(struct phys_reader *reader, const struct boot_info *boot,
                     const char signature[4], uint64_t *phys, uint32_t *length)
{
    uint64_t root = 0;
    uint32_t root_length;

    if (boot->rsdp_length >= BOOT_RSDP_SIZE) {
        memcpy(&root, boot->rsdp + RSDP_XSDT, 8);
        if (acpi_table_verify(reader, root, "XSDT", &root_length)) {
            return find_in_root(reader, root, root_length, 8, signature, phys,
                                length);
        }
    }
    if (boot->rsdp_length == 0) {
        return false;
    }
    root = 0;
    memcpy(&root, boot->rsdp + RSDP_RSDT, 4);
    return acpi_table_verify(reader, root, "RSDT", &root_length) &&
           find_in_root(reader, root, root_length, 4, signature, phys, length);
}
