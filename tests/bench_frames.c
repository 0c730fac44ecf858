// SPDX-License-Identifier: MIT
//
// What a frame costs, with and without the work of filling it.
#include "mm/engine.h"
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

// The same where an engine has no key for that.
static inline __attribute__((always_inline)) void
fill_twice_mapped(struct page *page, unsigned id)
{
    for (unsigned i = 0; i < 2; i++) {
        struct frame_filler filler;
        engine->fill_begin(&filler, domain_of_id(id));
        void *at = engine->fill_frame(&filler, page);
        cpu_store_words((uintptr_t)at, i != 0 ? FRAME_POISON_WORD : 0,
                        PAGE_SIZE / sizeof(uint64_t));
        engine->fill_frame_end(&filler, at);
        engine->fill_end(&filler);
    }
}

static __noinline void fills(void)
{
    struct page *page = alloc_page(domain_ram);
    unsigned id = page->private_domain;
    if (domain_fill_[id] != 0) {
        BENCH_LOOP (n) {
            fill_twice(page, id);
        }
    } else {
        BENCH_LOOP (n) {
            fill_twice_mapped(page, id);
        }
    }
    free_page(page);
}

BENCH(frames, fills)
{
    fills();
}

BENCH(frames, pair_less_fills)
{
    struct page *page = alloc_page(domain_ram);
    fills();
    bench_less();
    BENCH_LOOP (m) {
        free_page(alloc_page(domain_ram));
    }
    free_page(page);
}
