// SPDX-License-Identifier: MIT
//
// Whole pages: copied and zeroed, by brackets of one's own and by the helpers.
#include "tests/bench.h"
#include "tests/workload.h"

#define FRAMES 64
#define BATCH 64

// The second half of the frames is copied to the first; the last word of each
// says which it was.
struct pages {
    struct page *frame[2 * FRAMES];
    uint64_t random;
    unsigned copied[FRAMES]; // what each has
};

static bool pages_start(struct pages *pages)
{
    *pages = (struct pages){.random = 1};
    if (!workload_frames_alloc(domain_ram, pages->frame, 2 * FRAMES)) {
        return false;
    }
    for (unsigned i = 0; i < 2 * FRAMES; i++) {
        uint64_t tag = ~(uint64_t)i; // its last byte is not 0
        memset_page(pages->frame[i], 0, 0x5a, PAGE_SIZE);
        memcpy_to_page(pages->frame[i], PAGE_SIZE - sizeof(tag), &tag,
                       sizeof(tag));
    }
    return true;
}

// The frame to copy next, and its target.
static struct page *pages_next(struct pages *pages, uint64_t n,
                               struct page **target)
{
    unsigned from = FRAMES + (unsigned)workload_random(&pages->random, FRAMES);
    pages->copied[n % FRAMES] = from;
    *target = pages->frame[n % FRAMES];
    return pages->frame[from];
}

static unsigned frames_unlike(struct pages *pages)
{
    unsigned wrong = 0;
    for (unsigned i = 0; i < FRAMES; i++) {
        const char *got = kmap_local_page_ro(pages->frame[i]);
        const char *want = kmap_local_page_ro(pages->frame[pages->copied[i]]);
        wrong += memcmp(got, want, PAGE_SIZE) != 0;
        kunmap_local(want);
        kunmap_local(got);
    }
    return wrong;
}

BENCH(workload, page_copy)
{
    struct pages pages;
    CHECK(pages_start(&pages));
    bench_batch(BATCH);
    BENCH_LOOP (n) {
        struct page *target, *source = pages_next(&pages, n, &target);
        const void *from = kmap_local_page_ro(source);
        void *to = kmap_local_page(target);
        memcpy(to, from, PAGE_SIZE);
        kunmap_local(to);
        kunmap_local(from);
    }
    CHECK_EQ(frames_unlike(&pages), 0);
    workload_frames_free(pages.frame, 2 * FRAMES);
}

BENCH(workload, page_copy_by_helper)
{
    struct pages pages;
    CHECK(pages_start(&pages));
    bench_batch(BATCH);
    BENCH_LOOP (n) {
        struct page *target, *source = pages_next(&pages, n, &target);
        memcpy_page(target, 0, source, 0, PAGE_SIZE);
    }
    CHECK_EQ(frames_unlike(&pages), 0);
    workload_frames_free(pages.frame, 2 * FRAMES);
}

static bool is_zero(struct page *page)
{
    struct workload_sum sum = {0};
    const uint64_t *words = kmap_local_page_ro(page);
    workload_sum_add(&sum, words, PAGE_SIZE / sizeof(*words));
    kunmap_local(words);
    return sum.low == 0 && sum.high == 0;
}

// The first half was zeroed, the second was not.
static bool halves_are_right(struct pages *pages)
{
    for (unsigned i = 0; i < 2 * FRAMES; i++) {
        if (is_zero(pages->frame[i]) != (i < FRAMES)) {
            return false;
        }
    }
    return true;
}

BENCH(workload, page_zero)
{
    struct pages pages;
    CHECK(pages_start(&pages));
    bench_batch(BATCH);
    BENCH_LOOP (n) {
        void *at = kmap_local_page(pages.frame[n % FRAMES]);
        memset(at, 0, PAGE_SIZE);
        kunmap_local(at);
    }
    CHECK(halves_are_right(&pages));
    workload_frames_free(pages.frame, 2 * FRAMES);
}

BENCH(workload, page_zero_by_helper)
{
    struct pages pages;
    CHECK(pages_start(&pages));
    bench_batch(BATCH);
    BENCH_LOOP (n) {
        memzero_page(pages.frame[n % FRAMES], 0, PAGE_SIZE);
    }
    CHECK(halves_are_right(&pages));
    workload_frames_free(pages.frame, 2 * FRAMES);
}
