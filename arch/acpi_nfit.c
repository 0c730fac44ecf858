// SPDX-License-Identifier: MIT
//
// Persistent memory that the NFIT lists (ACPI 6.5, 5.2.26): where it is, whose
// it is, and what a power cut leaves. Entries come in any order, so the table
// is read several times: ranges first, then modules, then their identities. One
// bad entry spoils the table: what is written to a wrong range is lost.

#include "arch/acpi.h"
#include "lib/string.h"

#define FRAME 4096ull

// No CPU has more bits of physical address (SDM 3A 4.1.4).
#define PHYS_END BIT(52)

// More than the largest machines have; a mapping may cost a walk of all.
#define ENTRIES_MAX 4096

// What stands before the entries.
struct nfit_header {
    struct acpi_header header;
    uint32_t reserved;
} __packed;

_Static_assert(sizeof(struct nfit_header) == 40, "ACPI 6.5, 5.2.26");

enum entry_type {
    ENTRY_RANGE = 0,        // 5.2.26.2
    ENTRY_MAPPING = 1,      // 5.2.26.3
    ENTRY_CONTROL = 4,      // 5.2.26.6
    ENTRY_FLUSH_HINTS = 6,  // 5.2.26.8
    ENTRY_CAPABILITIES = 7, // 5.2.26.9
};

struct entry_header {
    uint16_t type;
    uint16_t length; // with the header
} __packed;

// Later editions append a cookie.
struct entry_range {
    struct entry_header header;
    uint16_t index;
    uint8_t unused_6[10];
    uint8_t guid[16];
    uint64_t base;
    uint64_t length;
    uint64_t attributes;
} __packed;

struct entry_mapping {
    struct entry_header header;
    uint32_t handle;
    uint8_t unused_8[4];
    uint16_t range; // 0: not in the address space
    uint16_t control;
    uint64_t region_length;
    uint64_t region_offset;
    uint8_t unused_32[10];
    uint16_t ways;
    uint16_t state;
    uint16_t reserved;
} __packed;

// What all have, those without block windows too.
struct entry_control {
    struct entry_header header;
    uint16_t index;
    uint16_t vendor;
    uint16_t device;
    uint8_t unused_10[14];
    uint32_t serial;
    uint8_t unused_28[4];
} __packed;

struct entry_flush_hints {
    struct entry_header header;
    uint32_t handle;
    uint16_t count; // of the addresses that follow
    uint8_t reserved[6];
} __packed;

struct entry_capabilities {
    struct entry_header header;
    uint8_t highest; // number of the last bit that is valid
    uint8_t reserved[3];
    uint32_t capabilities;
    uint32_t reserved_12;
} __packed;

_Static_assert(sizeof(struct entry_range) == 56, "ACPI 6.5, 5.2.26.2");
_Static_assert(sizeof(struct entry_mapping) == 48, "ACPI 6.5, 5.2.26.3");
_Static_assert(sizeof(struct entry_control) == 32, "ACPI 6.5, 5.2.26.6");
_Static_assert(offsetof(struct entry_control, serial) == 24, "5.2.26.6");
_Static_assert(sizeof(struct entry_flush_hints) == 16, "ACPI 6.5, 5.2.26.8");
_Static_assert(sizeof(struct entry_capabilities) == 16, "ACPI 6.5, 5.2.26.9");

#define CAPABLE_CACHES BIT(0)
#define CAPABLE_MEMORY BIT(1)

union entry {
    struct entry_header header;
    struct entry_range range;
    struct entry_mapping mapping;
    struct entry_control control;
    struct entry_flush_hints flush_hints;
    struct entry_capabilities capabilities;
};

// {66F0D379-B4F3-4074-AC43-0D3318B78CDB}, as it lies in memory.
static const uint8_t guid_persistent[16] = {0x79, 0xd3, 0xf0, 0x66, 0xf3, 0xb4,
                                            0x74, 0x40, 0xac, 0x43, 0x0d, 0x33,
                                            0x18, 0xb7, 0x8c, 0xdb};

struct nfit {
    struct phys_reader *reader;
    uint64_t entries;
    uint64_t end; // behind the table
    struct acpi_pmem *out;
};

// Looks at one entry, of which what its type has is there. Returns NULL, or
// what is wrong with it.
typedef const char *entry_fn(struct nfit *nfit, const union entry *entry);

