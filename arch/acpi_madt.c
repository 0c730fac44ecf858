// SPDX-License-Identifier: MIT
//
// The processors that the MADT lists (ACPI 6.5, 5.2.12). One bad entry spoils
// the table: what follows it cannot be found.

#include "arch/acpi.h"
#include "lib/string.h"

// What stands before the entries (ACPI 6.5, table 5.19).
struct madt {
    struct acpi_header header;
    uint32_t local_apic;
    uint32_t flags;
} __packed;

_Static_assert(sizeof(struct madt) == 44, "ACPI 6.5, table 5.19");

enum entry_type {
    ENTRY_LOCAL_APIC = 0,    // 5.2.12.2
    ENTRY_LOCAL_ADDRESS = 5, // 5.2.12.8
    ENTRY_X2APIC = 9,        // 5.2.12.12
};

struct entry_header {
    uint8_t type;
    uint8_t length; // with the header
} __packed;

struct entry_local_apic {
    struct entry_header header;
    uint8_t processor;
    uint8_t apic_id;
    uint32_t flags;
} __packed;

struct entry_local_address {
    struct entry_header header;
    uint16_t reserved;
    uint64_t address;
} __packed;

struct entry_x2apic {
    struct entry_header header;
    uint16_t reserved;
    uint32_t apic_id;
    uint32_t flags;
    uint32_t processor;
} __packed;

_Static_assert(sizeof(struct entry_local_apic) == 8, "ACPI 6.5, table 5.21");
_Static_assert(sizeof(struct entry_local_address) == 12, "table 5.27");
_Static_assert(sizeof(struct entry_x2apic) == 16, "table 5.31");

// Its neighbour, "online capable", is a processor that could be plugged in.
#define PROCESSOR_ENABLED BIT(0)

// IDs that name every CPU at once.
#define LOCAL_APIC_ALL 0xff
#define X2APIC_ALL 0xffffffff

static void processor_add(struct acpi_cpus *out, uint32_t apic_id,
                          uint32_t flags)
{
    if (!(flags & PROCESSOR_ENABLED)) {
        return;
    }
    for (unsigned i = 0; i < out->count; i++) {
        if (out->apic_id[i] == apic_id) {
            return;
        }
    }
    if (out->count == ARRAY_SIZE(out->apic_id)) {
        out->beyond++;
    } else {
        out->apic_id[out->count++] = apic_id;
    }
}

// The entry of `length` bytes at `phys`, which lies in the table. False: it is
// shorter than its type, or cannot be read.
static bool entry_take(struct phys_reader *reader, uint64_t phys,
                       const struct entry_header *header, struct acpi_cpus *out)
{
    union {
        struct entry_local_apic local;
        struct entry_x2apic x2apic;
        struct entry_local_address address;
    } entry;
    size_t size = header->type == ENTRY_LOCAL_APIC      ? sizeof(entry.local)
                  : header->type == ENTRY_X2APIC        ? sizeof(entry.x2apic)
                  : header->type == ENTRY_LOCAL_ADDRESS ? sizeof(entry.address)
                                                        : 0;

    if (size == 0) {
        return true; // of no interest here
    }
    if (header->length < size || !phys_copy(reader, phys, &entry, size)) {
        return false;
    }
    if (header->type == ENTRY_LOCAL_ADDRESS) {
        out->local_apic = entry.address.address;
    } else if (header->type == ENTRY_LOCAL_APIC) {
        if (entry.local.apic_id != LOCAL_APIC_ALL) {
            processor_add(out, entry.local.apic_id, entry.local.flags);
        }
    } else if (entry.x2apic.apic_id != X2APIC_ALL) {
        processor_add(out, entry.x2apic.apic_id, entry.x2apic.flags);
    }
    return true;
}

static const char *entries_take(struct phys_reader *reader, uint64_t phys,
                                uint64_t end, struct acpi_cpus *out)
{
    struct entry_header header;

    for (; phys < end; phys += header.length) {
        if (end - phys < sizeof(header) ||
            !phys_copy(reader, phys, &header, sizeof(header))) {
            return "ACPI: the MADT ends inside an entry";
        }
        if (header.length < sizeof(header)) {
            return "ACPI: the MADT has an entry without length";
        }
        if (header.length > end - phys) {
            return "ACPI: the MADT ends inside an entry";
        }
        if (!entry_take(reader, phys, &header, out)) {
            return "ACPI: the MADT has an entry that is too short";
        }
    }
    return out->count == 0 ? "ACPI: the MADT lists no processor" : NULL;
}

const char *acpi_cpus_parse(struct phys_reader *reader,
                            const struct boot_info *boot, struct acpi_cpus *out)
{
    struct madt madt;
    uint64_t phys;
    uint32_t length;
    const char *problem;

    memset(out, 0, sizeof(*out));
    if (!acpi_find_table(reader, boot, "APIC", &phys, &length)) {
        return "ACPI: no sound MADT";
    }
    if (length < sizeof(madt) ||
        !phys_copy(reader, phys, &madt, sizeof(madt))) {
        return "ACPI: the MADT is too short";
    }
    out->local_apic = madt.local_apic;
    problem = entries_take(reader, phys + sizeof(madt), phys + length, out);
    if (problem != NULL) {
        memset(out, 0, sizeof(*out));
    }
    return problem;
}
