// SPDX-License-Identifier: MIT
//
// arch/acpi_madt: which processors there are, from sound tables and broken
// ones.

#include "arch/acpi.h"

#include "tests/host/images.h"
#include "tests/host/tap.h"

#define ENABLED 1, 0, 0, 0
#define CAPABLE 2, 0, 0, 0
#define LOCAL(id, ...) 0, 8, 0x77, id, __VA_ARGS__
#define X2APIC(a, b, c, d, ...) 9, 16, 0, 0, a, b, c, d, __VA_ARGS__, 1, 2, 3, 4
#define ADDRESS(a, b, c, d, e) 5, 12, 0, 0, a, b, c, d, e, 0, 0, 0
#define IO_APIC 1, 12, 8, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0

static struct image image;
static struct acpi_cpus cpus;

static const char *parse(void)
{
    static struct boot_info boot;
    struct phys_reader reader = image_reader(&image);
    const char *problem;

    memcpy(boot.rsdp, image.bytes + ACPI_RSDP, 36);
    boot.rsdp_length = 36;
    memset(&cpus, 0xa5, sizeof(cpus));
    problem = acpi_cpus_parse(&reader, &boot, &cpus);
    image_reader_end();
    return problem;
}

// Complains of it, and leaves nothing for the caller to believe.
static bool complains_of(const char *words)
{
    const char *problem = parse();

    return problem != NULL && strstr(problem, words) != NULL &&
           cpus.count == 0 && cpus.beyond == 0 && cpus.local_apic == 0;
}

#define PUT(...)                                                               \
    do {                                                                       \
        static const uint8_t entries[] = {__VA_ARGS__};                        \
        image_acpi_madt(&image, entries, sizeof(entries));                     \
    } while (0)

HOST_TEST(enabled_processors_in_the_tables_order)
{
    PUT(LOCAL(4, ENABLED), LOCAL(5, 0, 0, 0, 0), IO_APIC, LOCAL(0, ENABLED),
        LOCAL(6, CAPABLE), LOCAL(254, 3, 0, 0, 0));
    CHECK(parse() == NULL);
    CHECK_EQ(cpus.count, 3);
    CHECK_EQ(cpus.apic_id[0], 4);
    CHECK_EQ(cpus.apic_id[1], 0);
    CHECK_EQ(cpus.apic_id[2], 254);
    CHECK_EQ(cpus.beyond, 0);
    CHECK_EQ(cpus.local_apic, 0xfee00000);
}

HOST_TEST(x2apic_processors_and_long_ids)
{
    PUT(X2APIC(0, 1, 0, 0, ENABLED), X2APIC(1, 0, 0, 0x80, ENABLED),
        X2APIC(7, 0, 0, 0, 0, 0, 0, 0), X2APIC(0xff, 0, 0, 0, ENABLED));
    CHECK(parse() == NULL);
    CHECK_EQ(cpus.count, 3);
    CHECK_EQ(cpus.apic_id[0], 0x100);
    CHECK_EQ(cpus.apic_id[1], 0x80000001);
    CHECK_EQ(cpus.apic_id[2], 255); // no broadcast in this form
}

HOST_TEST(ids_that_mean_everybody_are_nobodys)
{
    PUT(LOCAL(1, ENABLED), LOCAL(255, ENABLED),
        X2APIC(0xff, 0xff, 0xff, 0xff, ENABLED));
    CHECK(parse() == NULL);
    CHECK_EQ(cpus.count, 1);
}

HOST_TEST(a_processor_listed_twice_counts_once)
{
    PUT(LOCAL(3, ENABLED), LOCAL(2, ENABLED), LOCAL(3, ENABLED),
        X2APIC(2, 0, 0, 0, ENABLED));
    CHECK(parse() == NULL);
    CHECK_EQ(cpus.count, 2);
    CHECK_EQ(cpus.beyond, 0);
}

HOST_TEST(the_address_may_be_overridden)
{
    PUT(LOCAL(0, ENABLED), ADDRESS(0x00, 0x10, 0xe0, 0xfe, 0x12));
    CHECK(parse() == NULL);
    CHECK_EQ(cpus.local_apic, 0x12fee01000);
}

