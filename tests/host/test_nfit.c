// SPDX-License-Identifier: MIT
//
// arch/acpi_nfit: where persistent memory is, from QEMU's own table, and from
// sound ones that QEMU does not make.

#include "tests/host/nfit_table.h"
#include "tests/host/tap.h"

HOST_TEST(qemu)
{
    nfit_begin();
    CHECK(nfit_parse() == NULL);
    CHECK(nfit_read.listed && nfit_read.note == NULL);
    CHECK(!nfit_read.caches_durable && !nfit_read.memory_durable);
    CHECK(!nfit_read.memory_lost);
    CHECK_EQ(nfit_read.count, 1);
    CHECK_EQ(nfit_read.beyond, 0);
    CHECK_EQ(nfit_read.flush_hints, 0);
    CHECK_EQ(nfit_read.range[0].base, 0x100000000);
    CHECK_EQ(nfit_read.range[0].length, MIB(64));
    CHECK_EQ(nfit_read.range[0].attributes, 0x8008);
    CHECK_EQ(nfit_read.range[0].handle, 1);
    CHECK_EQ(nfit_read.range[0].spa, 2);
    CHECK_EQ(nfit_read.range[0].control, 3);
    CHECK_EQ(nfit_read.range[0].modules, 1);
    CHECK_EQ(nfit_read.range[0].state, 0);
    CHECK(nfit_read.range[0].identified && !nfit_read.range[0].interleaved);
    CHECK_EQ(nfit_read.range[0].vendor, 0x8086);
    CHECK_EQ(nfit_read.range[0].device, 1);
    CHECK_EQ(nfit_read.range[0].serial, 0x123456);
}

HOST_TEST(none_is_no_error)
{
    image_acpi_pc(&nfit_image);
    CHECK(nfit_parse_image() == NULL);
    CHECK(!nfit_read.listed);
    CHECK_EQ(nfit_read.count, 0);
    // No root table either.
    nfit_image.bytes[ACPI_XSDT + 20] ^= 1;
    nfit_image.bytes[ACPI_RSDT + 20] ^= 1;
    CHECK(nfit_parse_image() == NULL);
    CHECK(!nfit_read.listed);
}

HOST_TEST(longer_entries_are_later_editions)
{
    nfit_begin();
    nfit_size = 0;
    nfit_append_range(7, MIB(4), MIB(2));
    nfit_put16(LENGTH, 64);
    nfit_append("COOKIE!!", 8);
    nfit_append_mapping(0x10, 7, 0);
    nfit_append_control(0, 1); // of nobody
    CHECK(nfit_parse() == NULL);
    CHECK_EQ(nfit_read.count, 1);
    CHECK_EQ(nfit_read.range[0].handle, 0x10);
    CHECK(!nfit_read.range[0].identified);
}

HOST_TEST(order_does_not_matter)
{
    nfit_size = 0;
    nfit_append_control(5, 55);
    nfit_append_control(9, 99);
    nfit_append_control(9, 999); // again: the first one counts
    nfit_append_mapping(0x20, 2, 9);
    nfit_append_mapping(0x10, 1, 5);
    nfit_append_range(1, MIB(16), MIB(2));
    nfit_append_range(2, MIB(8), MIB(4));
    CHECK(nfit_parse() == NULL);
    CHECK_EQ(nfit_read.count, 2);
    CHECK_EQ(nfit_read.range[0].base, MIB(16));
    CHECK_EQ(nfit_read.range[0].handle, 0x10);
    CHECK_EQ(nfit_read.range[0].serial, 55);
    CHECK_EQ(nfit_read.range[1].base, MIB(8));
    CHECK_EQ(nfit_read.range[1].handle, 0x20);
    CHECK_EQ(nfit_read.range[1].serial, 99);
}

HOST_TEST(modules_that_share_a_range)
{
    size_t second;

    nfit_begin();
    second = nfit_append_mapping(0x1001, 2, 4);
    nfit_append_control(4, 4444);
    nfit_put16(QEMU_NFIT_MAPPING + MAPPING_STATE, ACPI_PMEM_SAVE_FAILED);
    nfit_put16(second + MAPPING_STATE, ACPI_PMEM_FLUSH_FAILED);
    CHECK(nfit_parse() == NULL);
    CHECK_EQ(nfit_read.range[0].modules, 2);
    CHECK(nfit_read.range[0].interleaved);
    CHECK_EQ(nfit_read.range[0].handle, 1);
    CHECK_EQ(nfit_read.range[0].serial, 0x123456);
    CHECK_EQ(nfit_read.range[0].state,
             ACPI_PMEM_SAVE_FAILED | ACPI_PMEM_FLUSH_FAILED);
    CHECK(nfit_read.note != NULL &&
          strstr(nfit_read.note, "may lose data") != NULL);
    // One module's word is enough.
    nfit_begin();
    nfit_put16(QEMU_NFIT_MAPPING + MAPPING_WAYS, 2);
    CHECK(nfit_parse() == NULL);
    CHECK(nfit_read.range[0].interleaved);
    CHECK_EQ(nfit_read.range[0].modules, 1);
}

