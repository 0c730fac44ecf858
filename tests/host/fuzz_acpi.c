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
    static const size_t tables[] = {ACPI_DSDT, ACPI_OTHER, ACPI_FADT, ACPI_XSDT,
                                    ACPI_RSDT};

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct image image;
    struct phys_reader reader = image_reader(&image);
    struct boot_info *boot = calloc(1, sizeof(*boot));
    struct acpi_power power;
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
    image_reader_end();
    free(boot);
    return 0;
}
