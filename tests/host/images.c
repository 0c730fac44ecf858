// SPDX-License-Identifier: MIT
//
// Makes what loaders and firmware would leave in memory.

#include "tests/host/images.h"

#include <stdlib.h>
#include <string.h>

static void *block;

static const void *read_image(void *context, uint64_t phys, size_t len)
{
    const struct image *image = context;

    image_reader_end();
    // Readers of memory need not look out for this: their callers must.
    if (phys + len < phys) {
        abort();
    }
    if (phys < image->base || phys - image->base > image->size ||
        len > image->size - (phys - image->base)) {
        return NULL;
    }
    block = malloc(len);
    if (block != NULL) {
        memcpy(block, image->bytes + (phys - image->base), len);
    }
    return block;
}

struct phys_reader image_reader(const struct image *image)
{
    return (struct phys_reader){read_image, (void *)(uintptr_t)image};
}

void image_reader_end(void)
{
    free(block);
    block = NULL;
}

void image_put(struct image *image, size_t offset, const void *bytes,
               size_t len)
{
    if (offset > IMAGE_SIZE || len > IMAGE_SIZE - offset) {
        abort();
    }
    memcpy(image->bytes + offset, bytes, len);
}

void image_put32(struct image *image, size_t offset, uint32_t value)
{
    image_put(image, offset, &value, sizeof(value));
}

void image_put64(struct image *image, size_t offset, uint64_t value)
{
    image_put(image, offset, &value, sizeof(value));
}

void image_fix_checksum(struct image *image, size_t offset, size_t len,
                        size_t checksum)
{
    uint8_t sum = 0;

    image->bytes[checksum] = 0;
    for (size_t i = 0; i < len; i++) {
        sum = (uint8_t)(sum + image->bytes[offset + i]);
    }
    image->bytes[checksum] = (uint8_t)(0u - sum);
}

void image_put_rsdp_v1(struct image *image, size_t offset, uint32_t rsdt)
{
    memset(image->bytes + offset, 0, 20);
    image_put(image, offset, "RSD PTR \0KEYHOL", 15);
    image_put32(image, offset + 16, rsdt);
    image_fix_checksum(image, offset, 20, offset + 8);
}

void image_put_rsdp_v2(struct image *image, size_t offset, uint32_t rsdt,
                       uint64_t xsdt)
{
    memset(image->bytes + offset, 0, 36);
    image_put(image, offset, "RSD PTR \0KEYHOL\2", 16);
    image_put32(image, offset + 16, rsdt);
    image_put32(image, offset + 20, 36);
    image_put64(image, offset + 24, xsdt);
    image_fix_checksum(image, offset, 20, offset + 8);
    image_fix_checksum(image, offset, 36, offset + 32);
}

void image_multiboot2_begin(struct image *image)
{
    memset(image, 0, sizeof(*image));
    image->size = 8;
}

void image_multiboot2_tag(struct image *image, uint32_t type, const void *body,
                          size_t len)
{
    image_put32(image, image->size, type);
    image_put32(image, image->size + 4, (uint32_t)(8 + len));
    image_put(image, image->size + 8, body, len);
    image->size = ALIGN_UP(image->size + 8 + len, 8);
}

void image_multiboot2_end(struct image *image)
{
    image_multiboot2_tag(image, 0, "", 0);
    image_put32(image, 0, (uint32_t)image->size);
}

void image_multiboot2_map(struct image *image,
                          const struct image_map_entry *entries, size_t count)
{
    uint8_t body[IMAGE_SIZE] = {24, 0, 0, 0, 0, 0, 0, 0};

    memcpy(body + 8, entries, count * sizeof(*entries));
    image_multiboot2_tag(image, 6, body, 8 + count * sizeof(*entries));
}

static const struct image_map_entry pc_map[] = {
    {0, 0x9fc00, 1, 0},          {0x9fc00, 0x400, 2, 0},
    {0xf0000, 0x10000, 2, 0},    {0x100000, 0x1fee0000, 1, 0},
    {0x1ffe0000, 0x10000, 3, 0}, {0x1fff0000, 0x10000, 4, 0},
    {0xfffc0000, 0x40000, 2, 0}, {0x100000000, 0x80000000, 1, 0},
};

void image_multiboot2_pc(struct image *image)
{
    struct image rsdp = {0};
    uint32_t basic[] = {639, 523136};

    image_multiboot2_begin(image);
    image_multiboot2_tag(image, 1, "protect=pks test=kmap.*", 24);
    image_multiboot2_tag(image, 2, "GRUB 2.06", 10);
    image_multiboot2_tag(image, 4, basic, sizeof(basic));
    image_multiboot2_map(image, pc_map, ARRAY_SIZE(pc_map));
    image_put_rsdp_v1(&rsdp, 0, 0x1ffe1000);
    image_multiboot2_tag(image, 14, rsdp.bytes, 20);
    image_put_rsdp_v2(&rsdp, 0, 0x1ffe1000, 0x1ffe2000);
    image_multiboot2_tag(image, 15, rsdp.bytes, 36);
    image_multiboot2_end(image);
}

void image_pvh_pc(struct image *image)
{
    memset(image, 0, sizeof(*image));
    image->base = PVH_BASE;
    image->size = 0x800;
    image_put32(image, 0, 0x336ec578);
    image_put32(image, 4, 1);
    image_put64(image, 24, PVH_BASE + PVH_CMDLINE);
    image_put64(image, 32, PVH_BASE + PVH_RSDP);
    image_put64(image, 40, PVH_BASE + PVH_MAP);
    image_put32(image, 48, ARRAY_SIZE(pc_map));
    image_put(image, PVH_CMDLINE, "protect=exact bench", 20);
    image_put(image, PVH_MAP, pc_map, sizeof(pc_map));
    image_put_rsdp_v1(image, PVH_RSDP, 0x1ffe1000);
}

