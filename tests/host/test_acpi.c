// SPDX-License-Identifier: MIT
//
// arch/acpi: finding tables and reading power control, in sound tables and in
// broken ones.

#include "arch/acpi.h"

#include "tests/host/images.h"
#include "tests/host/tap.h"

static struct image image;
static struct boot_info boot;
static struct acpi_power power;
static uint64_t phys;
static uint32_t length;

static void begin(void)
{
    image_acpi_pc(&image);
    memset(&boot, 0, sizeof(boot));
    memcpy(boot.rsdp, image.bytes + ACPI_RSDP, 36);
    boot.rsdp_length = 36;
}

static bool find(const char *signature)
{
    struct phys_reader reader = image_reader(&image);
    bool found = acpi_find_table(&reader, &boot, signature, &phys, &length);

    image_reader_end();
    return found;
}

static const char *parse(void)
{
    struct phys_reader reader = image_reader(&image);
    const char *problem = acpi_power_parse(&reader, &boot, &power);

    image_reader_end();
    return problem;
}

static bool complains_of(const char *words)
{
    const char *problem = parse();

    return problem != NULL && strstr(problem, words) != NULL;
}

HOST_TEST(tables_are_found_in_the_xsdt)
{
    begin();
    CHECK(find("FACP"));
    CHECK_EQ(phys, ACPI_BASE + ACPI_FADT);
    CHECK_EQ(length, ACPI_FADT_SIZE);
    CHECK(find("APIC"));
    CHECK_EQ(phys, ACPI_BASE + ACPI_OTHER);
    CHECK(!find("NFIT"));
}

HOST_TEST(tables_are_found_in_the_rsdt)
{
    begin();
    boot.rsdp_length = 20;
    CHECK(find("FACP"));
    CHECK_EQ(phys, ACPI_BASE + ACPI_FADT);
    // And where the XSDT is broken.
    boot.rsdp_length = 36;
    image.bytes[ACPI_XSDT + 30] ^= 1;
    CHECK(find("FACP"));
    image.bytes[ACPI_RSDT + 30] ^= 1;
    CHECK(!find("FACP"));
}

HOST_TEST(no_root_pointer_no_tables)
{
    begin();
    boot.rsdp_length = 0;
    CHECK(!find("FACP"));
    CHECK(complains_of("FADT"));
    CHECK(!power.can_power_off && !power.can_reset);
}

HOST_TEST(broken_tables_are_passed_over)
{
    begin();
    image.bytes[ACPI_FADT + 70] ^= 1;
    CHECK(!find("FACP"));
    CHECK(find("APIC"));
    // A sound one behind a broken one of the same name is found.
    begin();
    image_put(&image, ACPI_OTHER, "FACP", 4);
    CHECK(find("FACP"));
    CHECK_EQ(phys, ACPI_BASE + ACPI_FADT);
}

HOST_TEST(impossible_lengths_are_refused)
{
    static const uint32_t lengths[] = {0, 35, 0x1000000, 0x1000001, 0xffffffff};

    for (unsigned i = 0; i < ARRAY_SIZE(lengths); i++) {
        begin();
        image_put32(&image, ACPI_OTHER + 4, lengths[i]);
        CHECK(!find("APIC"));
        image_put32(&image, ACPI_XSDT + 4, lengths[i]);
        image_put32(&image, ACPI_RSDT + 4, lengths[i]);
        CHECK(!find("FACP"));
    }
}

HOST_TEST(a_root_table_ends_where_it_says)
{
    size_t at = ACPI_OTHER + 0x40;

    begin();
    image_put(&image, at, "SSDT", 4);
    image_finish_table(&image, at, 40);
    image_put64(&image, ACPI_XSDT + 52, ACPI_BASE + at);
    CHECK(!find("SSDT"));
    image_finish_table(&image, ACPI_XSDT, 60);
    CHECK(find("SSDT"));
    CHECK_EQ(length, 40);
}

