// SPDX-License-Identifier: MIT
//
// arch/acpi_nfit: tables that cannot be right are refused as a whole.

#include "tests/host/nfit_table.h"
#include "tests/host/tap.h"

HOST_TEST(damaged_tables)
{
    nfit_begin();
    CHECK(nfit_parse() == NULL);
    nfit_image.bytes[ACPI_NFIT + 20] ^= 1;
    CHECK(nfit_is_refusal(nfit_parse_image(), "damaged"));
    image_finish_table(&nfit_image, ACPI_NFIT, 39);
    CHECK(nfit_is_refusal(nfit_parse_image(), "too short"));
    image_finish_table(&nfit_image, ACPI_NFIT, 40);
    CHECK(nfit_is_refusal(nfit_parse_image(), "no entry"));
    image_put32(&nfit_image, ACPI_NFIT + 4, IMAGE_SIZE);
    CHECK(nfit_is_refusal(nfit_parse_image(), "damaged"));
}

HOST_TEST(entries_of_wrong_lengths)
{
    // Each shorter by one than what its type has.
    static const uint8_t types[][2] = {{0, 55}, {1, 47}, {4, 31}, {6, 15}};

    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        nfit_begin();
        nfit_put16(nfit_append(types[i], 1) + LENGTH, types[i][1]);
        nfit_entries[QEMU_NFIT_SIZE + 1] = 0;
        nfit_size = QEMU_NFIT_SIZE + types[i][1];
        CHECK(nfit_complains_of("too short"));
    }
    nfit_begin();
    nfit_put16(QEMU_NFIT_CONTROL + LENGTH, 0);
    CHECK(nfit_complains_of("without length"));
    nfit_put16(QEMU_NFIT_CONTROL + LENGTH, 3);
    CHECK(nfit_complains_of("without length"));
    nfit_put16(QEMU_NFIT_CONTROL + LENGTH, 81);
    CHECK(nfit_complains_of("ends inside"));
    nfit_begin();
    nfit_size--;
    CHECK(nfit_complains_of("ends inside"));
    nfit_size = QEMU_NFIT_CONTROL;
    nfit_append("\0\0\0", 3);
    CHECK(nfit_complains_of("ends inside"));
    // A type that nobody knows may have any length that fits.
    nfit_begin();
    nfit_append("\11\0\4\0", 4);
    CHECK(nfit_parse() == NULL);
    CHECK_EQ(nfit_read.count, 1);
    nfit_put16(nfit_size - 2, 5);
    CHECK(nfit_complains_of("ends inside"));
}

HOST_TEST(ranges_that_cannot_be)
{
    nfit_begin();
    nfit_put64(RANGE_LENGTH, 0);
    CHECK(nfit_complains_of("length 0"));
    nfit_put64(RANGE_LENGTH, UINT64_MAX);
    CHECK(nfit_complains_of("past the end"));
    nfit_put64(RANGE_BASE, BIT(52) + 0x1000);
    nfit_put64(RANGE_LENGTH, 0x1000);
    CHECK(nfit_complains_of("past the end"));
    nfit_put64(RANGE_BASE, BIT(52) - MIB(64));
    nfit_put64(RANGE_LENGTH, MIB(64) + 0x1000);
    CHECK(nfit_complains_of("past the end"));
    nfit_put64(RANGE_LENGTH, MIB(64));
    CHECK(nfit_parse() == NULL);
    nfit_put16(RANGE_INDEX, 0);
    CHECK(nfit_complains_of("without a number"));
}

HOST_TEST(ranges_that_contradict_each_other)
{
    size_t second;

    nfit_begin();
    second = nfit_append_range(4, 0x100000000 + MIB(64), MIB(64));
    CHECK(nfit_parse() == NULL);
    CHECK_EQ(nfit_read.count, 2);
    nfit_put64(second + RANGE_BASE, 0x100000000 + MIB(64) - 1);
    CHECK(nfit_complains_of("overlap"));
    nfit_put64(second + RANGE_BASE, 0x100000000 - MIB(64) + 1);
    CHECK(nfit_complains_of("overlap"));
    nfit_put64(second + RANGE_BASE, 0x100000000 - MIB(64));
    CHECK(nfit_parse() == NULL);
    nfit_put16(second + RANGE_INDEX, 2);
    CHECK(nfit_complains_of("two ranges of one number"));
}

HOST_TEST(mappings_to_what_is_not_there)
{
    nfit_begin();
    nfit_put16(QEMU_NFIT_MAPPING + MAPPING_RANGE, 3);
    CHECK(nfit_complains_of("range that is not there"));
    nfit_begin();
    nfit_put16(QEMU_NFIT_MAPPING + MAPPING_CONTROL, 4);
    CHECK(nfit_complains_of("control region that is not there"));
    nfit_begin();
    nfit_put64(QEMU_NFIT_MAPPING + MAPPING_REGION, MIB(64) + 1);
    CHECK(nfit_complains_of("more than its range"));
    nfit_put64(QEMU_NFIT_MAPPING + MAPPING_REGION, MIB(64));
    nfit_put64(QEMU_NFIT_MAPPING + MAPPING_OFFSET, MIB(64));
    CHECK(nfit_complains_of("more than its range"));
    nfit_put64(QEMU_NFIT_MAPPING + MAPPING_OFFSET, MIB(64) - 1);
    CHECK(nfit_parse() == NULL);
}

// A table of many small nfit_entries, which an image has no room for.
#define LARGE_PHYS MIB(2)
#define LARGE_ENTRIES 4096

static uint8_t large[40 + (LARGE_ENTRIES + 1) * 4];

static const void *read_large(void *context, uint64_t phys, size_t len)
{
    struct phys_reader *rest = context;

    if (phys >= LARGE_PHYS && phys + len <= LARGE_PHYS + sizeof(large)) {
        return large + (phys - LARGE_PHYS);
    }
    return rest->read(rest->context, phys, len);
}

static const char *parse_large(uint32_t number)
{
    struct phys_reader rest = image_reader(&nfit_image);
    struct phys_reader reader = {read_large, &rest};
    static struct boot_info boot;
    uint32_t length = 40 + number * 4;
    uint8_t sum = 0;
    const char *problem;

    memcpy(large, "NFIT", 4);
    memcpy(large + 4, &length, 4);
    for (uint32_t i = 0; i < number; i++) {
        memcpy(large + 40 + i * 4, "\11\0\4\0", 4);
    }
    large[9] = 0;
    for (uint32_t i = 0; i < length; i++) {
        sum = (uint8_t)(sum + large[i]);
    }
    large[9] = (uint8_t)-sum;
    image_acpi_pc(&nfit_image);
    image_put64(&nfit_image, ACPI_XSDT + 36, LARGE_PHYS);
    image_finish_table(&nfit_image, ACPI_XSDT, 52);
    memcpy(boot.rsdp, nfit_image.bytes + ACPI_RSDP, 36);
    boot.rsdp_length = 36;
    problem = acpi_pmem_parse(&reader, &boot, &nfit_read);
    image_reader_end();
    return problem;
}

HOST_TEST(an_impossible_number_of_entries)
{
    CHECK(parse_large(LARGE_ENTRIES) == NULL);
    CHECK(nfit_read.listed);
    CHECK(nfit_is_refusal(parse_large(LARGE_ENTRIES + 1), "impossible number"));
}
