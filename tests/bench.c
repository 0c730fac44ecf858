// SPDX-License-Identifier: MIT
//
// Runs the registered benchmarks. Time is the TSC: under QEMU's -icount it
// counts instructions one for one, and the unit is then "insns"; elsewhere it
// is "ticks". The loop's own cost is measured and taken off.
#include "tests/bench.h"
#include "arch/cpu.h"
#include "kernel/config.h"
#include "kernel/main.h"
#include "kernel/run.h"
#include "kernel/watchdog.h"
#include "keyhole.h"
#include "lib/glob.h"
#include "mm/memory.h"
#include "mm/tables.h"

extern const struct test_entry __benches_start[], __benches_end[];

#define BATCHES 33       // measured; an odd number has a middle
#define BATCH_LENGTH 512 // iterations
#define WARM_BATCHES 2   // not measured

static struct {
    unsigned batch; // of this loop, warm ones included
    uint64_t started_tsc;
    uint64_t ticks[BATCHES];
    uint64_t overhead; // ticks of a batch with nothing in it
    uint64_t less;     // ticks of a batch that bench_less() takes off as well
    const char *unit;
    // What bench_value() said; no unit: nothing.
    const char *value_unit;
    uint64_t value, value_min, value_max;
} bench;

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

__noinline uint64_t bench_begin(void)
{
    bench.batch = 0;
    bench.started_tsc = cpu_read_tsc();
    return BATCH_LENGTH;
}

__noinline bool bench_more(uint64_t n, uint64_t *end)
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

void bench_less(void)
{
    ticks_sort();
    bench.less = bench.ticks[BATCHES / 2] - bench.overhead;
}

void bench_value(const char *unit, uint64_t value, uint64_t min, uint64_t max)
{
    bench.value_unit = unit;
    bench.value = value;
    bench.value_min = min;
    bench.value_max = max;
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

// An iteration's share of a batch, rounded to the nearest.
static unsigned long long per_iteration(uint64_t ticks)
{
    uint64_t off = bench.overhead + bench.less;
    uint64_t net = ticks > off ? ticks - off : 0;
    return (net + BATCH_LENGTH / 2) / BATCH_LENGTH;
}

// One line of JSON, whatever was measured.
static void bench_print(const char *name, const char *unit,
                        unsigned long long value, unsigned long long min,
                        unsigned long long max, unsigned count)
{
    printf("bench {\"name\":\"%s\",\"unit\":\"%s\",\"value\":%llu,"
           "\"min\":%llu,\"max\":%llu,\"n\":%u,\"engine\":\"%s\","
           "\"cpus\":%u}\n",
           name, unit, value, min, max, count,
           protect_engine_name(protect_engine()), cpus_online());
}

static void loop_print(const char *name)
{
    ticks_sort();
    bench_print(name, bench.unit, per_iteration(bench.ticks[BATCHES / 2]),
                per_iteration(bench.ticks[0]),
                per_iteration(bench.ticks[BATCHES - 1]),
                BATCHES * BATCH_LENGTH);
}

// What is known once and needs no loop: a count of something.
static unsigned facts_print(const char *globs, uint64_t started_tsc)
{
    uint64_t leaves[PT_LEVELS + 1];
    memory_leaf_bytes(leaves);
    const struct {
        const char *name, *unit;
        uint64_t value;
    } facts[] = {
        {"boot.first_test", bench.unit, started_tsc - boot_tsc},
        {"boot.table_memory", "bytes", tables_used() * PAGE_SIZE},
        {"boot.leaves_4k", "bytes", leaves[1]},
        {"boot.leaves_2m", "bytes", leaves[2]},
        {"boot.leaves_1g", "bytes", leaves[3]},
        {"frames.metadata", "bytes", sizeof(struct page)},
    };
    unsigned found = 0;
    for (unsigned i = 0; i < ARRAY_SIZE(facts); i++) {
        if (globs == NULL || glob_list_match(globs, facts[i].name)) {
            bench_print(facts[i].name, facts[i].unit, facts[i].value,
                        facts[i].value, facts[i].value, 1);
            found++;
        }
    }
    return found;
}

static __noinline void bench_nothing(void)
{
    BENCH_LOOP (n) {
        __asm__ volatile("" : : "r"(n) : "memory");
    }
}

static bool bench_run(const struct test_entry *b)
{
    bench.batch = 0;
    bench.less = 0;
    bench.value_unit = NULL;
    b->run();
    if (bench.value_unit != NULL) {
        bench_print(b->name, bench.value_unit, bench.value, bench.value_min,
                    bench.value_max, 1);
    } else if (bench.batch == WARM_BATCHES + BATCHES) {
        loop_print(b->name);
    } else {
        printf("# %s: no BENCH_LOOP, or left early\n", b->name);
        return false;
    }
    return true;
}

bool benches_run(const char *globs)
{
    uint64_t started_tsc = cpu_read_tsc();
    watchdog_stop(); // its interrupts would count
    bench.unit = tsc_counts_insns() ? "insns" : "ticks";
    unsigned found = facts_print(globs, started_tsc);
    bench.overhead = 0;
    bench_nothing();
    ticks_sort();
    bench.overhead = bench.ticks[BATCHES / 2];
    for (const struct test_entry *b = __benches_start; b < __benches_end; b++) {
        if (globs != NULL && !glob_list_match(globs, b->name)) {
            continue;
        }
        found++;
        if (!bench_run(b)) {
            return false;
        }
    }
    if (found == 0) {
        printf("# no benchmark matches %s\n", globs != NULL ? globs : "*");
    }
    return found != 0;
}
