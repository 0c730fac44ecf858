// SPDX-License-Identifier: MIT
#include "block.h"

struct header {
    uint32_t checksum; // of everything behind it
};

int block_alloc(struct block *block, struct domain *domain, bool contiguous)
{
    *block = (struct block){.contiguous = contiguous};
    if (contiguous) {
        struct page *first = alloc_pages(domain, 2); // 2^2 frames
        for (size_t i = 0; first != NULL && i < BLOCK_PAGES; i++) {
            block->pages[i] = first + i;
        }
        return first != NULL ? 0 : -ENOMEM;
    }
    for (size_t i = 0; i < BLOCK_PAGES; i++) {
        block->pages[i] = alloc_page(domain);
        if (block->pages[i] == NULL) {
            block_free(block);
            return -ENOMEM;
        }
    }
    return 0;
}

void block_free(struct block *block)
{
    if (block->contiguous) {
        free_pages(block->pages[0], 2);
        return;
    }
    for (size_t i = 0; i < BLOCK_PAGES && block->pages[i] != NULL; i++) {
        free_page(block->pages[i]);
    }
}

// All of the block at one address, for this thread, until kunmap_local().
static struct header *block_open(const struct block *block)
{
    return block->contiguous ? kmap_local_range(block->pages[0], 0, BLOCK_SIZE)
                             : kmap_local_pages(block->pages, BLOCK_PAGES);
}

static const struct header *block_open_ro(const struct block *block)
{
    return block->contiguous
               ? kmap_local_range_ro(block->pages[0], 0, BLOCK_SIZE)
               : kmap_local_pages_ro(block->pages, BLOCK_PAGES);
}

// In a bracket: `header` is the whole block, page borders or not.
static uint32_t checksum(const struct header *header)
{
    return ~crc32c(~0u, header + 1, BLOCK_SIZE - sizeof(*header));
}

void block_update(struct block *block, size_t offset, const void *from,
                  size_t length)
{
    struct header *header = block_open(block);
    memcpy((char *)header + offset, from, length);
    header->checksum = checksum(header);
    kunmap_local(header);
}

bool block_is_good(const struct block *block)
{
    const struct header *header = block_open_ro(block);
    bool good = header->checksum == checksum(header);
    kunmap_local(header);
    return good;
}

uint32_t crc32c(uint32_t crc, const void *data, size_t length)
{
    const uint8_t *byte = data;
    while (length-- > 0) {
        crc ^= *byte++;
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
        }
    }
    return crc;
}
