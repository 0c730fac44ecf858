// SPDX-License-Identifier: MIT
//
// The PVH start information. The structures are Xen's public ABI:
// xen/include/public/arch-x86/hvm/start_info.h.

#include "boot/pvh.h"

#include "boot/rsdp.h"
#include "lib/string.h"

#define START_INFO_MAGIC 0x336ec578u

// More than any firmware has. A map that claims more is an error and not cut
// short: what is cut off might be a reservation.
#define MAP_ENTRIES_MAX 65536

// The longest root pointer that we verify; today's have 36 bytes.
#define RSDP_READ_MAX 256

struct start_info_v0 {
    uint32_t magic;
    uint32_t version;
    uint32_t flags;
    uint32_t module_count;
    uint64_t module_list_phys;
    uint64_t cmdline_phys; // 0: none
    uint64_t rsdp_phys;    // 0: none
};

struct start_info_v1 {
    struct start_info_v0 v0;
    uint64_t map_phys;
    uint32_t map_entries;
    uint32_t reserved;
};

struct map_entry {
    uint64_t base;
    uint64_t length;
    uint32_t type; // as in E820
    uint32_t reserved;
};

_Static_assert(sizeof(struct start_info_v0) == 40, "Xen's ABI");
_Static_assert(sizeof(struct start_info_v1) == 56, "Xen's ABI");
_Static_assert(sizeof(struct map_entry) == 24, "Xen's ABI");

// Byte by byte: the line may end just before memory does.
static const char *take_cmdline(struct phys_reader *reader, uint64_t phys,
                                struct boot_info *out)
{
    for (size_t i = 0; i < sizeof(out->cmdline); i++) {
        if (!phys_copy(reader, phys + i, &out->cmdline[i], 1)) {
            return "PVH: the command line lies outside of memory";
        }
        if (out->cmdline[i] == '\0') {
            return NULL;
        }
    }
    out->cmdline[sizeof(out->cmdline) - 1] = '\0';
    out->cmdline_truncated = true;
    return NULL;
}

static void take_rsdp(struct phys_reader *reader, uint64_t phys,
                      struct boot_info *out)
{
    uint8_t rsdp[RSDP_READ_MAX];
    size_t size = RSDP_V1_SIZE;

    if (!phys_copy(reader, phys, rsdp, size)) {
        return;
    }
    if (rsdp_revision(rsdp) >= 2) {
        uint32_t length;

        size = RSDP_V2_SIZE;
        if (!phys_copy(reader, phys, rsdp, size)) {
            return;
        }
        memcpy(&length, rsdp + RSDP_V1_SIZE, sizeof(length));
        size = MAX(size, MIN(length, sizeof(rsdp)));
        if (!phys_copy(reader, phys, rsdp, size)) {
            return;
        }
    }
    rsdp_take(rsdp, size, out);
}

static const char *take_memory_map(struct phys_reader *reader, uint64_t phys,
                                   uint32_t entries, struct boot_info *out)
{
    if (entries > MAP_ENTRIES_MAX) {
        return "PVH: the memory map claims an impossible number of entries";
    }
    for (uint32_t i = 0; i < entries; i++) {
        struct map_entry entry;

        if (!phys_copy(reader, phys, &entry, sizeof(entry))) {
            return "PVH: the memory map lies outside of memory";
        }
        memory_map_add(&out->memory, entry.base, entry.length,
                       memory_type_from_firmware(entry.type));
        phys += sizeof(entry);
    }
    return NULL;
}

static void reset(struct boot_info *out)
{
    out->protocol = BOOT_PROTOCOL_PVH;
    out->cmdline_truncated = false;
    out->efi = false;
    string_copy(out->loader, sizeof(out->loader), "PVH");
    out->cmdline[0] = '\0';
    out->rsdp_length = 0;
    memory_map_init(&out->memory);
}

const char *pvh_parse(struct phys_reader *reader, uint64_t start_info_phys,
                      struct boot_info *out)
{
    struct start_info_v1 info;
    const char *problem = NULL;

    reset(out);
    if (!phys_copy(reader, start_info_phys, &info.v0, sizeof(info.v0))) {
        return "PVH: the start information lies outside of memory";
    }
    if (info.v0.magic != START_INFO_MAGIC) {
        return "PVH: the start information has the wrong magic number";
    }
    if (info.v0.version < 1) {
        return "PVH: the start information is of version 0, without a memory "
               "map; version 1 is needed (QEMU 4.0 or later)";
    }
    if (!phys_copy(reader, start_info_phys, &info, sizeof(info))) {
        return "PVH: the start information lies outside of memory";
    }
    if (info.v0.cmdline_phys != 0) {
        problem = take_cmdline(reader, info.v0.cmdline_phys, out);
    }
    if (problem == NULL) {
        problem = take_memory_map(reader, info.map_phys, info.map_entries, out);
    }
    if (problem != NULL) {
        return problem;
    }
    if (info.v0.rsdp_phys != 0) {
        take_rsdp(reader, info.v0.rsdp_phys, out);
    }
    if (memory_map_total(&out->memory, MEMORY_USABLE) == 0) {
        return "PVH: the loader reports no usable memory";
    }
    return NULL;
}
