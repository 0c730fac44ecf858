// SPDX-License-Identifier: MIT
//
// What many CPUs cost: brackets on all at once, and what one unmap asks of the
// others.
#include "arch/cpu.h"
#include "mm/frames.h"
#include "tests/bench_parallel.h"
#include "tests/threads.h"

#define PAIRS 100000

static int pairs(void *page)
{
    for (unsigned i = 0; i < PAIRS; i++) {
        kunmap_local(kmap_local_page(page));
    }
    return 0;
}

// A pair and its loop, on each CPU, with a frame of its own in one domain.
BENCH(kmap, pair_on_every_cpu)
{
    void *pages[CPUS_MAX];
    for (unsigned cpu = 0; cpu < cpus_online(); cpu++) {
        pages[cpu] = alloc_page(domain_ram);
        CHECK(pages[cpu] != NULL);
    }
    CHECK(bench_on_every_cpu(pairs, pages, PAIRS));
    for (unsigned cpu = 0; cpu < cpus_online(); cpu++) {
        free_page(pages[cpu]);
    }
}

static unsigned waiting; // threads that have begun
static volatile bool enough;

static int busy(void *unused)
{
    (void)unused;
    __atomic_fetch_add(&waiting, 1, __ATOMIC_SEQ_CST);
    while (!enough) {
        cpu_pause();
    }
    return 0;
}

#define AREA_FRAMES 256

// IPIs of one vunmap() of 256 frames while every other CPU works.
BENCH(vmap, unmap_256_ipis)
{
    static struct page *frames[AREA_FRAMES];
    struct thread *threads[CPUS_MAX];
    struct map_stats before, after;
    waiting = 0;
    enough = false;
    for (unsigned cpu = 1; cpu < cpus_online(); cpu++) {
        threads[cpu] = thread_create_on(cpu, "busy", busy, NULL);
    }
    while (__atomic_load_n(&waiting, __ATOMIC_SEQ_CST) + 1 < cpus_online()) {
        cpu_pause();
    }
    for (unsigned i = 0; i < AREA_FRAMES; i++) {
        frames[i] = alloc_page(domain_ram);
    }
    void *area = vmap(frames, AREA_FRAMES, MAP_READ);
    map_stats_read(&before);
    vunmap(area);
    map_stats_read(&after);
    enough = true;
    for (unsigned cpu = 1; cpu < cpus_online(); cpu++) {
        thread_join(threads[cpu]);
    }
    for (unsigned i = 0; i < AREA_FRAMES; i++) {
        free_page(frames[i]);
    }
    uint64_t ipis = after.shootdown_ipis - before.shootdown_ipis;
    bench_value("ipis", ipis, ipis, ipis);
}
