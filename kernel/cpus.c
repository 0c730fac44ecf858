// SPDX-License-Identifier: MIT
//
// What the ACPI tables say of processors.
#include "kernel/cpus.h"

#include "arch/acpi.h"
#include "keyhole.h"

static __ro_after_init struct acpi_cpus listed;

__init void cpus_find(const struct boot_info *boot)
{
    struct phys_reader reader = boot->early;
    const char *wrong = acpi_cpus_parse(&reader, boot, &listed);
    if (wrong != NULL) {
        printf("keyhole: %s: one CPU is used\n", wrong);
    }
    if (listed.beyond != 0) {
        printf("keyhole: %u CPUs more than the %u that can be used\n",
               listed.beyond, CPUS_MAX);
    }
}

__init uint32_t cpus_apic_id_max(void)
{
    uint32_t max = 0;
    for (unsigned i = 0; i < listed.count; i++) {
        max = MAX(max, listed.apic_id[i]);
    }
    return max;
}
