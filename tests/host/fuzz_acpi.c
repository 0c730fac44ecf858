// SPDX-License-Identifier: MIT
//
// The input is the physical memory from ACPI_BASE on, the root pointer first.
// Wherever a table might start its checksum is made right, or the fuzzer would
// never get past one.

#include "arch/acpi.h"
#include "tests/host/fuzz.h"
#include "tests/host/images.h"

static void fix_checksums(struct image *image)
{
    static const size_t tables[] = {ACPI_MADT, ACPI_DSDT, ACPI_OTHER,
                                    ACPI_FADT, ACPI_XSDT, ACPI_RSDT};

    for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
        size_t at = tables[i];
        uint32_t length;

        if (at + 36 > image->size) {
            continue;
        }
        memcpy(&length, image->bytes + at + 4, sizeof(length));
        if (length >= 36 && length <= image->size - at) {
            image_fix_checksum(image, at, length, at + 9);
        }
    }
}

// Each ID once, none that means all CPUs; nothing at all where there is an
// error.
static void check_cpus(const struct acpi_cpus *cpus, const char *problem)
{
    FUZZ_ASSERT(cpus->count <= CPUS_MAX, "more CPUs than there is room for");
    FUZZ_ASSERT((problem == NULL) == (cpus->count > 0),
                "processors and message do not fit");
    FUZZ_ASSERT(cpus->beyond == 0 || cpus->count == CPUS_MAX,
                "left out where there is room");
    for (unsigned i = 0; i < cpus->count; i++) {
        FUZZ_ASSERT(cpus->apic_id[i] != UINT32_MAX, "all CPUs as one");
        for (unsigned j = 0; j < i; j++) {
            FUZZ_ASSERT(cpus->apic_id[i] != cpus->apic_id[j], "twice");
        }
    }
}

// Whole frames, apart from each other, and nothing at all where there is an
// error.
static void check_pmem(const struct acpi_pmem *pmem, const char *problem)
{
    FUZZ_ASSERT(pmem->count <= ACPI_PMEM_MAX, "more ranges than there is room");
    FUZZ_ASSERT(pmem->listed || (pmem->count == 0 && problem == NULL),
                "ranges of no table");
    FUZZ_ASSERT(problem == NULL || pmem->count == 0, "ranges with an error");
    FUZZ_ASSERT(pmem->beyond == 0 || pmem->count == ACPI_PMEM_MAX,
                "left out where there is room");
    FUZZ_ASSERT(!(pmem->memory_lost && pmem->memory_durable) &&
                    pmem->memory_durable >= pmem->caches_durable,
                "a power cut that saves and loses");
    for (unsigned i = 0; i < pmem->count; i++) {
        const struct acpi_pmem_range *range = &pmem->range[i];

        FUZZ_ASSERT(range->length > 0 && range->base % 4096 == 0 &&
                        range->length % 4096 == 0 &&
                        range->base + range->length <= BIT(52),
                    "a range that cannot be mapped");
        FUZZ_ASSERT(range->spa != 0, "a range without a number");
        FUZZ_ASSERT(range->control == 0 || range->identified, "no identity");
        for (unsigned j = 0; j < i; j++) {
            const struct acpi_pmem_range *other = &pmem->range[j];

            FUZZ_ASSERT(range->base + range->length <= other->base ||
                            other->base + other->length <= range->base,
                        "ranges that overlap");
            FUZZ_ASSERT(range->spa != other->spa, "one number twice");
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct image image;
    struct phys_reader reader = image_reader(&image);
    struct boot_info *boot = calloc(1, sizeof(*boot));
    struct acpi_power power;
    struct acpi_cpus cpus;
    struct acpi_pmem pmem;
    uint64_t phys;
    uint32_t length;

    FUZZ_ASSERT(boot != NULL, "out of memory");
    image.base = ACPI_BASE;
    image.size = MIN(size, IMAGE_SIZE);
    memcpy(image.bytes, data, image.size);
    fix_checksums(&image);
    boot->rsdp_length = size % 2 == 0 ? 36 : 20;
    memcpy(boot->rsdp, image.bytes, MIN(image.size, sizeof(boot->rsdp)));
    if (acpi_find_table(&reader, boot, "APIC", &phys, &length)) {
        FUZZ_ASSERT(phys >= ACPI_BASE && length >= 36 &&
                        phys + length <= ACPI_BASE + image.size,
                    "a table outside of memory");
    }
    if (acpi_power_parse(&reader, boot, &power) == NULL) {
        FUZZ_ASSERT(power.can_power_off && power.pm1a_control != 0,
                    "success without power-off");
    }
    FUZZ_ASSERT(power.sleep_type_a <= 7 && power.sleep_type_b <= 7,
                "no such sleep type");
    check_cpus(&cpus, acpi_cpus_parse(&reader, boot, &cpus));
    check_pmem(&pmem, acpi_pmem_parse(&reader, boot, &pmem));
    image_reader_end();
    free(boot);
    return 0;
}
