// SPDX-License-Identifier: MIT
//
// Runs the registered benchmarks. Time is the TSC: under QEMU's -icount it
// counts instructions one for one, and the unit is then "insns"; elsewhere it
// is "ticks". The loop's own cost is measured and taken off.
#include "arch/cpu.h"
#include "kernel/config.h"
#include "kernel/run.h"
#include "keyhole.h"
#include "lib/glob.h"

extern const struct test_entry __benches_start[], __benches_end[];

#define BATCHES 33       // measured; an odd number has a middle
#define BATCH_LENGTH 512 // iterations
#define WARM_BATCHES 2   // not measured

static struct {
    unsigned batch; // of this benchmark, warm ones included
    uint64_t started_tsc;
    uint64_t ticks[BATCHES];
    uint64_t overhead; // ticks of a batch with nothing in it
    bool insns;
} bench;

uint64_t bench_begin(void)
{
    bench.batch = 0;
    bench.started_tsc = cpu_read_tsc();
    return BATCH_LENGTH;
}

bool bench_more(uint64_t n, uint64_t *end)
{
    uint64_t now = cpu_read_tsc();
    if (bench.batch >= WARM_BATCHES) {
        bench.ticks[bench.batch - WARM_BATCHES] = now - bench.started_tsc;
    }
    bench.batch++;
    if (bench.batch == WARM_BATCHES + BATCHES) {
        return false;
    }
    *end = n + BATCH_LENGTH;
    bench.started_tsc = cpu_read_tsc();
    return true;
}

// Does the TSC count instructions? A loop of known length tells.
static bool tsc_counts_insns(void)
{
    uint64_t count = 1000;
    uint64_t before = cpu_read_tsc();
    __asm__ volatile("1: dec %0; jnz 1b" : "+r"(count) : : "cc");
    uint64_t ticks = cpu_read_tsc() - before;
    return ticks >= 2000 && ticks < 2020;
}

static void ticks_sort(void)
{
    for (unsigned i = 1; i < BATCHES; i++) {
        uint64_t value = bench.ticks[i];
        unsigned at = i;
        for (; at > 0 && bench.ticks[at - 1] > value; at--) {
            bench.ticks[at] = bench.ticks[at - 1];
        }
        bench.ticks[at] = value;
    }
}

// An iteration's share of a batch, rounded to the nearest.
static unsigned long long per_iteration(uint64_t ticks)
{
    uint64_t net = ticks > bench.overhead ? ticks - bench.overhead : 0;
    return (net + BATCH_LENGTH / 2) / BATCH_LENGTH;
}

static void bench_print(const char *name)
{
    ticks_sort();
    printf(
        "bench {\"name\":\"%s\",\"unit\":\"%s\",\"value\":%llu,"
        "\"min\":%llu,\"max\":%llu,\"n\":%u,\"engine\":\"%s\",\"cpus\":%u}\n",
        name, bench.insns ? "insns" : "ticks",
        per_iteration(bench.ticks[BATCHES / 2]), per_iteration(bench.ticks[0]),
        per_iteration(bench.ticks[BATCHES - 1]), BATCHES * BATCH_LENGTH,
        protect_engine_name(protect_engine()), cpus_online());
}

static __noinline void bench_nothing(void)
{
    BENCH_LOOP (n) {
        __asm__ volatile("" : : "r"(n));
    }
}

bool benches_run(const char *globs)
{
    unsigned found = 0;
    bench.insns = tsc_counts_insns();
    bench.overhead = 0;
    bench_nothing();
    ticks_sort();
    bench.overhead = bench.ticks[BATCHES / 2];
    for (const struct test_entry *b = __benches_start; b < __benches_end; b++) {
        if (globs != NULL && !glob_list_match(globs, b->name)) {
            continue;
        }
        found++;
        bench.batch = 0;
        b->run();
        if (bench.batch != WARM_BATCHES + BATCHES) {
            printf("# %s: no BENCH_LOOP, or left early\n", b->name);
            return false;
        }
        bench_print(b->name);
    }
    if (found == 0) {
        printf("# no benchmark matches %s\n", globs != NULL ? globs : "*");
    }
    return found != 0;
}
