// SPDX-License-Identifier: MIT
//
// What boot hands to kmain(), whichever loader started us. Everything in it is
// a copy: nothing points into the loader's memory.
#pragma once

#include "lib/memory_map.h"
#include "lib/string.h"
#include "lib/types.h"

#define BOOT_CMDLINE_MAX 2048
#define BOOT_LOADER_MAX 64
#define BOOT_RSDP_SIZE 36 // ACPI 2.0 and later; version 1 has 20 bytes

enum boot_protocol {
    BOOT_PROTOCOL_NONE = 0,
    BOOT_PROTOCOL_MULTIBOOT2,
    BOOT_PROTOCOL_PVH,
};

// A window on physical memory for the parsers of outside data: the `len` bytes
// at `phys`, or NULL when they cannot be read. Valid until the next call.
struct phys_reader {
    const void *(*read)(void *context, uint64_t phys, size_t len);
    void *context;
};

// Copy `len` bytes at `phys`. False: they cannot be read.
static inline bool phys_copy(struct phys_reader *reader, uint64_t phys,
                             void *to, size_t len)
{
    const void *from =
        phys + len < phys ? NULL : reader->read(reader->context, phys, len);

    if (from == NULL) {
        return false;
    }
    memcpy(to, from, len);
    return true;
}

struct boot_info {
    const char *error;        // NULL, or why the rest is not valid
    struct phys_reader early; // until the kernel has its own page tables
    enum boot_protocol protocol;
    bool cmdline_truncated;       // the loader's line was longer than ours
    bool efi;                     // the loader ran on UEFI
    char loader[BOOT_LOADER_MAX]; // its name, for people
    char cmdline[BOOT_CMDLINE_MAX];
    uint8_t rsdp[BOOT_RSDP_SIZE]; // a copy; checksums already verified
    unsigned rsdp_length;         // 20 or 36; 0: there is none
    uint64_t kernel_start;        // physical, first byte of the image
    uint64_t kernel_end;          // physical, first byte behind its .bss
    struct memory_map memory;
};