void image_finish_table(struct image *image, size_t offset, uint32_t length)
{
    image_put32(image, offset + 4, length);
    image_fix_checksum(image, offset, length, offset + 9);
}

static void put_fadt(struct image *image)
{
    size_t at = ACPI_FADT;

    image_put(image, at, "FACP", 4);
    image_put32(image, at + 40, ACPI_BASE + ACPI_DSDT);
    image_put32(image, at + 64, 0x604);
    image_put32(image, at + 112, 1u << 10);
    image_put(image, at + 116, "\1\10\0\0", 4);
    image_put64(image, at + 120, 0xcf9);
    image->bytes[at + 128] = 0x0f;
    image_put64(image, at + 140, ACPI_BASE + ACPI_DSDT);
    image_finish_table(image, at, ACPI_FADT_SIZE);
}

void image_acpi_pc(struct image *image)
{
    // Name (_S5, Package () { 5, 6, 0, 0 })
    static const uint8_t s5[] = {0x08, '_',  'S', '5',  '_', 0x12, 0x08,
                                 0x04, 0x0a, 5,   0x0a, 6,   0x00, 0x00};

    memset(image, 0, sizeof(*image));
    image->base = ACPI_BASE;
    image->size = 0x1000;
    image_put_rsdp_v2(image, ACPI_RSDP, ACPI_BASE + ACPI_RSDT,
                      ACPI_BASE + ACPI_XSDT);
    image_put(image, ACPI_RSDT, "RSDT", 4);
    image_put32(image, ACPI_RSDT + 36, ACPI_BASE + ACPI_OTHER);
    image_put32(image, ACPI_RSDT + 40, ACPI_BASE + ACPI_FADT);
    image_finish_table(image, ACPI_RSDT, 44);
    image_put(image, ACPI_XSDT, "XSDT", 4);
    image_put64(image, ACPI_XSDT + 36, ACPI_BASE + ACPI_OTHER);
    image_put64(image, ACPI_XSDT + 44, ACPI_BASE + ACPI_FADT);
    image_finish_table(image, ACPI_XSDT, 52);
    put_fadt(image);
    image_put(image, ACPI_OTHER, "APIC", 4);
    image_finish_table(image, ACPI_OTHER, 44);
    image_put(image, ACPI_DSDT, "DSDT", 4);
    image_put(image, ACPI_DSDT + ACPI_S5, s5, sizeof(s5));
    image_finish_table(image, ACPI_DSDT, ACPI_DSDT_SIZE);
}

// Put a table's address in the place of the one that does not matter.
static void list_table(struct image *image, uint32_t phys)
{
    image_put32(image, ACPI_RSDT + 36, phys);
    image_finish_table(image, ACPI_RSDT, 44);
    image_put64(image, ACPI_XSDT + 36, phys);
    image_finish_table(image, ACPI_XSDT, 52);
}

void image_acpi_madt(struct image *image, const void *entries, size_t size)
{
    image_acpi_pc(image);
    image->size = IMAGE_SIZE;
    image_put(image, ACPI_MADT, "APIC", 4);
    image_put32(image, ACPI_MADT + 36, 0xfee00000);
    image_put(image, ACPI_MADT_ENTRIES, entries, size);
    image_finish_table(image, ACPI_MADT, (uint32_t)(44 + size));
    list_table(image, ACPI_BASE + ACPI_MADT);
}

void image_acpi_nfit(struct image *image, const void *entries, size_t size)
{
    image_acpi_pc(image);
    image->size = IMAGE_SIZE;
    image_put(image, ACPI_NFIT, "NFIT", 4);
    image_put32(image, ACPI_NFIT + 36, 0x01234567);
    image_put(image, ACPI_NFIT_ENTRIES, entries, size);
    image_finish_table(image, ACPI_NFIT, (uint32_t)(40 + size));
    list_table(image, ACPI_BASE + ACPI_NFIT);
}

// Read from the memory of a guest with -device nvdimm.
const uint8_t image_qemu_nfit[QEMU_NFIT_SIZE] = {
    0,    0,    0x38, 0,    0x02, 0,    0x03, 0,    0,    0,    0,    0,
    0,    0,    0,    0,    0x79, 0xd3, 0xf0, 0x66, 0xf3, 0xb4, 0x74, 0x40,
    0xac, 0x43, 0x0d, 0x33, 0x18, 0xb7, 0x8c, 0xdb, 0,    0,    0,    0,
    0x01, 0,    0,    0,    0,    0,    0,    0x04, 0,    0,    0,    0,
    0x08, 0x80, 0,    0,    0,    0,    0,    0,    0x01, 0,    0x30, 0,
    0x01, 0,    0,    0,    0,    0,    0,    0,    0x02, 0,    0x03, 0,
    0,    0,    0,    0x04, 0,    0,    0,    0,    0,    0,    0,    0,
    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
    0,    0,    0x01, 0,    0,    0,    0,    0,    0x04, 0,    0x50, 0,
    0x03, 0,    0x86, 0x80, 0x01, 0,    0x01, 0,    0,    0,    0,    0,
    0,    0,    0,    0,    0,    0,    0,    0,    0x56, 0x34, 0x12, 0,
    0x01, 0x03, 0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
    0,    0,    0,    0};
