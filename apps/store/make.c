// SPDX-License-Identifier: MIT
//
// Making an empty store. Its mark is the last thing that becomes durable, and
// the old one's the first that goes: whenever the power goes, there is the old
// store, none, or the new one.
#include "apps/store/crc32c.h"
#include "apps/store/format.h"
#include "apps/store/store_internal.h"

static bool is_empty(struct page *first)
{
    const uint8_t *block = kmap_local_range_ro(first, 0, STORE_BLOCK_SIZE);
    bool empty = true;

    for (size_t at = 0; at < STORE_BLOCK_SIZE; at += STORE_PART_SIZE) {
        empty = empty && store_part_is_zero(block + at, 0);
    }
    kunmap_local(block);
    return empty;
}

// One store of 8 bytes, durable.
static void set_magic(uint8_t *block, uint64_t magic)
{
    struct store_header *header = (void *)(block + STORE_HEADER_AT);

    __atomic_store_n(&header->magic, magic, __ATOMIC_RELEASE);
    pmem_persist(&header->magic, sizeof(header->magic));
}

// What the header will be, with its checksum, which counts the mark in. It is
// made in a part of block 0 that is not in use yet: before all else is durable,
// the mark must not even be on its way to where it counts.
static void fill_header(uint8_t *block, uint64_t blocks, const uint8_t *uuid)
{
    struct store_header *made = (void *)(block + STORE_SLOT_AT);

    *made = (struct store_header){
        .version = STORE_VERSION,
        .magic = STORE_MAGIC,
        .block_size = STORE_BLOCK_SIZE,
        .blocks = blocks,
    };
    memcpy(made->uuid, uuid, STORE_UUID_SIZE);
    made->crc = crc32c_rest(made, STORE_PART_SIZE);
    made->magic = 0;
    memcpy(block + STORE_HEADER_AT, made, sizeof(*made));
    memset(made, 0, sizeof(*made));
}

// All of block 0 but the mark.
static void fill_block(uint8_t *block, uint64_t blocks, const uint8_t *uuid)
{
    uint64_t *selector = (void *)(block + STORE_SELECTOR_AT);
    struct store_superblock *superblock =
        (void *)(block + STORE_SLOT_AT + STORE_PART_SIZE);

    memset(block, 0, STORE_BLOCK_SIZE);
    fill_header(block, blocks, uuid);
    superblock->generation = 1;
    superblock->next_snapshot = 1;
    memcpy(superblock->uuid, uuid, STORE_UUID_SIZE);
    superblock->crc = crc32c_rest(superblock, STORE_PART_SIZE);
    *selector = store_selector_make(1);
}

// Whether the memory has what was written: an NVDIMM may be read-only.
static bool is_kept(const uint8_t *block)
{
    const struct store_header *header = (const void *)block;
    const volatile uint64_t *selector =
        (const void *)(block + STORE_SELECTOR_AT);

    return header->magic == STORE_MAGIC &&
           header->crc == crc32c_rest(header, STORE_PART_SIZE) &&
           *selector == store_selector_make(1);
}

int store_format(struct page *first, uint64_t bytes,
                 const uint8_t uuid[STORE_UUID_SIZE], bool force)
{
    uint64_t blocks = bytes / STORE_BLOCK_SIZE;

    if (blocks < STORE_BLOCKS_MIN || blocks > UINT32_MAX) {
        return -EINVAL;
    }
    if (store_is_mounted(first, bytes)) {
        return -EBUSY;
    }
    if (!force && !is_empty(first)) {
        return -EEXIST;
    }
    uint8_t *block = kmap_local_range(first, 0, STORE_BLOCK_SIZE);
    if (((struct store_header *)(void *)block)->magic != 0) {
        set_magic(block, 0);
    }
    fill_block(block, blocks, uuid);
    pmem_persist(block, STORE_BLOCK_SIZE);
    set_magic(block, STORE_MAGIC);
    int result = is_kept(block) ? 0 : -EIO;
    kunmap_local(block);
    return result;
}
