// SPDX-License-Identifier: MIT
//
// Writes the seeds that are not text: seeds CORPUS, where CORPUS holds one
// folder for each fuzzer.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/host/images.h"

static const char *corpus;

static void write_seed(const char *name, const void *bytes, size_t size)
{
    char path[4096];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", corpus, name);
    file = fopen(path, "wb");
    if (file == NULL || fwrite(bytes, 1, size, file) != size ||
        fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

static void write_multiboot2(void)
{
    static const struct image_map_entry map[] = {{0x100000, 0x100000, 1, 0}};
    static struct image image;
    uint32_t basic[] = {640, 1024};

    image_multiboot2_pc(&image);
    write_seed("multiboot2/pc", image.bytes, image.size);
    image_multiboot2_begin(&image);
    image_multiboot2_tag(&image, 4, basic, sizeof(basic));
    image_multiboot2_end(&image);
    write_seed("multiboot2/basic", image.bytes, image.size);
    image_multiboot2_begin(&image);
    image_multiboot2_map(&image, map, 1);
    image_multiboot2_tag(&image, 12, "12345678", 8);
    image_multiboot2_end(&image);
    write_seed("multiboot2/efi", image.bytes, image.size);
}

// More than a line holds, then keys in the full line.
static void write_keys(void)
{
    char keys[300];

    memset(keys, 'x', sizeof(keys));
    memcpy(keys + 290, "\x01y\x05\t\x17z\r\x10\x10!", 10);
    write_seed("lineedit/full", keys, sizeof(keys));
}

static void write_pvh(void)
{
    static struct image image;

    image_pvh_pc(&image);
    write_seed("pvh/pc", image.bytes, image.size);
    image_put_rsdp_v2(&image, PVH_RSDP, 0x1000, 0x2000);
    write_seed("pvh/rsdp2", image.bytes, PVH_RSDP + 36);
    // A command line longer than ours.
    memset(image.bytes + 0x800, 'x', BOOT_CMDLINE_MAX + 1);
    image_put64(&image, 24, PVH_BASE + 0x800);
    write_seed("pvh/long", image.bytes, 0x800 + BOOT_CMDLINE_MAX + 1);
}

// An entry of each type that counts: two ranges, two modules in turns, what
// they flush, what the platform can do.
static void write_nfit_of_all(void)
{
    static const uint8_t more[] = {
        6, 0, 24, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, // flush hints
        0, 0, 0,  1, 0, 0, 0, 0,                         // their address
        7, 0, 16, 0, 1, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, // capabilities
    };
    static struct image image;
    uint8_t entries[2 * QEMU_NFIT_SIZE + sizeof(more)];
    uint8_t *second = entries + QEMU_NFIT_SIZE;

    memcpy(entries, image_qemu_nfit, QEMU_NFIT_SIZE);
    memcpy(second, image_qemu_nfit, QEMU_NFIT_SIZE);
    memcpy(second + QEMU_NFIT_SIZE, more, sizeof(more));
    second[QEMU_NFIT_RANGE + 4] = 4;   // its number
    second[QEMU_NFIT_RANGE + 36] = 2;  // its base
    second[QEMU_NFIT_CONTROL + 4] = 5; // not the first's
    image_acpi_nfit(&image, entries, sizeof(entries));
    write_seed("acpi/nfit_all", image.bytes,
               ACPI_NFIT_ENTRIES + sizeof(entries));
}

static void write_acpi(void)
{
    // A processor of each kind, an address, an interrupt controller.
    static const uint8_t processors[] = {
        0, 8,  0, 0, 1, 0, 0,    0,                            // type 0
        9, 16, 0, 0, 0, 1, 0,    0,    1, 0, 0, 0, 2, 0, 0, 0, // type 9
        5, 12, 0, 0, 0, 0, 0xe0, 0xfe, 0, 0, 0, 0,             // address
        1, 12, 8, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0,             // I/O APIC
    };
    static struct image image;

    image_acpi_pc(&image);
    write_seed("acpi/pc", image.bytes, ACPI_DSDT + ACPI_DSDT_SIZE);
    image_acpi_madt(&image, processors, sizeof(processors));
    write_seed("acpi/madt", image.bytes,
               ACPI_MADT_ENTRIES + sizeof(processors));
    image_acpi_nfit(&image, image_qemu_nfit, QEMU_NFIT_SIZE);
    write_seed("acpi/nfit", image.bytes, ACPI_NFIT_ENTRIES + QEMU_NFIT_SIZE);
    write_nfit_of_all();
    image_acpi_pc(&image);
    // An odd size: the fuzzer then goes through the RSDT.
    write_seed("acpi/rsdt", image.bytes, ACPI_DSDT + ACPI_DSDT_SIZE + 1);
}

static void write_memory_maps(void)
{
    // The window, then start, length and type of each report.
    static const uint8_t overlap[] = {0, 0, 0, 0, 4, 0, 0, 1,
                                      0, 1, 3, 7, 0, 9, 0, 1};
    static const uint8_t wrap[] = {1, 0, 8, 0xff, 0xff, 0, 0, 4, 0xff, 0xff, 3};
    static uint8_t many[1 + 400 * 5];

    for (unsigned i = 0; i < 400; i++) {
        uint8_t *report = many + 1 + i * 5;
        unsigned start = i * 8;

        report[0] = (uint8_t)start;
        report[1] = (uint8_t)(start >> 8);
        report[2] = 4;
        report[4] = (uint8_t)(i % 5);
    }
    write_seed("memory_map/overlap", overlap, sizeof(overlap));
    write_seed("memory_map/wrap", wrap, sizeof(wrap));
    write_seed("memory_map/many", many, sizeof(many));
}

static void write_formats(void)
{
    // Flags, width, precision, modifier, type, room, value.
    static const uint8_t number[] = {6,    12, 0, 3, 2, 0, 0xef,
                                     0xbe, 0,  0, 0, 0, 0, 0x80};
    static const uint8_t string[] = {29,  9,   3,   0,   5,   7,   'a',
                                     'b', 'c', 'd', 'e', 'f', 'g', 'h'};

    write_seed("format/number", number, sizeof(number));
    write_seed("format/string", string, sizeof(string));
}

// The format is that of tools/symbols.
static void write_symbols(void)
{
    static uint8_t table[] = {
        // base; functions, blocks, files, origins, stream, end
        0, 0x10, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 40, 0, 0, 0, 48, 0,
        0, 0, 63, 0, 0, 0, 97, 0, 0, 0,
        // the index, files, and origins
        0, 0, 0, 0, 0, 0, 0, 0, 'a', '.', 'c', 0, 'b', '.', 'h', 0, 0, 10, 'i',
        'n', 'n', 'e', 'r', 0, 1, 20, 'd', 'e', 'e', 'p', 0,
        // a function with one that has another in line, and the former
        0, 32, 'o', 'u', 't', 'e', 'r', 0, 4, 0xf0, 0, 30, 0x54, 10, 2, 12, 2,
        5, 5, 1, 4, 5, 1, 0x7d, 0, 16, 'i', 'n', 'n', 'e', 'r', 0, 0, 0};

    write_seed("symbols/in_line", table, sizeof(table));
    table[15] = 0x10; // of the number of blocks
    write_seed("symbols/many_blocks", table, sizeof(table));
}

// What to try, then changes: kind and size, block, offset (two bytes), value.
static void write_store(void)
{
    static const uint8_t bits[] = {
        0, 0, 0, 1,    0, 3, 0, 0, 0, // of the selector
        0, 0, 5, 0x10, 0, 1, 0, 0, 0, // of a block's generation
    };
    static const uint8_t count[] = {1, 0x11, 5, 6, 0, 0xa9, 2, 0, 0};
    static const uint8_t child[] = {1 | 4, 0x21, 3, 64 + 20, 0, 3, 0, 0, 0};
    static const uint8_t stale[] = {0, 4, 6, 0, 0, 0, 1, 0, 0};
    static const uint8_t twice[] = {1 | 8 | 16, 5, 6, 0, 0, 4, 0, 0, 0};
    static const uint8_t late[] = {4 | 32, 0x13, 4, 64 + 18, 0, 1, 0, 0, 0};
    // A value that has become too large since it was looked at.
    static const uint8_t large[] = {0xfd, 0xff, 0x60, 0xca, 0x5b, 0x48, 0x55,
                                    0xff, 0x06, 0x0b, 0x05, 0x00, 0x11, 0x7e};
    static const uint8_t item[] = {1 | 2, 7, 2, 64, 0, 2, 20, 0, 0};
    static const uint8_t fill[] = {2, 6, 9, 0, 0x80, 0x5a, 0xff, 0xff, 0};

    write_seed("store/bits", bits, sizeof(bits));
    write_seed("store/count", count, sizeof(count));
    write_seed("store/child", child, sizeof(child));
    write_seed("store/stale", stale, sizeof(stale));
    write_seed("store/twice", twice, sizeof(twice));
    write_seed("store/late", late, sizeof(late));
    write_seed("store/large", large, sizeof(large));
    write_seed("store/item", item, sizeof(item));
    write_seed("store/fill", fill, sizeof(fill));
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: seeds CORPUS\n");
        return 2;
    }
    corpus = argv[1];
    write_multiboot2();
    write_pvh();
    write_keys();
    write_acpi();
    write_memory_maps();
    write_formats();
    write_symbols();
    write_store();
    return 0;
}
