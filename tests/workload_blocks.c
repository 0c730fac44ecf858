// SPDX-License-Identifier: MIT
//
// A tree of metadata blocks of 16 KiB, as file systems have them: find a key
// from the root down, change its value in the leaf, and sum the leaf up anew.
// The block is four frames, side by side or scattered, and is reached page by
// page, as a range, or as a list.
#include "tests/bench.h"
#include "tests/workload.h"

#define BLOCK_FRAMES 4
#define BLOCK_ORDER 2
#define BLOCK_WORDS (BLOCK_FRAMES * PAGE_SIZE / sizeof(uint64_t))
#define SUM_WORDS (sizeof(struct workload_sum) / sizeof(uint64_t))
#define LEAVES 63
#define LEAF_ITEMS 1000
#define BLOCKS (1 + LEAVES) // the root is the first
#define BATCH 8

struct item {
    uint64_t key, value;
};

// What a block begins with; items follow. Both fit pages: none lies across two.
struct header {
    struct workload_sum sum; // of all behind it
    uint64_t generation, count;
};

_Static_assert(PAGE_SIZE % sizeof(struct item) == 0 &&
                   sizeof(struct header) % sizeof(struct item) == 0,
               "items would lie across pages");

struct block {
    struct page *pages[BLOCK_FRAMES];
};

struct tree {
    struct block block[BLOCKS];
    bool contiguous;
    uint64_t random;
    uint64_t added; // to values, since the start
};

static struct item *item_in(const struct header *header, uint64_t i)
{
    return (struct item *)(header + 1) + i;
}

// How a block is reached.
struct access {
    // The value of `key`, or of the last key before it.
    uint64_t (*find)(const struct block *block, uint64_t key);
    // Add to the value of item `i`, and sum up.
    void (*add)(const struct block *block, uint64_t i, uint64_t what);
};

// ------------------------------------------------------- The whole block at
// once

