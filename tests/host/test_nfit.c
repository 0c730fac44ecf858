// SPDX-License-Identifier: MIT
//
// arch/acpi_nfit: where persistent memory is, from QEMU's own table, from
// sound ones that QEMU does not make, and from broken ones.

#include "arch/acpi.h"

#include "tests/host/images.h"
#include "tests/host/tap.h"

// In a range, a mapping, a control region.
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

static struct image image;
static struct acpi_pmem pmem;
static uint8_t entries[6400];
static size_t size;

static const char *parse(void)
{
    static struct boot_info boot;
    struct phys_reader reader = image_reader(&image);
    const char *problem;

    memcpy(boot.rsdp, image.bytes + ACPI_RSDP, 36);
    boot.rsdp_length = 36;
    memset(&pmem, 0xa5, sizeof(pmem));
    problem = acpi_pmem_parse(&reader, &boot, &pmem);
    image_reader_end();
    return problem;
}

static const char *parse_entries(void)
{
    image_acpi_nfit(&image, entries, size);
    return parse();
}

static bool is_refusal(const char *problem, const char *words)
{
    static const struct acpi_pmem empty = {.listed = true};

    if (problem == NULL || strstr(problem, words) == NULL) {
        printf("# wanted: %s\n# got: %s\n", words, problem ? problem : "NULL");
        return false;
    }
    return memcmp(&pmem, &empty, sizeof(empty)) == 0;
}

// Complains of it, and leaves nothing for the caller to believe.
static bool complains_of(const char *words)
{
    return is_refusal(parse_entries(), words);
}

static void put16(size_t offset, uint16_t value)
{
    memcpy(entries + offset, &value, sizeof(value));
}

static void put32(size_t offset, uint32_t value)
{
    memcpy(entries + offset, &value, sizeof(value));
}

static void put64(size_t offset, uint64_t value)
{
    memcpy(entries + offset, &value, sizeof(value));
}

static void begin(void)
{
    memcpy(entries, image_qemu_nfit, QEMU_NFIT_SIZE);
    size = QEMU_NFIT_SIZE;
}

static size_t append(const void *entry, size_t length)
{
    size_t offset = size;

    memcpy(entries + offset, entry, length);
    size += length;
    return offset;
}

static size_t append_range(uint16_t index, uint64_t base, uint64_t length)
{
    size_t offset = append(image_qemu_nfit + QEMU_NFIT_RANGE, 56);

    put16(offset + RANGE_INDEX, index);
    put64(offset + RANGE_BASE, base);
    put64(offset + RANGE_LENGTH, length);
    return offset;
}

static size_t append_mapping(uint32_t handle, uint16_t range, uint16_t control)
{
    size_t offset = append(image_qemu_nfit + QEMU_NFIT_MAPPING, 48);

    put32(offset + MAPPING_HANDLE, handle);
    put16(offset + MAPPING_RANGE, range);
    put16(offset + MAPPING_CONTROL, control);
    put64(offset + MAPPING_REGION, 0x1000);
    return offset;
}

static size_t append_control(uint16_t index, uint32_t serial)
{
    size_t offset = append(image_qemu_nfit + QEMU_NFIT_CONTROL, 80);

    put16(offset + CONTROL_INDEX, index);
    put32(offset + CONTROL_SERIAL, serial);
    return offset;
}

HOST_TEST(qemu)
{
    begin();
    CHECK(parse_entries() == NULL);
    CHECK(pmem.listed && pmem.note == NULL);
    CHECK(!pmem.caches_durable && !pmem.memory_durable);
    CHECK_EQ(pmem.count, 1);
    CHECK_EQ(pmem.beyond, 0);
    CHECK_EQ(pmem.flush_hints, 0);
    CHECK_EQ(pmem.range[0].base, 0x100000000);
    CHECK_EQ(pmem.range[0].length, MIB(64));
    CHECK_EQ(pmem.range[0].attributes, 0x8008);
    CHECK_EQ(pmem.range[0].handle, 1);
    CHECK_EQ(pmem.range[0].spa, 2);
    CHECK_EQ(pmem.range[0].control, 3);
    CHECK_EQ(pmem.range[0].modules, 1);
    CHECK_EQ(pmem.range[0].state, 0);
    CHECK(pmem.range[0].identified && !pmem.range[0].interleaved);
    CHECK_EQ(pmem.range[0].vendor, 0x8086);
    CHECK_EQ(pmem.range[0].device, 1);
    CHECK_EQ(pmem.range[0].serial, 0x123456);
}