// What is read of an entry, in bytes; its header in any case.
static const uint8_t entry_sizes[] = {
    [ENTRY_RANGE] = sizeof(struct entry_range),
    [ENTRY_MAPPING] = sizeof(struct entry_mapping),
    [ENTRY_CONTROL] = sizeof(struct entry_control),
    [ENTRY_FLUSH_HINTS] = sizeof(struct entry_flush_hints),
    [ENTRY_CAPABILITIES] = sizeof(struct entry_capabilities),
};

static const char *entry_read(struct nfit *nfit, uint64_t phys,
                              union entry *entry)
{
    uint64_t left = nfit->end - phys;
    size_t size = sizeof(entry->header);

    memset(entry, 0, sizeof(*entry));
    if (left < sizeof(entry->header) ||
        !phys_copy(nfit->reader, phys, &entry->header, sizeof(entry->header))) {
        return "ACPI: the NFIT ends inside an entry";
    }
    if (entry->header.length < sizeof(entry->header)) {
        return "ACPI: the NFIT has an entry without length";
    }
    if (entry->header.length > left) {
        return "ACPI: the NFIT ends inside an entry";
    }
    if (entry->header.type < ARRAY_SIZE(entry_sizes)) {
        size = MAX(size, entry_sizes[entry->header.type]);
    }
    if (entry->header.length < size ||
        !phys_copy(nfit->reader, phys, entry, size)) {
        return "ACPI: the NFIT has an entry that is too short";
    }
    return NULL;
}

static const char *for_each(struct nfit *nfit, uint16_t type, entry_fn *take)
{
    union entry entry;
    unsigned number = 0;

    for (uint64_t phys = nfit->entries; phys < nfit->end;
         phys += entry.header.length) {
        const char *problem = entry_read(nfit, phys, &entry);

        if (problem == NULL && ++number > ENTRIES_MAX) {
            problem = "ACPI: the NFIT has an impossible number of entries";
        }
        if (problem == NULL && entry.header.type == type) {
            problem = take(nfit, &entry);
        }
        if (problem != NULL) {
            return problem;
        }
    }
    return number == 0 ? "ACPI: the NFIT has no entry" : NULL;
}

static const char *take_range(struct nfit *nfit, const union entry *entry)
{
    const struct entry_range *range = &entry->range;
    struct acpi_pmem *out = nfit->out;

    if (memcmp(range->guid, guid_persistent, sizeof(range->guid)) != 0) {
        return NULL; // volatile, or a disk
    }
    if (range->index == 0) {
        return "ACPI: the NFIT has a range without a number";
    }
    if (range->length == 0) {
        return "ACPI: the NFIT has a range of length 0";
    }
    if (range->base >= PHYS_END || range->length > PHYS_END - range->base) {
        return "ACPI: the NFIT has a range past the end of physical addresses";
    }
    for (unsigned i = 0; i < out->count; i++) {
        const struct acpi_pmem_range *other = &out->range[i];

        if (range->base < other->base + other->length &&
            other->base < range->base + range->length) {
            return "ACPI: the NFIT has ranges that overlap";
        }
        if (range->index == other->spa) {
            return "ACPI: the NFIT has two ranges of one number";
        }
    }
    if (out->count == ARRAY_SIZE(out->range)) {
        out->beyond++;
        return NULL;
    }
    out->range[out->count++] = (struct acpi_pmem_range){
        .base = range->base,
        .length = range->length,
        .attributes = range->attributes,
        .spa = range->index,
    };
    return NULL;
}

static const char *take_flush_hints(struct nfit *nfit, const union entry *entry)
{
    const struct entry_flush_hints *hints = &entry->flush_hints;

    if (entry->header.length < sizeof(*hints) + 8 * (size_t)hints->count) {
        return "ACPI: the NFIT has an entry that is too short";
    }
    nfit->out->flush_hints += hints->count;
    return NULL;
}

// The first bit implies the second. Bits behind the highest that the platform
// has do not count: it does not have them.
static const char *take_capabilities(struct nfit *nfit,
                                     const union entry *entry)
{
    unsigned highest = MIN(entry->capabilities.highest, 31);
    uint64_t bits = entry->capabilities.capabilities & BITS(highest, 0);

    nfit->out->caches_durable = bits & CAPABLE_CACHES;
    nfit->out->memory_durable = bits & (CAPABLE_CACHES | CAPABLE_MEMORY);
    nfit->out->memory_lost = !nfit->out->memory_durable;
    return NULL;
}