HOST_TEST(states_that_are_no_trouble)
{
    nfit_begin();
    nfit_put16(QEMU_NFIT_MAPPING + MAPPING_STATE, (uint16_t)~ACPI_PMEM_TROUBLE);
    CHECK(nfit_parse() == NULL);
    CHECK(nfit_read.note == NULL);
    nfit_put16(QEMU_NFIT_MAPPING + MAPPING_STATE, ACPI_PMEM_NOT_ARMED);
    CHECK(nfit_parse() == NULL);
    CHECK(nfit_read.note != NULL);
}

HOST_TEST(other_kinds_of_ranges)
{
    size_t other;

    nfit_begin();
    other = nfit_append_range(8, 0, 0);
    nfit_entries[other + RANGE_GUID] ^= 1;
    nfit_append_mapping(2, 8, 0);
    nfit_append_mapping(3, 0, 77); // to no range, as those of block windows
    CHECK(nfit_parse() == NULL);
    CHECK_EQ(nfit_read.count, 1);
    CHECK_EQ(nfit_read.range[0].modules, 1);
    // A table with nothing for us in it.
    nfit_entries[RANGE_GUID + 15] ^= 0x80;
    CHECK(nfit_parse() == NULL);
    CHECK(nfit_read.listed);
    CHECK_EQ(nfit_read.count, 0);
}

HOST_TEST(ranges_shrink_to_whole_frames)
{
    nfit_begin();
    nfit_put64(RANGE_BASE, 0x100000001);
    CHECK(nfit_parse() == NULL);
    CHECK_EQ(nfit_read.range[0].base, 0x100001000);
    CHECK_EQ(nfit_read.range[0].length, MIB(64) - 0x1000);
    CHECK(nfit_read.note != NULL &&
          strstr(nfit_read.note, "whole frames") != NULL);
    nfit_put64(RANGE_BASE, 0x100000000);
    nfit_put64(RANGE_LENGTH, MIB(64) + 4095);
    CHECK(nfit_parse() == NULL);
    CHECK_EQ(nfit_read.range[0].length, MIB(64));
    CHECK(nfit_read.note != NULL);
    nfit_put64(QEMU_NFIT_MAPPING + MAPPING_REGION, 1);
    nfit_put64(RANGE_LENGTH, 4095);
    CHECK(nfit_complains_of("without a whole frame"));
    nfit_put64(RANGE_BASE, 0x100000001);
    nfit_put64(RANGE_LENGTH, 4096);
    CHECK(nfit_complains_of("without a whole frame"));
}

HOST_TEST(ranges_beyond_the_array_are_counted)
{
    nfit_size = 0;
    for (uint16_t i = 1; i <= ACPI_PMEM_MAX + 3; i++) {
        nfit_append_range(i, MIB(2) * i, MIB(2));
    }
    nfit_append_mapping(1, ACPI_PMEM_MAX + 3, 0);
    CHECK(nfit_parse() == NULL);
    CHECK_EQ(nfit_read.count, ACPI_PMEM_MAX);
    CHECK_EQ(nfit_read.beyond, 3);
    CHECK_EQ(nfit_read.range[ACPI_PMEM_MAX - 1].base, MIB(2) * ACPI_PMEM_MAX);
    CHECK_EQ(nfit_read.range[ACPI_PMEM_MAX - 1].modules, 0);
    // What is beyond must not be wrong either.
    nfit_append_range(40, MIB(3), MIB(2));
    CHECK(nfit_complains_of("overlap"));
}

HOST_TEST(flush_hints_are_counted)
{
    uint8_t entry[32] = {6, 0, 32, 0, 1, 0, 0, 0, 2};

    nfit_begin();
    nfit_append(entry, sizeof(entry));
    nfit_append(entry, sizeof(entry));
    CHECK(nfit_parse() == NULL);
    CHECK_EQ(nfit_read.flush_hints, 4);
    nfit_entries[QEMU_NFIT_SIZE + 8] = 3;
    CHECK(nfit_complains_of("too short"));
}
