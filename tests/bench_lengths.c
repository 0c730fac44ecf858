// SPDX-License-Identifier: MIT
//
// What 1 to 256 frames cost by each kind of map call, as length.CALL_FRAMES:
// one bracket on a range, one on a list of scattered frames, one for each
// frame, and mappings for every thread.
#include "tests/bench.h"
#include "tests/workload.h"

#define ORDER_MAX 8
#define FRAMES_MAX (1u << ORDER_MAX)
#define BATCH 16

static void range_bench(size_t count)
{
    struct page *first = alloc_pages(domain_ram, ORDER_MAX);
    CHECK(first != NULL);
    bench_batch(BATCH);
    BENCH_LOOP (n) {
        kunmap_local(kmap_local_range(first, 0, count * PAGE_SIZE));
    }
    free_pages(first, ORDER_MAX);
}

static void kmap_bench(size_t count)
{
    struct page *first = alloc_pages(domain_ram, ORDER_MAX);
    CHECK(first != NULL);
    bench_batch(BATCH);
    BENCH_LOOP (n) {
        if (kmap_range(first, count) != NULL) {
            kunmap_range(first, count);
        }
    }
    free_pages(first, ORDER_MAX);
}

static void list_bench(unsigned count)
{
    struct page *pages[FRAMES_MAX];
    CHECK(workload_frames_alloc(domain_ram, pages, count));
    bench_batch(BATCH);
    BENCH_LOOP (n) {
        kunmap_local(kmap_local_pages(pages, count));
    }
    workload_frames_free(pages, count);
}

static void page_bench(unsigned count)
{
    struct page *pages[FRAMES_MAX];
    CHECK(workload_frames_alloc(domain_ram, pages, count));
    bench_batch(BATCH);
    BENCH_LOOP (n) {
        for (unsigned i = 0; i < count; i++) {
            kunmap_local(kmap_local_page(pages[i]));
        }
    }
    workload_frames_free(pages, count);
}

static void vmap_bench(unsigned count)
{
    struct page *pages[FRAMES_MAX];
    CHECK(workload_frames_alloc(domain_ram, pages, count));
    bench_batch(BATCH);
    BENCH_LOOP (n) {
        vunmap(vmap(pages, count, MAP_READ | MAP_WRITE));
    }
    workload_frames_free(pages, count);
}

#define LENGTH(count)                                                          \
    BENCH(length, range_##count)                                               \
    {                                                                          \
        range_bench(count);                                                    \
    }                                                                          \
    BENCH(length, list_##count)                                                \
    {                                                                          \
        list_bench(count);                                                     \
    }                                                                          \
    BENCH(length, each_##count)                                                \
    {                                                                          \
        page_bench(count);                                                     \
    }                                                                          \
    BENCH(length, kmap_##count)                                                \
    {                                                                          \
        kmap_bench(count);                                                     \
    }                                                                          \
    BENCH(length, vmap_##count)                                                \
    {                                                                          \
        vmap_bench(count);                                                     \
    }

LENGTH(1)
LENGTH(2)
LENGTH(4)
LENGTH(8)
LENGTH(16)
LENGTH(32)
LENGTH(64)
LENGTH(128)
LENGTH(256)