// Ranges that are not persistent, or beyond our array, have mappings too.
static bool range_listed(struct nfit *nfit, uint16_t index)
{
    union entry entry;

    for (uint64_t phys = nfit->entries; phys < nfit->end;
         phys += entry.header.length) {
        if (entry_read(nfit, phys, &entry) != NULL) {
            return false;
        }
        if (entry.header.type == ENTRY_RANGE && entry.range.index == index) {
            return true;
        }
    }
    return false;
}

static struct acpi_pmem_range *range_find(struct acpi_pmem *out, uint16_t index)
{
    for (unsigned i = 0; i < out->count; i++) {
        if (out->range[i].spa == index) {
            return &out->range[i];
        }
    }
    return NULL;
}

static const char *take_mapping(struct nfit *nfit, const union entry *entry)
{
    const struct entry_mapping *mapping = &entry->mapping;
    struct acpi_pmem_range *range = range_find(nfit->out, mapping->range);

    if (mapping->range == 0) {
        return NULL;
    }
    if (range == NULL) {
        return range_listed(nfit, mapping->range)
                   ? NULL
                   : "ACPI: the NFIT maps a module to a range that is not "
                     "there";
    }
    if (mapping->region_length > range->length ||
        mapping->region_offset >= range->length) {
        return "ACPI: the NFIT maps a module to more than its range";
    }
    if (range->modules++ == 0) {
        range->handle = mapping->handle;
        range->control = mapping->control;
    }
    range->state |= mapping->state;
    range->interleaved |= range->modules > 1 || mapping->ways > 1;
    return NULL;
}

static const char *take_control(struct nfit *nfit, const union entry *entry)
{
    const struct entry_control *control = &entry->control;
    struct acpi_pmem *out = nfit->out;

    for (unsigned i = 0; i < out->count; i++) {
        struct acpi_pmem_range *range = &out->range[i];

        if (range->control != 0 && range->control == control->index &&
            !range->identified) {
            range->identified = true;
            range->serial = control->serial;
            range->vendor = control->vendor;
            range->device = control->device;
        }
    }
    return NULL;
}

// What can be judged when all is known: identities, whole frames, the note.
static const char *finish(struct acpi_pmem *out)
{
    for (unsigned i = 0; i < out->count; i++) {
        struct acpi_pmem_range *range = &out->range[i];
        uint64_t end = ALIGN_DOWN(range->base + range->length, FRAME);
        uint64_t base = ALIGN_UP(range->base, FRAME);

        if (range->control != 0 && !range->identified) {
            return "ACPI: the NFIT names a control region that is not there";
        }
        if (base >= end) {
            return "ACPI: the NFIT has a range without a whole frame";
        }
        if (range->state & ACPI_PMEM_TROUBLE) {
            out->note = "ACPI: an NVDIMM reports that it may lose data";
        } else if (end - base != range->length && out->note == NULL) {
            out->note = "ACPI: the NFIT has a range that does not consist of "
                        "whole frames; its ends are left out";
        }
        range->base = base;
        range->length = end - base;
    }
    return NULL;
}

static const char *table_take(struct nfit *nfit)
{
    static const struct {
        uint16_t type;
        entry_fn *take;
    } passes[] = {
        {ENTRY_RANGE, take_range},
        {ENTRY_FLUSH_HINTS, take_flush_hints},
        {ENTRY_CAPABILITIES, take_capabilities},
        {ENTRY_MAPPING, take_mapping},
        {ENTRY_CONTROL, take_control},
    };

    for (size_t i = 0; i < ARRAY_SIZE(passes); i++) {
        const char *problem = for_each(nfit, passes[i].type, passes[i].take);

        if (problem != NULL) {
            return problem;
        }
    }
    return finish(nfit->out);
}

const char *acpi_pmem_parse(struct phys_reader *reader,
                            const struct boot_info *boot, struct acpi_pmem *out)
{
    struct nfit nfit = {.reader = reader, .out = out};
    uint64_t phys;
    uint32_t length;
    const char *problem;

    memset(out, 0, sizeof(*out));
    out->listed = acpi_table_listed(reader, boot, "NFIT");
    if (!out->listed) {
        return NULL;
    }
    if (!acpi_find_table(reader, boot, "NFIT", &phys, &length)) {
        return "ACPI: the NFIT is damaged: its length or checksum is wrong";
    }
    if (length < sizeof(struct nfit_header)) {
        return "ACPI: the NFIT is too short";
    }
    nfit.entries = phys + sizeof(struct nfit_header);
    nfit.end = phys + length;
    problem = table_take(&nfit);
    if (problem != NULL) {
        memset(out, 0, sizeof(*out));
        out->listed = true;
    }
    return problem;
}
