// SPDX-License-Identifier: MIT
//
// Makes what loaders and firmware would leave in memory, for the parsers' tests
// and the fuzzers' seeds; and a physical memory that watches its reader.
#pragma once

#include "lib/boot_info.h"

#define IMAGE_SIZE 8192

// A piece of physical memory, with nothing around it.
struct image {
    uint64_t base; // physical address of bytes[0]
    size_t size;
    uint8_t bytes[IMAGE_SIZE];
};

// A window on the image. Each read gives a block of its exact size, which is
// freed at the next read: ASan sees whoever reads on, or keeps a pointer.
struct phys_reader image_reader(const struct image *image);
void image_reader_end(void);

void image_put(struct image *image, size_t offset, const void *bytes,
               size_t len);
void image_put32(struct image *image, size_t offset, uint32_t value);
void image_put64(struct image *image, size_t offset, uint64_t value);

// Make the `len` bytes at `offset` add up to 0 through the one at `checksum`.
void image_fix_checksum(struct image *image, size_t offset, size_t len,
                        size_t checksum);

// Root pointers, 20 and 36 bytes at `offset`.
void image_put_rsdp_v1(struct image *image, size_t offset, uint32_t rsdt);
void image_put_rsdp_v2(struct image *image, size_t offset, uint32_t rsdt,
                       uint64_t xsdt);

// Multiboot2 boot information at offset 0: begin, tags, end.
void image_multiboot2_begin(struct image *image);
void image_multiboot2_tag(struct image *image, uint32_t type, const void *body,
                          size_t len);
void image_multiboot2_end(struct image *image);
// A memory map's tag of `count` entries.
struct image_map_entry {
    uint64_t base, length;
    uint32_t type, reserved;
};
void image_multiboot2_map(struct image *image,
                          const struct image_map_entry *entries, size_t count);
// All that a PC's loader says.
void image_multiboot2_pc(struct image *image);

// PVH start information, with command line, map and root pointer.
#define PVH_BASE 0x10000ull
#define PVH_CMDLINE 0x100
#define PVH_MAP 0x400
#define PVH_RSDP 0x600
void image_pvh_pc(struct image *image);

// ACPI: root pointer, RSDT, XSDT, two tables, FADT, DSDT with \_S5_.
#define ACPI_BASE 0xe0000ull
#define ACPI_RSDP 0x0
#define ACPI_RSDT 0x40
#define ACPI_XSDT 0x80
#define ACPI_FADT 0x100
#define ACPI_OTHER 0x300
#define ACPI_DSDT 0x400
#define ACPI_FADT_SIZE 276
#define ACPI_DSDT_SIZE 1200
#define ACPI_S5 1100 // in the DSDT
void image_acpi_pc(struct image *image);
// The same with an MADT behind all else: the address of the local APICs, then
// `size` bytes of entries.
#define ACPI_MADT 0x900
#define ACPI_MADT_ENTRIES (ACPI_MADT + 44)
void image_acpi_madt(struct image *image, const void *entries, size_t size);
// The same with an NFIT in its place: `size` bytes of entries. Its reserved
// word is no zero: nobody may care.
#define ACPI_NFIT 0x900
#define ACPI_NFIT_ENTRIES (ACPI_NFIT + 40)
void image_acpi_nfit(struct image *image, const void *entries, size_t size);
// The entries that QEMU 7.2 makes for one NVDIMM of 64 MiB: a range, a mapping,
// a control region.
#define QEMU_NFIT_RANGE 0
#define QEMU_NFIT_MAPPING 56
#define QEMU_NFIT_CONTROL 104
#define QEMU_NFIT_SIZE 184
extern const uint8_t image_qemu_nfit[QEMU_NFIT_SIZE];
// Set the length and the checksum of the table at `offset`.
void image_finish_table(struct image *image, size_t offset, uint32_t length);