HOST_TEST(none_is_no_error)
{
    image_acpi_pc(&image);
    CHECK(parse() == NULL);
    CHECK(!pmem.listed);
    CHECK_EQ(pmem.count, 0);
    // No root table either.
    image.bytes[ACPI_XSDT + 20] ^= 1;
    image.bytes[ACPI_RSDT + 20] ^= 1;
    CHECK(parse() == NULL);
    CHECK(!pmem.listed);
}

HOST_TEST(damaged_tables)
{
    begin();
    CHECK(parse_entries() == NULL);
    image.bytes[ACPI_NFIT + 20] ^= 1;
    CHECK(is_refusal(parse(), "damaged"));
    image_finish_table(&image, ACPI_NFIT, 39);
    CHECK(is_refusal(parse(), "too short"));
    image_finish_table(&image, ACPI_NFIT, 40);
    CHECK(is_refusal(parse(), "no entry"));
    image_put32(&image, ACPI_NFIT + 4, IMAGE_SIZE);
    CHECK(is_refusal(parse(), "damaged"));
}

HOST_TEST(entries_of_wrong_lengths)
{
    // Each shorter by one than what its type has.
    static const uint8_t types[][2] = {{0, 55}, {1, 47}, {4, 31}, {6, 15}};

    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        begin();
        put16(append(types[i], 1) + LENGTH, types[i][1]);
        entries[QEMU_NFIT_SIZE + 1] = 0;
        size = QEMU_NFIT_SIZE + types[i][1];
        CHECK(complains_of("too short"));
    }
    begin();
    put16(QEMU_NFIT_CONTROL + LENGTH, 0);
    CHECK(complains_of("without length"));
    put16(QEMU_NFIT_CONTROL + LENGTH, 3);
    CHECK(complains_of("without length"));
    put16(QEMU_NFIT_CONTROL + LENGTH, 81);
    CHECK(complains_of("ends inside"));
    begin();
    size--;
    CHECK(complains_of("ends inside"));
    size = QEMU_NFIT_CONTROL;
    append("\0\0\0", 3);
    CHECK(complains_of("ends inside"));
    // A type that nobody knows may have any length that fits.
    begin();
    append("\11\0\4\0", 4);
    CHECK(parse_entries() == NULL);
    CHECK_EQ(pmem.count, 1);
    put16(size - 2, 5);
    CHECK(complains_of("ends inside"));
}

HOST_TEST(longer_entries_are_later_editions)
{
    begin();
    size = 0;
    append_range(7, MIB(4), MIB(2));
    put16(LENGTH, 64);
    append("COOKIE!!", 8);
    append_mapping(0x10, 7, 0);
    append_control(0, 1); // of nobody
    CHECK(parse_entries() == NULL);
    CHECK_EQ(pmem.count, 1);
    CHECK_EQ(pmem.range[0].handle, 0x10);
    CHECK(!pmem.range[0].identified);
}

HOST_TEST(order_does_not_matter)
{
    size = 0;
    append_control(5, 55);
    append_control(9, 99);
    append_control(9, 999); // again: the first one counts
    append_mapping(0x20, 2, 9);
    append_mapping(0x10, 1, 5);
    append_range(1, MIB(16), MIB(2));
    append_range(2, MIB(8), MIB(4));
    CHECK(parse_entries() == NULL);
    CHECK_EQ(pmem.count, 2);
    CHECK_EQ(pmem.range[0].base, MIB(16));
    CHECK_EQ(pmem.range[0].handle, 0x10);
    CHECK_EQ(pmem.range[0].serial, 55);
    CHECK_EQ(pmem.range[1].base, MIB(8));
    CHECK_EQ(pmem.range[1].handle, 0x20);
    CHECK_EQ(pmem.range[1].serial, 99);
}