static uint64_t find_in(const struct header *header, uint64_t key)
{
    uint64_t low = 0, high = header->count;
    while (high - low > 1) {
        uint64_t middle = (low + high) / 2;
        if (item_in(header, middle)->key <= key) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

static void seal(struct header *header)
{
    struct workload_sum sum = {0};
    workload_sum_add(&sum, (const uint64_t *)header + SUM_WORDS,
                     BLOCK_WORDS - SUM_WORDS);
    header->sum = sum;
}

static void add_in(struct header *header, uint64_t i, uint64_t what)
{
    item_in(header, i)->value += what;
    header->generation++;
    seal(header);
}

static uint64_t range_find(const struct block *block, uint64_t key)
{
    const struct header *header =
        kmap_local_range_ro(block->pages[0], 0, BLOCK_FRAMES * PAGE_SIZE);
    uint64_t i = find_in(header, key);
    kunmap_local(header);
    return i;
}

static void range_add(const struct block *block, uint64_t i, uint64_t what)
{
    struct header *header =
        kmap_local_range(block->pages[0], 0, BLOCK_FRAMES * PAGE_SIZE);
    add_in(header, i, what);
    kunmap_local(header);
}

static uint64_t list_find(const struct block *block, uint64_t key)
{
    const struct header *header =
        kmap_local_pages_ro(block->pages, BLOCK_FRAMES);
    uint64_t i = find_in(header, key);
    kunmap_local(header);
    return i;
}

static void list_add(const struct block *block, uint64_t i, uint64_t what)
{
    struct header *header = kmap_local_pages(block->pages, BLOCK_FRAMES);
    add_in(header, i, what);
    kunmap_local(header);
}

// ------------------------------------------------------------------ Page by
// page

static size_t item_at(uint64_t i)
{
    return sizeof(struct header) + i * sizeof(struct item);
}

static uint64_t page_find(const struct block *block, uint64_t key)
{
    const struct header *header = kmap_local_page_ro(block->pages[0]);
    uint64_t low = 0, high = header->count;
    kunmap_local(header);
    while (high - low > 1) {
        uint64_t middle = (low + high) / 2;
        size_t at = item_at(middle);
        const char *page = kmap_local_page_ro(block->pages[at / PAGE_SIZE]);
        const struct item *item = (const void *)(page + at % PAGE_SIZE);
        bool below = item->key <= key;
        kunmap_local(page);
        if (below) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

static void page_add(const struct block *block, uint64_t i, uint64_t what)
{
    size_t at = item_at(i);
    char *page = kmap_local_page(block->pages[at / PAGE_SIZE]);
    ((struct item *)(page + at % PAGE_SIZE))->value += what;
    kunmap_local(page);
    struct header *header = kmap_local_page(block->pages[0]);
    header->generation++;
    struct workload_sum sum = {0};
    workload_sum_add(&sum, (const uint64_t *)header + SUM_WORDS,
                     PAGE_SIZE / sizeof(uint64_t) - SUM_WORDS);
    kunmap_local(header);
    for (unsigned p = 1; p < BLOCK_FRAMES; p++) {
        const uint64_t *words = kmap_local_page_ro(block->pages[p]);
        workload_sum_add(&sum, words, PAGE_SIZE / sizeof(*words));
        kunmap_local(words);
    }
    header = kmap_local_page(block->pages[0]);
    header->sum = sum;
    kunmap_local(header);
}

static const struct access by_range = {range_find, range_add};
static const struct access by_list = {list_find, list_add};
static const struct access by_page = {page_find, page_add};

// ----------------------------------------------------------------------- The
// tree

static bool block_alloc(struct block *block, bool contiguous)
{
    if (!contiguous) {
        return workload_frames_alloc(domain_ram, block->pages, BLOCK_FRAMES);
    }
    struct page *first = alloc_pages(domain_ram, BLOCK_ORDER);
    for (unsigned i = 0; first != NULL && i < BLOCK_FRAMES; i++) {
        block->pages[i] = first + i;
    }
    return first != NULL;
}

// Keys count up through the leaves, from 0; values are 0. The root has the
// first key of each leaf.
static void block_fill(const struct block *block, unsigned leaf, bool is_root)
{
    struct header *header = kmap_local_pages(block->pages, BLOCK_FRAMES);
    header->count = is_root ? LEAVES : LEAF_ITEMS;
    for (uint64_t i = 0; i < header->count; i++) {
        *item_in(header, i) =
            (struct item){is_root ? i * LEAF_ITEMS : leaf * LEAF_ITEMS + i, 0};
    }
    seal(header);
    kunmap_local(header);
}

static struct tree *tree_make(bool contiguous)
{
    struct tree *tree = kzalloc(sizeof(*tree));
    tree->contiguous = contiguous;
    for (unsigned i = 0; i < BLOCKS; i++) {
        if (!block_alloc(&tree->block[i], contiguous)) {
            return NULL;
        }
        block_fill(&tree->block[i], i - 1, i == 0);
    }
    return tree;
}

// Whether each block's sum is right, and the values add up to `total`.
static bool tree_is_right(const struct tree *tree, uint64_t total)
{
    for (unsigned i = 0; i < BLOCKS; i++) {
        struct header *header =
            kmap_local_pages(tree->block[i].pages, BLOCK_FRAMES);
        struct workload_sum had = header->sum;
        seal(header);
        bool good = had.low == header->sum.low && had.high == header->sum.high;
        for (uint64_t k = 0; i > 0 && k < header->count; k++) {
            total -= item_in(header, k)->value;
        }
        kunmap_local(header);
        if (!good) {
            return false;
        }
    }
    return total == 0;
}

static void tree_free(struct tree *tree)
{
    for (unsigned i = 0; i < BLOCKS; i++) {
        if (tree->contiguous) {
            free_pages(tree->block[i].pages[0], BLOCK_ORDER);
        } else {
            workload_frames_free(tree->block[i].pages, BLOCK_FRAMES);
        }
    }
    kfree(tree);
}

static void tree_step(struct tree *tree, const struct access *access)
{
    uint64_t key = workload_random(&tree->random, LEAVES * LEAF_ITEMS);
    uint64_t leaf = access->find(&tree->block[0], key);
    const struct block *block = &tree->block[1 + leaf];
    access->add(block, access->find(block, key), key + 1);
    tree->added += key + 1;
}

static void blocks_bench(bool contiguous, const struct access *access)
{
    struct tree *tree = tree_make(contiguous);
    CHECK(tree != NULL);
    bench_batch(BATCH);
    BENCH_LOOP (n) {
        tree_step(tree, access);
    }
    CHECK(tree->added != 0);
    CHECK(tree_is_right(tree, tree->added));
    tree_free(tree);
}

BENCH(workload, blocks_by_range)
{
    blocks_bench(true, &by_range);
}

BENCH(workload, blocks_by_list)
{
    blocks_bench(true, &by_list);
}

BENCH(workload, blocks_by_list_scattered)
{
    blocks_bench(false, &by_list);
}

BENCH(workload, blocks_by_page)
{
    blocks_bench(true, &by_page);
}

BENCH(workload, blocks_by_page_scattered)
{
    blocks_bench(false, &by_page);
}
