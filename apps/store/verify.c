// SPDX-License-Identifier: MIT
//
// Whether what is on the medium is what the format demands: nodes, superblocks,
// the selector. A block is checked when it is first read; what is not checked
// here (that a child's keys are between its parent's) is left to
// store_check().
#include "apps/store/crc32c.h"
#include "apps/store/search.h"

#define SELECTOR_CRC_BYTES (STORE_GENERATION_BITS / 8)

static const char *header_verify(const struct store *store,
                                 const struct store_node *node,
                                 const struct store_ref *ref)
{
    if (node->crc != crc32c_rest(node, STORE_BLOCK_SIZE)) {
        return "the checksum is wrong";
    }
    if (node->block != ref->block) {
        return "it is another block's content";
    }
    if (node->generation != ref->generation) {
        return "it is of another generation than its parent says";
    }
    if (node->level != ref->level) {
        return "it is at another level than its parent says";
    }
    if (memcmp(node->uuid, store->uuid, STORE_UUID_SIZE) != 0) {
        return "it is of another store";
    }
    if (node->zero != 0 || node->zeroes[0] != 0 || node->zeroes[1] != 0) {
        return "the header has bytes that must be 0";
    }
    return NULL;
}

// The bytes of values, by bits: no two values may share one.
struct extent {
    uint64_t taken[STORE_BLOCK_SIZE / 64];
};

static bool extent_take(struct extent *extent, uint32_t from, uint32_t to)
{
    for (uint32_t at = from; at < to;) {
        uint32_t end = MIN(to, ALIGN_DOWN(at, 64u) + 64);
        uint64_t bits = BITS((end - 1) % 64, at % 64);
        if (extent->taken[at / 64] & bits) {
            return false;
        }
        extent->taken[at / 64] |= bits;
        at = end;
    }
    return true;
}

static const char *leaf_item_verify(const struct store_node *node,
                                    const struct store_leaf_item *item,
                                    struct extent *extent)
{
    uint32_t end = (uint32_t)item->data_offset + item->size;

    if (item->zero != 0 || item->zero2 != 0) {
        return "an item has bytes that must be 0";
    }
    if (item->size > STORE_VALUE_MAX) {
        return "a value is too large";
    }
    if (end > STORE_BLOCK_SIZE ||
        (item->size > 0 && item->data_offset < node->data_start)) {
        return "a value is outside of the block's data";
    }
    if (!extent_take(extent, item->data_offset, end)) {
        return "two values overlap";
    }
    return NULL;
}

static const char *leaf_verify(const struct store_node *node)
{
    const struct store_leaf_item *items = leaf_items(node);
    struct extent extent = {{0}};
    uint32_t bytes = 0;

    if (!leaf_count_is_sane(node->count)) {
        return "the number of items is impossible";
    }
    if (node->data_start > STORE_BLOCK_SIZE ||
        node->data_start < sizeof(*node) + node->count * sizeof(*items)) {
        return "the data begins at an impossible place";
    }
    for (uint32_t i = 0; i < node->count; i++) {
        const char *text = leaf_item_verify(node, &items[i], &extent);
        if (text != NULL) {
            return text;
        }
        if (i > 0 && !KEY_IS_BELOW(&items[i - 1], &items[i])) {
            return "the keys are not in order";
        }
        bytes += items[i].size;
    }
    return bytes == node->data_bytes ? NULL
                                     : "the sizes do not add up to the total";
}

static const char *inner_verify(const struct store *store,
                                const struct store_node *node)
{
    const struct store_inner_item *items = inner_items(node);

    if (!inner_count_is_sane(node->count)) {
        return "the number of items is impossible";
    }
    if (node->data_start != 0 || node->data_bytes != 0) {
        return "the header has bytes that must be 0";
    }
    for (uint32_t i = 0; i < node->count; i++) {
        if ((items[i].zero[0] | items[i].zero[1] | items[i].zero[2]) != 0) {
            return "an item has bytes that must be 0";
        }
        if (items[i].block == 0 || items[i].block >= store->blocks) {
            return "a child is outside of the store";
        }
        if (items[i].generation == 0 ||
            items[i].generation > node->generation) {
            return "a child is younger than the block";
        }
        if (i > 0 && !KEY_IS_BELOW(&items[i - 1], &items[i])) {
            return "the keys are not in order";
        }
    }
    return NULL;
}

const char *store_node_verify(const struct store *store,
                              const struct store_node *node,
                              const struct store_ref *ref)
{
    const char *text = header_verify(store, node, ref);

    if (text != NULL) {
        return text;
    }
    return ref->level == 0 ? leaf_verify(node) : inner_verify(store, node);
}

const char *store_node_verify_once(struct store *store,
                                   const struct store_node *node,
                                   const struct store_ref *ref)
{
    const char *text = store_node_verify(store, node, ref);

    if (text == NULL) {
        __atomic_fetch_or(&store->verified[ref->block / 64],
                          BIT(ref->block % 64), __ATOMIC_RELAXED);
    }
    return text;
}

// -------------------------------------------------------------------- Block 0

bool store_part_is_zero(const void *part, size_t from)
{
    const uint64_t *words = part;
    uint64_t any = 0;

#pragma GCC unroll 8
    for (size_t i = from / sizeof(any); i < STORE_PART_SIZE / sizeof(any);
         i++) {
        any |= words[i];
    }
    return any == 0;
}

static bool superblock_root_is_sane(const struct store *store,
                                    const struct store_superblock *superblock)
{
    if (superblock->root == 0) {
        return superblock->level == 0 && superblock->root_generation == 0;
    }
    return superblock->root < store->blocks &&
           superblock->level < STORE_LEVELS &&
           superblock->root_generation >= 1 &&
           superblock->root_generation <= superblock->generation;
}

const char *store_superblock_verify(const struct store *store,
                                    const struct store_superblock *superblock,
                                    uint64_t generation)
{
    if (superblock->crc != crc32c_rest(superblock, STORE_PART_SIZE)) {
        return "the superblock's checksum is wrong";
    }
    if (superblock->generation != generation) {
        return "the superblock is not of the generation that the selector "
               "names";
    }
    if (memcmp(superblock->uuid, store->uuid, STORE_UUID_SIZE) != 0) {
        return "the superblock is of another store";
    }
    if (!store_part_is_zero(superblock, sizeof(*superblock)) ||
        !superblock_root_is_sane(store, superblock) ||
        superblock->next_snapshot <= superblock->snapshots) {
        return "the superblock says what cannot be";
    }
    return NULL;
}

uint64_t store_selector_make(uint64_t generation)
{
    uint64_t crc = store_crc32c(&generation, SELECTOR_CRC_BYTES);

    return generation | crc << STORE_GENERATION_BITS;
}

bool store_selector_parse(uint64_t word, uint64_t *generation)
{
    *generation = word & STORE_GENERATION_MAX;
    return *generation != 0 && store_selector_make(*generation) == word;
}
