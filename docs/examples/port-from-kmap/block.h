// SPDX-License-Identifier: MIT
//
// A metadata block of a file system: 16 KiB, in four frames of one domain that
// may lie side by side or anywhere. Its first word is the checksum of the rest.
#pragma once

#include <keyhole.h>

#define BLOCK_SIZE 16384 // bytes
#define BLOCK_PAGES (BLOCK_SIZE / PAGE_SIZE)

struct block {
    struct page *pages[BLOCK_PAGES];
    bool contiguous; // pages[0] to pages[0] + 3
};

// Frames for a block, zeroed. 0, or -ENOMEM.
int block_alloc(struct block *block, struct domain *domain, bool contiguous);
void block_free(struct block *block);

// Write `length` bytes at `offset`, and the new checksum.
void block_update(struct block *block, size_t offset, const void *from,
                  size_t length);

// Whether the checksum is that of the rest.
bool block_is_good(const struct block *block);

// CRC-32C of `length` bytes, going on from `crc`.
uint32_t crc32c(uint32_t crc, const void *data, size_t length);
