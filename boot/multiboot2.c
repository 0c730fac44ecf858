// SPDX-License-Identifier: MIT
//
// The multiboot2 boot information: a size, then tags of a type, a size and a
// body, each starting on a multiple of 8, up to a tag of type 0. Every number
// is copied out before it is used, so the block needs no alignment.
// (Multiboot2 Specification 2.0, section 3.6)

#include "boot/multiboot2.h"

#include "boot/rsdp.h"
#include "lib/string.h"

enum tag_type {
    TAG_END = 0,
    TAG_CMDLINE = 1,
    TAG_LOADER_NAME = 2,
    TAG_BASIC_MEMORY = 4,
    TAG_MEMORY_MAP = 6,
    TAG_EFI32_TABLE = 11,
    TAG_EFI64_TABLE = 12,
    TAG_RSDP_V1 = 14,
    TAG_RSDP_V2 = 15,
    TAG_EFI_MEMORY_MAP = 17,
    TAG_EFI_NOT_TERMINATED = 18,
    TAG_EFI32_IMAGE = 19,
    TAG_EFI64_IMAGE = 20,
};

struct info_header {
    uint32_t total_size;
    uint32_t reserved;
};

struct tag_header {
    uint32_t type;
    uint32_t size; // with this header, without the padding behind
};

struct basic_memory {
    uint32_t lower_kib; // from 0
    uint32_t upper_kib; // from 1 MiB
};

struct map_header {
    uint32_t entry_size;
    uint32_t entry_version;
};

struct map_entry {
    uint64_t base;
    uint64_t length;
    uint32_t type;
    uint32_t reserved;
};

// What is seen on the way and judged at the end.
struct progress {
    struct boot_info *out;
    bool map_seen;
    bool rsdp_v2_seen;
    bool basic_seen;
    struct basic_memory basic;
};

uint32_t multiboot2_size(const void *info)
{
    struct info_header header;

    memcpy(&header, info, sizeof(header));
    return header.total_size;
}

// A string that ends at its NUL or with its tag. True: it was shortened.
static bool take_string(char *to, size_t size, const uint8_t *body,
                        size_t length)
{
    size_t i = 0;

    while (i < length && body[i] != '\0' && i + 1 < size) {
        to[i] = (char)body[i];
        i++;
    }
    to[i] = '\0';
    return i < length && body[i] != '\0';
}

static const char *take_memory_map(struct progress *progress,
                                   const uint8_t *body, size_t length)
{
    struct map_header header;

    if (length < sizeof(header)) {
        return "multiboot2: the memory map's tag is too short";
    }
    memcpy(&header, body, sizeof(header));
    body += sizeof(header);
    length -= sizeof(header);
    // Entries may grow in later versions; what we know stays in front.
    if (header.entry_size < sizeof(struct map_entry) ||
        header.entry_size % 8 != 0) {
        return "multiboot2: the memory map's entry size is not possible";
    }
    if (length % header.entry_size != 0) {
        return "multiboot2: the memory map ends inside an entry";
    }
    for (; length > 0; length -= header.entry_size) {
        struct map_entry entry;

        memcpy(&entry, body, sizeof(entry));
        memory_map_add(&progress->out->memory, entry.base, entry.length,
                       memory_type_from_firmware(entry.type));
        body += header.entry_size;
    }
    progress->map_seen = true;
    return NULL;
}

static const char *take_basic_memory(struct progress *progress,
                                     const uint8_t *body, size_t length)
{
    if (length < sizeof(progress->basic)) {
        return "multiboot2: the basic memory tag is too short";
    }
    memcpy(&progress->basic, body, sizeof(progress->basic));
    progress->basic_seen = true;
    return NULL;
}

// The long form wins, in whichever order the two come.
static void take_rsdp(struct progress *progress, uint32_t type,
                      const uint8_t *body, size_t length)
{
    if (type == TAG_RSDP_V2) {
        progress->rsdp_v2_seen |= rsdp_take(body, length, progress->out);
    } else if (!progress->rsdp_v2_seen) {
        rsdp_take(body, MIN(length, RSDP_V1_SIZE), progress->out);
    }
}

static const char *take_tag(struct progress *progress, uint32_t type,
                            const uint8_t *body, size_t length)
{
    struct boot_info *out = progress->out;

    switch (type) {
    case TAG_CMDLINE:
        out->cmdline_truncated =
            take_string(out->cmdline, sizeof(out->cmdline), body, length);
        return NULL;
    case TAG_LOADER_NAME:
        take_string(out->loader, sizeof(out->loader), body, length);
        return NULL;
    case TAG_BASIC_MEMORY:
        return take_basic_memory(progress, body, length);
    case TAG_MEMORY_MAP:
        return take_memory_map(progress, body, length);
    case TAG_RSDP_V1:
    case TAG_RSDP_V2:
        take_rsdp(progress, type, body, length);
        return NULL;
    case TAG_EFI32_TABLE:
    case TAG_EFI64_TABLE:
    case TAG_EFI_MEMORY_MAP:
    case TAG_EFI_NOT_TERMINATED:
    case TAG_EFI32_IMAGE:
    case TAG_EFI64_IMAGE:
        out->efi = true;
        return NULL;
    default:
        return NULL;
    }
}

// All tags of the `size` bytes at `info`, header included.
static const char *walk_tags(struct progress *progress, const uint8_t *info,
                             size_t size)
{
    size_t offset = sizeof(struct info_header);

    for (;;) {
        struct tag_header tag;
        const char *problem;

        if (offset > size || size - offset < sizeof(tag)) {
            return "multiboot2: the boot information has no end tag";
        }
        memcpy(&tag, info + offset, sizeof(tag));
        if (tag.size < sizeof(tag) || tag.size > size - offset) {
            return "multiboot2: a tag is longer than the boot information";
        }
        if (tag.type == TAG_END) {
            return NULL;
        }
        problem = take_tag(progress, tag.type, info + offset + sizeof(tag),
                           tag.size - sizeof(tag));
        if (problem != NULL) {
            return problem;
        }
        offset += ALIGN_UP((size_t)tag.size, 8);
    }
}

static void reset(struct boot_info *out)
{
    out->protocol = BOOT_PROTOCOL_MULTIBOOT2;
    out->cmdline_truncated = false;
    out->efi = false;
    out->loader[0] = '\0';
    out->cmdline[0] = '\0';
    out->rsdp_length = 0;
    memory_map_init(&out->memory);
}

const char *multiboot2_parse(const void *info, size_t limit,
                             struct boot_info *out)
{
    struct progress progress = {.out = out};
    size_t size;
    const char *problem;

    reset(out);
    if (limit < sizeof(struct info_header)) {
        return "multiboot2: the boot information is too short";
    }
    size = multiboot2_size(info);
    if (size < sizeof(struct info_header) + sizeof(struct tag_header)) {
        return "multiboot2: the boot information is too short";
    }
    if (size > limit) {
        return "multiboot2: the boot information is longer than its window";
    }
    problem = walk_tags(&progress, info, size);
    if (problem != NULL) {
        return problem;
    }
    if (!progress.map_seen && progress.basic_seen) {
        memory_map_add(&out->memory, 0, KIB(progress.basic.lower_kib),
                       MEMORY_USABLE);
        memory_map_add(&out->memory, MIB(1), KIB(progress.basic.upper_kib),
                       MEMORY_USABLE);
    }
    if (memory_map_total(&out->memory, MEMORY_USABLE) == 0) {
        return "multiboot2: the loader reports no usable memory";
    }
    return NULL;
}
