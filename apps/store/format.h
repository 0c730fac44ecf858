// SPDX-License-Identifier: MIT
//
// What is on the medium, version 1; docs/reference/store-format.md says it in
// words. Little-endian, as the CPU is. Private to the store.
#pragma once

#include "apps/store/store.h"
#include "lib/types.h"

#define STORE_VERSION 1
#define STORE_MAGIC 0x0a454c4f4859454bull // "KEYHOLE\n"
#define STORE_GENERATION_BITS 48
#define STORE_GENERATION_MAX ((1ull << STORE_GENERATION_BITS) - 1)
#define STORE_BLOCK_PAGES (STORE_BLOCK_SIZE / 4096)
#define STORE_LINE 64

// Where things are in block 0; each has 4096 bytes.
#define STORE_HEADER_AT 0x0000
#define STORE_SELECTOR_AT 0x1000
#define STORE_SLOT_AT 0x2000 // of generation g: + g % 2 * STORE_PART_SIZE
#define STORE_PART_SIZE 0x1000

#define STORE_OWN_OBJECT 0xffffffffffffffffull
#define STORE_OWN_SNAPSHOT 1

// No tree is higher: one of full nodes has 2^32 leaves at level 4 already.
#define STORE_LEVELS 8

struct store_header {
    uint32_t crc;
    uint32_t version;
    uint64_t magic;
    uint32_t block_size;
    uint32_t zero;
    uint64_t blocks;
    uint8_t uuid[STORE_UUID_SIZE];
};

struct store_superblock {
    uint32_t crc;
    uint32_t level;
    uint64_t generation;
    uint64_t root;
    uint64_t root_generation;
    uint64_t items;
    uint64_t next_snapshot;
    uint64_t snapshots;
    uint8_t uuid[STORE_UUID_SIZE];
};

// The head of each block but block 0; items follow. In a block that a
// transaction has not committed yet, `crc` is the number of its record there.
struct store_node {
    uint32_t crc;
    uint16_t level;
    uint16_t count;
    uint64_t block;
    uint64_t generation;
    uint16_t data_start;
    uint16_t data_bytes;
    uint32_t zero;
    uint8_t uuid[STORE_UUID_SIZE];
    uint64_t zeroes[2];
};

struct store_leaf_item {
    uint64_t object, offset;
    uint8_t type;
    uint8_t zero;
    uint16_t data_offset;
    uint16_t size;
    uint16_t zero2;
};

struct store_inner_item {
    uint64_t object, offset;
    uint8_t type;
    uint8_t zero[3];
    uint32_t block;
    uint64_t generation;
};

struct store_snapshot_record {
    uint64_t generation;
    uint64_t root;
    uint64_t root_generation;
    uint32_t level;
    uint32_t name_length;
    uint64_t items;
    char name[STORE_NAME_MAX + 1];
    uint64_t zero;
};

#define STORE_ITEMS_SIZE (STORE_BLOCK_SIZE - sizeof(struct store_node))
#define STORE_LEAF_MAX (STORE_ITEMS_SIZE / sizeof(struct store_leaf_item))
#define STORE_INNER_MAX (STORE_ITEMS_SIZE / sizeof(struct store_inner_item))

#define STORE_AT_(type, member, offset)                                        \
    _Static_assert(offsetof(struct type, member) == (offset), #type "." #member)

STORE_AT_(store_header, crc, 0);
STORE_AT_(store_header, version, 4);
STORE_AT_(store_header, magic, 8);
STORE_AT_(store_header, block_size, 16);
STORE_AT_(store_header, zero, 20);
STORE_AT_(store_header, blocks, 24);
STORE_AT_(store_header, uuid, 32);
_Static_assert(sizeof(struct store_header) == 48, "store_header");

STORE_AT_(store_superblock, crc, 0);
STORE_AT_(store_superblock, level, 4);
STORE_AT_(store_superblock, generation, 8);
STORE_AT_(store_superblock, root, 16);
STORE_AT_(store_superblock, root_generation, 24);
STORE_AT_(store_superblock, items, 32);
STORE_AT_(store_superblock, next_snapshot, 40);
STORE_AT_(store_superblock, snapshots, 48);
STORE_AT_(store_superblock, uuid, 56);
_Static_assert(sizeof(struct store_superblock) == 72, "store_superblock");

STORE_AT_(store_node, crc, 0);
STORE_AT_(store_node, level, 4);
STORE_AT_(store_node, count, 6);
STORE_AT_(store_node, block, 8);
STORE_AT_(store_node, generation, 16);
STORE_AT_(store_node, data_start, 24);
STORE_AT_(store_node, data_bytes, 26);
STORE_AT_(store_node, zero, 28);
STORE_AT_(store_node, uuid, 32);
STORE_AT_(store_node, zeroes, 48);
_Static_assert(sizeof(struct store_node) == 64, "store_node");

STORE_AT_(store_leaf_item, object, 0);
STORE_AT_(store_leaf_item, offset, 8);
STORE_AT_(store_leaf_item, type, 16);
STORE_AT_(store_leaf_item, zero, 17);
STORE_AT_(store_leaf_item, data_offset, 18);
STORE_AT_(store_leaf_item, size, 20);
STORE_AT_(store_leaf_item, zero2, 22);
_Static_assert(sizeof(struct store_leaf_item) == 24, "store_leaf_item");

STORE_AT_(store_inner_item, object, 0);
STORE_AT_(store_inner_item, offset, 8);
STORE_AT_(store_inner_item, type, 16);
STORE_AT_(store_inner_item, zero, 17);
STORE_AT_(store_inner_item, block, 20);
STORE_AT_(store_inner_item, generation, 24);
_Static_assert(sizeof(struct store_inner_item) == 32, "store_inner_item");

STORE_AT_(store_snapshot_record, generation, 0);
STORE_AT_(store_snapshot_record, root, 8);
STORE_AT_(store_snapshot_record, root_generation, 16);
STORE_AT_(store_snapshot_record, level, 24);
STORE_AT_(store_snapshot_record, name_length, 28);
STORE_AT_(store_snapshot_record, items, 32);
STORE_AT_(store_snapshot_record, name, 40);
STORE_AT_(store_snapshot_record, zero, 104);
_Static_assert(sizeof(struct store_snapshot_record) == 112,
               "store_snapshot_record");

_Static_assert(STORE_LEAF_MAX == 680 && STORE_INNER_MAX == 510, "items");