HOST_TEST(modules_that_share_a_range)
{
    size_t second;

    begin();
    second = append_mapping(0x1001, 2, 4);
    append_control(4, 4444);
    put16(QEMU_NFIT_MAPPING + MAPPING_STATE, ACPI_PMEM_SAVE_FAILED);
    put16(second + MAPPING_STATE, ACPI_PMEM_FLUSH_FAILED);
    CHECK(parse_entries() == NULL);
    CHECK_EQ(pmem.range[0].modules, 2);
    CHECK(pmem.range[0].interleaved);
    CHECK_EQ(pmem.range[0].handle, 1);
    CHECK_EQ(pmem.range[0].serial, 0x123456);
    CHECK_EQ(pmem.range[0].state,
             ACPI_PMEM_SAVE_FAILED | ACPI_PMEM_FLUSH_FAILED);
    CHECK(pmem.note != NULL && strstr(pmem.note, "may lose data") != NULL);
    // One module's word is enough.
    begin();
    put16(QEMU_NFIT_MAPPING + MAPPING_WAYS, 2);
    CHECK(parse_entries() == NULL);
    CHECK(pmem.range[0].interleaved);
    CHECK_EQ(pmem.range[0].modules, 1);
}

HOST_TEST(states_that_are_no_trouble)
{
    begin();
    put16(QEMU_NFIT_MAPPING + MAPPING_STATE, (uint16_t)~ACPI_PMEM_TROUBLE);
    CHECK(parse_entries() == NULL);
    CHECK(pmem.note == NULL);
    put16(QEMU_NFIT_MAPPING + MAPPING_STATE, ACPI_PMEM_NOT_ARMED);
    CHECK(parse_entries() == NULL);
    CHECK(pmem.note != NULL);
}

HOST_TEST(other_kinds_of_ranges)
{
    size_t other;

    begin();
    other = append_range(8, 0, 0);
    entries[other + RANGE_GUID] ^= 1;
    append_mapping(2, 8, 0);
    append_mapping(3, 0, 77); // to no range, as those of block windows
    CHECK(parse_entries() == NULL);
    CHECK_EQ(pmem.count, 1);
    CHECK_EQ(pmem.range[0].modules, 1);
    // A table with nothing for us in it.
    entries[RANGE_GUID + 15] ^= 0x80;
    CHECK(parse_entries() == NULL);
    CHECK(pmem.listed);
    CHECK_EQ(pmem.count, 0);
}

HOST_TEST(ranges_that_cannot_be)
{
    begin();
    put64(RANGE_LENGTH, 0);
    CHECK(complains_of("length 0"));
    put64(RANGE_LENGTH, UINT64_MAX);
    CHECK(complains_of("past the end"));
    put64(RANGE_BASE, BIT(52) + 0x1000);
    put64(RANGE_LENGTH, 0x1000);
    CHECK(complains_of("past the end"));
    put64(RANGE_BASE, BIT(52) - MIB(64));
    put64(RANGE_LENGTH, MIB(64) + 0x1000);
    CHECK(complains_of("past the end"));
    put64(RANGE_LENGTH, MIB(64));
    CHECK(parse_entries() == NULL);
    put16(RANGE_INDEX, 0);
    CHECK(complains_of("without a number"));
}

HOST_TEST(ranges_that_contradict_each_other)
{
    size_t second;

    begin();
    second = append_range(4, 0x100000000 + MIB(64), MIB(64));
    CHECK(parse_entries() == NULL);
    CHECK_EQ(pmem.count, 2);
    put64(second + RANGE_BASE, 0x100000000 + MIB(64) - 1);
    CHECK(complains_of("overlap"));
    put64(second + RANGE_BASE, 0x100000000 - MIB(64) + 1);
    CHECK(complains_of("overlap"));
    put64(second + RANGE_BASE, 0x100000000 - MIB(64));
    CHECK(parse_entries() == NULL);
    put16(second + RANGE_INDEX, 2);
    CHECK(complains_of("two ranges of one number"));
}

HOST_TEST(mappings_to_what_is_not_there)
{
    begin();
    put16(QEMU_NFIT_MAPPING + MAPPING_RANGE, 3);
    CHECK(complains_of("range that is not there"));
    begin();
    put16(QEMU_NFIT_MAPPING + MAPPING_CONTROL, 4);
    CHECK(complains_of("control region that is not there"));
    begin();
    put64(QEMU_NFIT_MAPPING + MAPPING_REGION, MIB(64) + 1);
    CHECK(complains_of("more than its range"));
    put64(QEMU_NFIT_MAPPING + MAPPING_REGION, MIB(64));
    put64(QEMU_NFIT_MAPPING + MAPPING_OFFSET, MIB(64));
    CHECK(complains_of("more than its range"));
    put64(QEMU_NFIT_MAPPING + MAPPING_OFFSET, MIB(64) - 1);
    CHECK(parse_entries() == NULL);
}

