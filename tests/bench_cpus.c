// SPDX-License-Identifier: MIT
//
// What many CPUs cost: brackets on all at once, and what one unmap asks of the
// others. With -icount the time-stamp counter counts the instructions of all
// CPUs together.
#include "arch/cpu.h"
#include "mm/frames.h"
#include "tests/bench.h"
#include "tests/threads.h"

#define PAIRS 100000

static unsigned waiting; // threads that have begun
static volatile bool go, enough;

static int pairs(void *page)
{
    __atomic_fetch_add(&waiting, 1, __ATOMIC_SEQ_CST);
    while (!go) {
        cpu_pause();
    }
    for (unsigned i = 0; i < PAIRS; i++) {
        kunmap_local(kmap_local_page(page));
    }
    return 0;
}

// Instructions of a pair and its loop, on each CPU, with a frame of its own in
// one domain. The CPU of the benchmark has one thread more, which waits.
BENCH(kmap, pair_on_every_cpu)
{
    unsigned count = cpus_online();
    struct thread *threads[CPUS_MAX];
    struct page *pages[CPUS_MAX];
    waiting = 0;
    go = false;
    for (unsigned cpu = 0; cpu < count; cpu++) {
        pages[cpu] = alloc_page(domain_ram);
        threads[cpu] = thread_create_on(cpu, "pairs", pairs, pages[cpu]);
    }
    while (__atomic_load_n(&waiting, __ATOMIC_SEQ_CST) < count) {
        thread_yield();
    }
    uint64_t start = cpu_read_tsc();
    go = true;
    for (unsigned cpu = 0; cpu < count; cpu++) {
        thread_join(threads[cpu]);
    }
    uint64_t ticks = cpu_read_tsc() - start;
    uint64_t each = (ticks + PAIRS * count / 2) / (PAIRS * count);
    for (unsigned cpu = 0; cpu < count; cpu++) {
        free_page(pages[cpu]);
    }
    bench_value("insns", each, each, each);
}

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