HOST_TEST(processors_beyond_the_array_are_counted)
{
    static uint8_t entries[(CPUS_MAX + 3) * 8];

    for (unsigned i = 0; i < CPUS_MAX + 3; i++) {
        const uint8_t entry[] = {LOCAL((uint8_t)(i + 100), ENABLED)};

        memcpy(entries + i * 8, entry, 8);
    }
    image_acpi_madt(&image, entries, CPUS_MAX * 8);
    CHECK(parse() == NULL);
    CHECK_EQ(cpus.count, CPUS_MAX);
    CHECK_EQ(cpus.beyond, 0);
    image_acpi_madt(&image, entries, sizeof(entries));
    CHECK(parse() == NULL);
    CHECK_EQ(cpus.count, CPUS_MAX);
    CHECK_EQ(cpus.beyond, 3);
    CHECK_EQ(cpus.apic_id[CPUS_MAX - 1], 100 + CPUS_MAX - 1);
    // One that has a place already is not beyond.
    entries[CPUS_MAX * 8 + 3] = 100;
    image_acpi_madt(&image, entries, sizeof(entries));
    CHECK(parse() == NULL);
    CHECK_EQ(cpus.beyond, 2);
}

HOST_TEST(entries_without_length)
{
    PUT(LOCAL(0, ENABLED), 0, 0, 0, 0, 1, 0, 0, 0);
    CHECK(complains_of("without length"));
    PUT(LOCAL(0, ENABLED), 77, 1, 77, 1);
    CHECK(complains_of("without length"));
}

HOST_TEST(entries_past_the_end)
{
    PUT(LOCAL(0, ENABLED), 77, 9, 0, 0, 0, 0, 0, 0);
    CHECK(complains_of("ends inside"));
    PUT(LOCAL(0, ENABLED), 77, 8, 0, 0, 0, 0, 0, 0);
    CHECK(parse() == NULL);
    PUT(LOCAL(0, ENABLED), 0);
    CHECK(complains_of("ends inside"));
}

HOST_TEST(entries_shorter_than_their_type)
{
    PUT(LOCAL(0, ENABLED), 0, 7, 0, 1, 1, 0, 0);
    CHECK(complains_of("too short"));
    PUT(LOCAL(0, ENABLED), 9, 15, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0);
    CHECK(complains_of("too short"));
    PUT(LOCAL(0, ENABLED), 5, 11, 0, 0, 0, 0, 0xe0, 0xfe, 0, 0, 0);
    CHECK(complains_of("too short"));
    // Longer than we know is a later edition.
    PUT(0, 10, 0, 9, ENABLED, 0xee, 0xee, LOCAL(1, ENABLED));
    CHECK(parse() == NULL);
    CHECK_EQ(cpus.count, 2);
    CHECK_EQ(cpus.apic_id[0], 9);
}

HOST_TEST(tables_without_processors)
{
    PUT(IO_APIC);
    CHECK(complains_of("no processor"));
    PUT(LOCAL(0, 0, 0, 0, 0));
    CHECK(complains_of("no processor"));
    image_finish_table(&image, ACPI_MADT, 43);
    CHECK(complains_of("too short"));
    image_finish_table(&image, ACPI_MADT, 44);
    CHECK(complains_of("no processor"));
    image.bytes[ACPI_MADT + 20] ^= 1;
    CHECK(complains_of("no sound MADT"));
}

// The firmware's own: 255 processors, as many as the short form can name.
HOST_TEST(a_long_table)
{
    static uint8_t entries[255 * 8];

    for (unsigned i = 0; i < 255; i++) {
        const uint8_t entry[] = {LOCAL((uint8_t)i, ENABLED)};

        memcpy(entries + i * 8, entry, 8);
    }
    image_acpi_madt(&image, entries, sizeof(entries));
    CHECK(parse() == NULL);
    CHECK_EQ(cpus.count, CPUS_MAX);
    CHECK_EQ(cpus.beyond, 255 - CPUS_MAX);
}