HOST_TEST(pointers_to_nowhere_are_passed_over)
{
    static const uint64_t nowhere[] = {0, 1, UINT64_MAX, UINT64_MAX - 35,
                                       ACPI_BASE + 0xff0};

    for (unsigned i = 0; i < ARRAY_SIZE(nowhere); i++) {
        begin();
        image_put64(&image, ACPI_XSDT + 36, nowhere[i]);
        image_finish_table(&image, ACPI_XSDT, 52);
        CHECK(!find("APIC"));
        CHECK(find("FACP"));
    }
}

HOST_TEST(a_table_does_not_pass_the_end_of_all_addresses)
{
    struct phys_reader reader = image_reader(&image);
    size_t at = 0x1000 - 100;

    begin();
    image.base = 0 - 0x1000ull;
    image_put(&image, at, "APIC", 4);
    image_finish_table(&image, at, 200);
    CHECK(!acpi_table_verify(&reader, image.base + at, "APIC", &length));
    image_finish_table(&image, at, 99);
    CHECK(acpi_table_verify(&reader, image.base + at, "APIC", &length));
    CHECK_EQ(length, 99);
    image_reader_end();
}

HOST_TEST(power_is_read)
{
    begin();
    CHECK(parse() == NULL);
    CHECK(power.can_power_off);
    CHECK_EQ(power.pm1a_control, 0x604);
    CHECK_EQ(power.pm1b_control, 0);
    CHECK_EQ(power.sleep_type_a, 5);
    CHECK_EQ(power.sleep_type_b, 6);
    CHECK(power.can_reset);
    CHECK_EQ(power.reset_space, ACPI_SPACE_IO);
    CHECK_EQ(power.reset_address, 0xcf9);
    CHECK_EQ(power.reset_value, 0x0f);
}

HOST_TEST(extended_ports_are_preferred)
{
    begin();
    image_put(&image, ACPI_FADT + 172, "\1\20\0\0", 4);
    image_put64(&image, ACPI_FADT + 176, 0xb004);
    image_put(&image, ACPI_FADT + 184, "\1\20\0\0", 4);
    image_put64(&image, ACPI_FADT + 188, 0xb104);
    image_finish_table(&image, ACPI_FADT, ACPI_FADT_SIZE);
    CHECK(parse() == NULL);
    CHECK_EQ(power.pm1a_control, 0xb004);
    CHECK_EQ(power.pm1b_control, 0xb104);
    image_put64(&image, ACPI_FADT + 176, 0x10b004);
    image_finish_table(&image, ACPI_FADT, ACPI_FADT_SIZE);
    CHECK(complains_of("PM1"));
}

HOST_TEST(old_tables_have_no_reset)
{
    begin();
    image_finish_table(&image, ACPI_FADT, 116);
    CHECK(parse() == NULL);
    CHECK(power.can_power_off);
    CHECK(!power.can_reset);
}

HOST_TEST(reset_needs_flag_space_and_address)
{
    begin();
    image_put32(&image, ACPI_FADT + 112, 0);
    image_finish_table(&image, ACPI_FADT, ACPI_FADT_SIZE);
    CHECK(parse() == NULL);
    CHECK(!power.can_reset);

    begin();
    image.bytes[ACPI_FADT + 116] = 2; // PCI configuration space
    image_finish_table(&image, ACPI_FADT, ACPI_FADT_SIZE);
    CHECK(parse() == NULL);
    CHECK(!power.can_reset);

    begin();
    image.bytes[ACPI_FADT + 116] = ACPI_SPACE_MEMORY;
    image_put64(&image, ACPI_FADT + 120, 0xfed00000);
    image_finish_table(&image, ACPI_FADT, ACPI_FADT_SIZE);
    CHECK(parse() == NULL);
    CHECK(power.can_reset);
    CHECK_EQ(power.reset_space, ACPI_SPACE_MEMORY);
    CHECK_EQ(power.reset_address, 0xfed00000);

    begin();
    image_put64(&image, ACPI_FADT + 120, 0x10cf9); // no such port
    image_finish_table(&image, ACPI_FADT, ACPI_FADT_SIZE);
    CHECK(parse() == NULL);
    CHECK(!power.can_reset);
}

