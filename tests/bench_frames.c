// SPDX-License-Identifier: MIT
//
// What a frame costs, with and without the work of filling it.
#include "mm/frame_fill.h"
#include "tests/bench.h"

BENCH(frames, pair)
{
    BENCH_LOOP (n) {
        free_page(alloc_page(domain_ram));
    }
}

// Zeroes and poison, each with the domain's key opened and closed, by the code
// that alloc_page() and free_page() have inlined.
static inline __attribute__((always_inline)) void fill_twice(struct page *page,
                                                             unsigned id)
{
    frame_fill(page, id, 0, NULL);
    frame_fill(page, id, FRAME_POISON_WORD, NULL);
}

BENCH(frames, fills)
{
    struct page *page = alloc_page(domain_ram);
    unsigned id = page->private_domain;
    BENCH_LOOP (n) {
        fill_twice(page, id);
    }
    free_page(page);
}

BENCH(frames, pair_less_fills)
{
    struct page *page = alloc_page(domain_ram);
    unsigned id = page->private_domain;
    BENCH_LOOP (n) {
        fill_twice(page, id);
    }
    bench_less();
    BENCH_LOOP (m) {
        free_page(alloc_page(domain_ram));
    }
    free_page(page);
}
