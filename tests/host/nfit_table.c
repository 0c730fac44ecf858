// SPDX-License-Identifier: MIT
//
// Puts an NFIT together, and has it read.

#include "tests/host/nfit_table.h"

#include <stdio.h>
#include <string.h>

struct image nfit_image;
struct acpi_pmem nfit_read;
uint8_t nfit_entries[6400];
size_t nfit_size;

const char *nfit_parse_image(void)
{
    static struct boot_info boot;
    struct phys_reader reader = image_reader(&nfit_image);
    const char *problem;

    memcpy(boot.rsdp, nfit_image.bytes + ACPI_RSDP, 36);
    boot.rsdp_length = 36;
    memset(&nfit_read, 0xa5, sizeof(nfit_read));
    problem = acpi_pmem_parse(&reader, &boot, &nfit_read);
    image_reader_end();
    return problem;
}

const char *nfit_parse(void)
{
    image_acpi_nfit(&nfit_image, nfit_entries, nfit_size);
    return nfit_parse_image();
}

bool nfit_is_refusal(const char *problem, const char *words)
{
    static const struct acpi_pmem empty = {.listed = true};

    if (problem == NULL || strstr(problem, words) == NULL) {
        printf("# wanted: %s\n# got: %s\n", words, problem ? problem : "NULL");
        return false;
    }
    return memcmp(&nfit_read, &empty, sizeof(empty)) == 0;
}

bool nfit_complains_of(const char *words)
{
    return nfit_is_refusal(nfit_parse(), words);
}

void nfit_put16(size_t offset, uint16_t value)
{
    memcpy(nfit_entries + offset, &value, sizeof(value));
}

void nfit_put32(size_t offset, uint32_t value)
{
    memcpy(nfit_entries + offset, &value, sizeof(value));
}

void nfit_put64(size_t offset, uint64_t value)
{
    memcpy(nfit_entries + offset, &value, sizeof(value));
}

void nfit_begin(void)
{
    memcpy(nfit_entries, image_qemu_nfit, QEMU_NFIT_SIZE);
    nfit_size = QEMU_NFIT_SIZE;
}

size_t nfit_append(const void *entry, size_t length)
{
    size_t offset = nfit_size;

    memcpy(nfit_entries + offset, entry, length);
    nfit_size += length;
    return offset;
}

size_t nfit_append_range(uint16_t index, uint64_t base, uint64_t length)
{
    size_t offset = nfit_append(image_qemu_nfit + QEMU_NFIT_RANGE, 56);

    nfit_put16(offset + RANGE_INDEX, index);
    nfit_put64(offset + RANGE_BASE, base);
    nfit_put64(offset + RANGE_LENGTH, length);
    return offset;
}

size_t nfit_append_mapping(uint32_t handle, uint16_t range, uint16_t control)
{
    size_t offset = nfit_append(image_qemu_nfit + QEMU_NFIT_MAPPING, 48);

    nfit_put32(offset + MAPPING_HANDLE, handle);
    nfit_put16(offset + MAPPING_RANGE, range);
    nfit_put16(offset + MAPPING_CONTROL, control);
    nfit_put64(offset + MAPPING_REGION, 0x1000);
    return offset;
}

size_t nfit_append_control(uint16_t index, uint32_t serial)
{
    size_t offset = nfit_append(image_qemu_nfit + QEMU_NFIT_CONTROL, 80);

    nfit_put16(offset + CONTROL_INDEX, index);
    nfit_put32(offset + CONTROL_SERIAL, serial);
    return offset;
}