HOST_TEST(ranges_shrink_to_whole_frames)
{
    begin();
    put64(RANGE_BASE, 0x100000001);
    CHECK(parse_entries() == NULL);
    CHECK_EQ(pmem.range[0].base, 0x100001000);
    CHECK_EQ(pmem.range[0].length, MIB(64) - 0x1000);
    CHECK(pmem.note != NULL && strstr(pmem.note, "whole frames") != NULL);
    put64(RANGE_BASE, 0x100000000);
    put64(RANGE_LENGTH, MIB(64) + 4095);
    CHECK(parse_entries() == NULL);
    CHECK_EQ(pmem.range[0].length, MIB(64));
    CHECK(pmem.note != NULL);
    put64(QEMU_NFIT_MAPPING + MAPPING_REGION, 1);
    put64(RANGE_LENGTH, 4095);
    CHECK(complains_of("without a whole frame"));
    put64(RANGE_BASE, 0x100000001);
    put64(RANGE_LENGTH, 4096);
    CHECK(complains_of("without a whole frame"));
}

HOST_TEST(ranges_beyond_the_array_are_counted)
{
    size = 0;
    for (uint16_t i = 1; i <= ACPI_PMEM_MAX + 3; i++) {
        append_range(i, MIB(2) * i, MIB(2));
    }
    append_mapping(1, ACPI_PMEM_MAX + 3, 0);
    CHECK(parse_entries() == NULL);
    CHECK_EQ(pmem.count, ACPI_PMEM_MAX);
    CHECK_EQ(pmem.beyond, 3);
    CHECK_EQ(pmem.range[ACPI_PMEM_MAX - 1].base, MIB(2) * ACPI_PMEM_MAX);
    CHECK_EQ(pmem.range[ACPI_PMEM_MAX - 1].modules, 0);
    // What is beyond must not be wrong either.
    append_range(40, MIB(3), MIB(2));
    CHECK(complains_of("overlap"));
}

static void with_capabilities(uint8_t highest, uint8_t bits)
{
    uint8_t entry[16] = {7, 0, 16, 0, highest, 0, 0, 0, bits};

    begin();
    append(entry, sizeof(entry));
}

HOST_TEST(what_a_power_cut_leaves)
{
    with_capabilities(1, 2);
    CHECK(parse_entries() == NULL);
    CHECK(!pmem.caches_durable && pmem.memory_durable);
    with_capabilities(0, 3);
    CHECK(parse_entries() == NULL);
    CHECK(pmem.caches_durable && pmem.memory_durable);
    with_capabilities(0, 2); // a bit that is not valid
    CHECK(parse_entries() == NULL);
    CHECK(!pmem.caches_durable && !pmem.memory_durable);
    with_capabilities(32, 2); // more than there are
    CHECK(parse_entries() == NULL);
    CHECK(!pmem.caches_durable && pmem.memory_durable);
    with_capabilities(255, 4);
    CHECK(parse_entries() == NULL);
    CHECK(!pmem.caches_durable && !pmem.memory_durable);
    put16(QEMU_NFIT_SIZE + LENGTH, 15);
    size--;
    CHECK(complains_of("too short"));
}

HOST_TEST(flush_hints_are_counted)
{
    uint8_t entry[32] = {6, 0, 32, 0, 1, 0, 0, 0, 2};

    begin();
    append(entry, sizeof(entry));
    append(entry, sizeof(entry));
    CHECK(parse_entries() == NULL);
    CHECK_EQ(pmem.flush_hints, 4);
    entries[QEMU_NFIT_SIZE + 8] = 3;
    CHECK(complains_of("too short"));
}

// A table of many small entries, which an image has no room for.
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
    struct phys_reader rest = image_reader(&image);
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
    image_acpi_pc(&image);
    image_put64(&image, ACPI_XSDT + 36, LARGE_PHYS);
    image_finish_table(&image, ACPI_XSDT, 52);
    memcpy(boot.rsdp, image.bytes + ACPI_RSDP, 36);
    boot.rsdp_length = 36;
    problem = acpi_pmem_parse(&reader, &boot, &pmem);
    image_reader_end();
    return problem;
}

HOST_TEST(an_impossible_number_of_entries)
{
    CHECK(parse_large(LARGE_ENTRIES) == NULL);
    CHECK(pmem.listed);
    CHECK(is_refusal(parse_large(LARGE_ENTRIES + 1), "impossible number"));
}
