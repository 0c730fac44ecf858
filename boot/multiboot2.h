// SPDX-License-Identifier: MIT
//
// What a multiboot2 loader left for us, read with suspicion. Pure: reads the
// loader's block and nothing else. Runs on the host too.
#pragma once

#include "lib/boot_info.h"

// In EAX when the loader enters (Multiboot2 2.0, 3.3).
#define MULTIBOOT2_LOADER_MAGIC 0x36d76289u

// Read the boot information at `info`, of which at most `limit` bytes can be
// read. Fills every member of `out` but kernel_start and kernel_end, which it
// leaves alone, and reserves nothing by itself. Returns NULL, or a message
// that says what is wrong; `out` must not be used then.
//
// A root pointer that fails its checksum is left out, not an error.
const char *multiboot2_parse(const void *info, size_t limit,
                             struct boot_info *out);

// The size that the block at `info` claims: the caller keeps that many bytes
// from being reused until the block is parsed. Not verified.
uint32_t multiboot2_size(const void *info);