static void put_s5(size_t at, const uint8_t *aml, size_t size)
{
    begin();
    memset(image.bytes + ACPI_DSDT + ACPI_S5, 0, 16);
    image_put(&image, ACPI_DSDT + at, aml, size);
    image_finish_table(&image, ACPI_DSDT, ACPI_DSDT_SIZE);
}

#define PUT_S5(at, ...)                                                        \
    do {                                                                       \
        const uint8_t aml[] = {__VA_ARGS__};                                   \
        put_s5(at, aml, sizeof(aml));                                          \
    } while (0)

// The pieces in which the table is read must not cut a package.
HOST_TEST(s5_is_found_wherever_it_is)
{
    for (size_t at = 36; at <= ACPI_DSDT_SIZE - 14; at++) {
        PUT_S5(at, 0x08, '_', 'S', '5', '_', 0x12, 0x08, 0x04, 0x0a, 3, 0x0a, 4,
               0x00, 0x00);
        CHECK(parse() == NULL);
        CHECK_EQ(power.sleep_type_a, 3);
        CHECK_EQ(power.sleep_type_b, 4);
    }
}

HOST_TEST(s5_in_its_other_spellings)
{
    // \_S5, a long length, constants as opcodes, words and double words
    PUT_S5(100, 0x08, '\\', '_', 'S', '5', '_', 0x12, 0x46, 0x00, 0x04, 0x01,
           0x00, 0x00, 0x00);
    CHECK(parse() == NULL);
    CHECK_EQ(power.sleep_type_a, 1);
    CHECK_EQ(power.sleep_type_b, 0);
    PUT_S5(100, 0x08, '_', 'S', '5', '_', 0x12, 0x0a, 0x02, 0x0b, 7, 0, 0x0c, 2,
           0, 0, 0);
    CHECK(parse() == NULL);
    CHECK_EQ(power.sleep_type_a, 7);
    CHECK_EQ(power.sleep_type_b, 2);
    PUT_S5(100, 0x08, '_', 'S', '5', '_', 0x12, 0x04, 0x01, 0x0a, 5);
    CHECK(parse() == NULL);
    CHECK_EQ(power.sleep_type_b, 5);
}

HOST_TEST(what_only_looks_like_s5_is_passed_over)
{
    // no Name before it; no package; a value too large; no elements; no
    // constant
    PUT_S5(100, 0x10, '_', 'S', '5', '_', 0x12, 0x06, 0x02, 0x0a, 5, 0x0a, 5);
    CHECK(complains_of("_S5_"));
    PUT_S5(100, 0x08, '_', 'S', '5', '_', 0x0a, 0x06, 0x02, 0x0a, 5, 0x0a, 5);
    CHECK(complains_of("_S5_"));
    PUT_S5(100, 0x08, '_', 'S', '5', '_', 0x12, 0x06, 0x02, 0x0a, 8, 0x0a, 5);
    CHECK(complains_of("_S5_"));
    PUT_S5(100, 0x08, '_', 'S', '5', '_', 0x12, 0x02, 0x00, 0x0a, 5, 0x0a, 5);
    CHECK(complains_of("_S5_"));
    PUT_S5(100, 0x08, '_', 'S', '5', '_', 0x12, 0x06, 0x02, 0x0d, 5, 0x0a, 5);
    CHECK(complains_of("_S5_"));
    PUT_S5(ACPI_DSDT_SIZE - 8, 0x08, '_', 'S', '5', '_', 0x12, 0x06, 0x02);
    CHECK(complains_of("_S5_"));
    CHECK(!power.can_power_off);
    CHECK(power.can_reset);
}

HOST_TEST(dsdt_falls_back_to_the_short_pointer)
{
    begin();
    image_put64(&image, ACPI_FADT + 140, 0x123456789000);
    image_finish_table(&image, ACPI_FADT, ACPI_FADT_SIZE);
    CHECK(parse() == NULL);
    image_put32(&image, ACPI_FADT + 40, 0x1000);
    image_finish_table(&image, ACPI_FADT, ACPI_FADT_SIZE);
    CHECK(complains_of("no sound DSDT"));
}
