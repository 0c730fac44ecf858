// SPDX-License-Identifier: MIT
//
// What it costs to look into a metadata block of four frames, by each kind of
// map call, as block.CALL_WHAT: to read one item whose place the head has, and
// to checksum all of it.
#include "apps/store/crc32c.h"
#include "lib/types.h"
#include "tests/bench.h"

#define ORDER 2
#define FRAMES (1u << ORDER)
#define SIZE (FRAMES * PAGE_SIZE)
#define ITEM_AT 64    // in the first frame, an item has the place of its value
#define VALUE_AT 9000 // in the third
#define BATCH 64

static uint64_t seen; // so that nothing is left out
static uint8_t copy[SIZE];

static struct page *block_make(void)
{
    struct page *first = alloc_pages(domain_ram, ORDER);
    if (first != NULL) {
        uint8_t *block = kmap_local_range(first, 0, SIZE);
        *(uint32_t *)(block + ITEM_AT) = VALUE_AT;
        kunmap_local(block);
    }
    return first;
}

static inline void read_item(const uint8_t *block)
{
    uint32_t at = *(const uint32_t *)(block + ITEM_AT) % SIZE;
    seen += *(const uint64_t *)(block + at);
}

static inline void read_all(const uint8_t *block)
{
    seen += store_crc32c(block, SIZE);
}

// One bracket around all of it.
#define BLOCK_BENCH(name, open, body, close)                                   \
    BENCH(metadata, name)                                                      \
    {                                                                          \
        struct page *first = block_make();                                     \
        CHECK(first != NULL);                                                  \
        struct page *const pages[FRAMES] = {first, first + 1, first + 2,       \
                                            first + 3};                        \
        (void)pages;                                                           \
        bench_batch(BATCH);                                                    \
        BENCH_LOOP (n) {                                                       \
            const uint8_t *block = open;                                       \
            body(block);                                                       \
            close;                                                             \
        }                                                                      \
        free_pages(first, ORDER);                                              \
    }

BLOCK_BENCH(range_item, kmap_local_range_ro(first, 0, SIZE), read_item,
            kunmap_local(block))
BLOCK_BENCH(range_all, kmap_local_range_ro(first, 0, SIZE), read_all,
            kunmap_local(block))
BLOCK_BENCH(list_item, kmap_local_pages_ro(pages, FRAMES), read_item,
            kunmap_local(block))
BLOCK_BENCH(list_all, kmap_local_pages_ro(pages, FRAMES), read_all,
            kunmap_local(block))

static inline const uint8_t *copy_all(struct page *first)
{
    for (unsigned i = 0; i < FRAMES; i++) {
        memcpy_from_page(copy + i * PAGE_SIZE, first + i, 0, PAGE_SIZE);
    }
    return copy;
}

BLOCK_BENCH(copy_item, copy_all(first), read_item, (void)block)
BLOCK_BENCH(copy_all, copy_all(first), read_all, (void)block)

// ----------------------------------------------------- A bracket for each
// frame

static inline void item_of_pages(const uint8_t *const at[])
{
    uint32_t value = *(const uint32_t *)(at[0] + ITEM_AT) % SIZE;
    seen += *(const uint64_t *)(at[value / PAGE_SIZE] + value % PAGE_SIZE);
}

static inline void all_of_pages(const uint8_t *const at[])
{
    uint32_t crc = 0;
    for (unsigned i = 0; i < FRAMES; i++) {
        crc = store_crc32c_more(crc, at[i], PAGE_SIZE);
    }
    seen += crc;
}

#define PAGES_BENCH(name, body)                                                \
    BENCH(metadata, name)                                                      \
    {                                                                          \
        struct page *first = block_make();                                     \
        CHECK(first != NULL);                                                  \
        bench_batch(BATCH);                                                    \
        BENCH_LOOP (n) {                                                       \
            const uint8_t *at[FRAMES];                                         \
            at[0] = kmap_local_page_ro(first);                                 \
            at[1] = kmap_local_page_ro(first + 1);                             \
            at[2] = kmap_local_page_ro(first + 2);                             \
            at[3] = kmap_local_page_ro(first + 3);                             \
            body(at);                                                          \
            kunmap_local(at[3]);                                               \
            kunmap_local(at[2]);                                               \
            kunmap_local(at[1]);                                               \
            kunmap_local(at[0]);                                               \
        }                                                                      \
        free_pages(first, ORDER);                                              \
    }

PAGES_BENCH(at_once_item, item_of_pages)
PAGES_BENCH(at_once_all, all_of_pages)

// The head's frame, and the one that the value turns out to be in.
BENCH(metadata, in_turn_item)
{
    struct page *first = block_make();
    CHECK(first != NULL);
    bench_batch(BATCH);
    BENCH_LOOP (n) {
        const uint8_t *at = kmap_local_page_ro(first);
        uint32_t value = *(const uint32_t *)(at + ITEM_AT) % SIZE;
        kunmap_local(at);
        at = kmap_local_page_ro(first + value / PAGE_SIZE);
        seen += *(const uint64_t *)(at + value % PAGE_SIZE);
        kunmap_local(at);
    }
    free_pages(first, ORDER);
}

BENCH(metadata, in_turn_all)
{
    struct page *first = block_make();
    CHECK(first != NULL);
    bench_batch(BATCH);
    BENCH_LOOP (n) {
        uint32_t crc = 0;
        for (unsigned i = 0; i < FRAMES; i++) {
            const uint8_t *at = kmap_local_page_ro(first + i);
            crc = store_crc32c_more(crc, at, PAGE_SIZE);
            kunmap_local(at);
        }
        seen += crc;
    }
    free_pages(first, ORDER);
}

// ------------------------------------------------------------- Freeze and thaw

static void freeze_bench(unsigned blocks)
{
    unsigned good = 0, loops = 0;
    struct page *first = alloc_pages(domain_ram, ORDER + 2);
    CHECK(first != NULL);
    bench_batch(BATCH);
    BENCH_LOOP (n) {
        loops++;
        good += freeze_range(first, blocks * FRAMES, FAULT_MODE_DEFAULT) == 0;
        good += thaw_range(first, blocks * FRAMES) == 0;
    }
    free_pages(first, ORDER + 2);
    CHECK_EQ(good, 2 * loops);
}

BENCH(metadata, freeze_1)
{
    freeze_bench(1);
}

BENCH(metadata, freeze_3)
{
    freeze_bench(3);
}
