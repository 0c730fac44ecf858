// SPDX-License-Identifier: MIT
//
// Runs the registered benchmarks. Time is the TSC: under QEMU's -icount it
// counts instructions one for one, and the unit is then "insns"; elsewhere it
// is "ticks". The loop's own cost is measured and taken off. Events are counted
// over the measured batches, outside the time that is measured.
#include "tests/bench.h"
#include "arch/ap_start.h"
#include "arch/cpu.h"
#include "arch/cpuid.h"
#include "kernel/main.h"
#include "kernel/run.h"
#include "kernel/timer.h"
#include "kernel/watchdog.h"
#include "lib/glob.h"
#include "lib/panic.h"
#include "mm/memory.h"
#include "mm/tables.h"
#include "tests/bench_line.h"
#include "tests/framework.h"
#include "tests/scratch.h"

extern const struct test_entry __benches_start[], __benches_end[];

#define BATCHES 33       // measured; an odd number has a middle
#define BATCH_LENGTH 512 // iterations
#define WARM_BATCHES 2   // not measured

static struct {
    unsigned batch;  // of this loop, warm ones included
    unsigned length; // of a batch
    uint64_t started_tsc;
    uint64_t ticks[BATCHES];
    uint64_t overhead; // ticks of a batch with nothing in it
    uint64_t less;     // ticks of a batch that bench_less() takes off as well
    const char *unit;
    struct bench_events before; // the measured batches, or the region
    struct bench_events events; // of them
    struct bench_line line;     // what bench_value() or a region said
} bench;

// Waits for what came before, and has what comes behind wait.
static uint64_t clock_read(void)
{
    return cpu_has(CPU_FEATURE_RDTSCP) ? cpu_read_tscp()
                                       : cpu_read_tsc_fenced();
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

// ---------------------------------------------------------------------- Loops

__noinline uint64_t bench_begin(void)
{
    bench.batch = 0;
    bench.started_tsc = clock_read();
    return bench.length;
}

static void events_end(void)
{
    struct bench_events after;
    bench_events_read(&after);
    bench_events_add(&bench.events, &bench.before, &after);
}

__noinline bool bench_more(uint64_t n, uint64_t *end)
{
    uint64_t now = clock_read();
    if (bench.batch >= WARM_BATCHES) {
        bench.ticks[bench.batch - WARM_BATCHES] = now - bench.started_tsc;
    }
    bench.batch++;
    if (bench.batch == WARM_BATCHES) {
        bench_events_read(&bench.before);
    } else if (bench.batch == WARM_BATCHES + BATCHES) {
        events_end();
        return false;
    }
    *end = n + bench.length;
    bench.started_tsc = clock_read();
    return true;
}

static __noinline void bench_nothing(void)
{
    BENCH_LOOP (n) {
        __asm__ volatile("" : : "r"(n) : "memory");
    }
}

void bench_batch(unsigned length)
{
    bench.length = length;
    bench.overhead = 0;
    bench_nothing();
    ticks_sort();
    bench.overhead = bench.ticks[BATCHES / 2];
    bench.batch = 0;
    bench.events = (struct bench_events){0};
}

void bench_less(void)
{
    ticks_sort();
    bench.less = bench.ticks[BATCHES / 2] - bench.overhead;
    static const struct bench_events nothing;
    struct bench_events first = bench.events;
    bench.events = nothing;
    bench_events_add(&bench.events, &first, &nothing);
}

// An iteration's share of a batch, rounded to the nearest.
static uint64_t per_iteration(uint64_t ticks)
{
    uint64_t off = bench.overhead + bench.less;
    uint64_t net = ticks > off ? ticks - off : 0;
    return (net + bench.length / 2) / bench.length;
}

static void loop_print(const char *name)
{
    ticks_sort();
    bench_line_print(&(struct bench_line){
        .name = name,
        .unit = bench.unit,
        .value = per_iteration(bench.ticks[BATCHES / 2]),
        .min = per_iteration(bench.ticks[0]),
        .max = per_iteration(bench.ticks[BATCHES - 1]),
        .quarter = {per_iteration(bench.ticks[BATCHES / 4]),
                    per_iteration(bench.ticks[BATCHES - 1 - BATCHES / 4])},
        .n = (uint64_t)BATCHES * bench.length,
        .has_quarters = true,
        .has_events = true,
        .events = bench.events,
    });
}

// -------------------------------------------------------------- Without a loop

void bench_value(const char *unit, uint64_t value, uint64_t min, uint64_t max)
{
    bench.line = (struct bench_line){
        .unit = unit, .value = value, .min = min, .max = max, .n = 1};
}

void bench_region_begin(void)
{
    bench_events_read(&bench.before);
    bench.started_tsc = clock_read();
}

void bench_region_end(uint64_t operations)
{
    uint64_t ticks = clock_read() - bench.started_tsc;
    events_end();
    uint64_t each = (ticks + operations / 2) / operations;
    bench_value(bench.unit, each, each, each);
    bench.line.n = operations;
    bench.line.has_events = true;
    bench.line.events = bench.events;
}

void bench_count(const char *name, uint64_t count)
{
    ASSERT(bench.line.count_of_counts < BENCH_COUNTS);
    bench.line.counts[bench.line.count_of_counts++] =
        (struct bench_count){name, count};
}

// What is known once and needs no loop: a count of something.
static unsigned facts_print(const char *globs, uint64_t started_tsc)
{
    uint64_t leaves[PT_LEVELS + 1];
    memory_leaf_bytes(leaves);
    struct bench_events stats;
    bench_events_read(&stats);
    const struct {
        const char *name, *unit;
        uint64_t value;
        bool has_events;
    } facts[] = {
        {"boot.first_test", bench.unit,
         started_tsc - boot_tsc - ap_start_waited_tsc, true},
        {"boot.wait_for_cpus", bench.unit, ap_start_waited_tsc, false},
        {"boot.table_memory", "bytes", tables_used() * PAGE_SIZE, false},
        {"boot.leaves_4k", "bytes", leaves[1], false},
        {"boot.leaves_2m", "bytes", leaves[2], false},
        {"boot.leaves_1g", "bytes", leaves[3], false},
        {"frames.metadata", "bytes", sizeof(struct page), false},
    };
    unsigned found = 0;
    for (unsigned i = 0; i < ARRAY_SIZE(facts); i++) {
        if (globs == NULL || glob_list_match(globs, facts[i].name)) {
            bench_value(facts[i].unit, facts[i].value, facts[i].value,
                        facts[i].value);
            bench.line.name = facts[i].name;
            bench.line.has_events = facts[i].has_events;
            bench.line.events = stats;
            bench_line_print(&bench.line);
            found++;
        }
    }
    return found;
}

// --------------------------------------------------------------------- Running

static uint64_t loop_ticks(uint64_t count)
{
    uint64_t before = cpu_read_tsc();
    __asm__ volatile("1: dec %0; jnz 1b" : "+r"(count) : : "cc");
    return cpu_read_tsc() - before;
}

// Loops of known lengths, to the last instruction; a clock that merely runs
// twice as fast as the CPU is not so exact.
static bool loops_are_exact(void)
{
    for (uint64_t count = 100; count < 1000; count += 100) {
        if (loop_ticks(1000 + count) - loop_ticks(1000) != 2 * count) {
            return false;
        }
    }
    return true;
}

// Does the TSC count instructions? Another CPU's count too, and one may be just
// about to idle: look again.
static bool tsc_counts_insns(void)
{
    unsigned tries = 10;
    while (tries > 0 && !loops_are_exact()) {
        tries--;
    }
    return tries > 0;
}

// Whose ticks these are: they mean something on that machine alone.
static void machine_print(void)
{
    char brand[CPU_BRAND_SIZE];
    cpu_brand_read(brand);
    printf("# cpu: %s\n# tsc: %llu kHz\n", brand,
           (unsigned long long)clock_ticks(1000));
}

static bool bench_run(const struct test_entry *b)
{
    bench_batch(BATCH_LENGTH);
    bench.less = 0;
    bench.line.unit = NULL;
    test_verdict_reset();
    b->run();
    if (test_verdict_failed()) {
        printf("# %s: a check failed\n", b->name);
    } else if (test_verdict_skip() != NULL) {
        printf("# %s: SKIP %s\n", b->name, test_verdict_skip());
        return true;
    } else if (bench.line.unit != NULL) {
        bench.line.name = b->name;
        bench_line_print(&bench.line);
        return true;
    } else if (bench.batch == WARM_BATCHES + BATCHES) {
        loop_print(b->name);
        return true;
    } else {
        printf("# %s: no BENCH_LOOP, or left early\n", b->name);
    }
    return false;
}

bool benches_run(const char *globs)
{
    uint64_t started_tsc = cpu_read_tsc();
    scratch_prepare();
    watchdog_stop(); // its interrupts would count
    bench.unit = tsc_counts_insns() ? "insns" : "ticks";
    if (strcmp(bench.unit, "ticks") == 0) {
        machine_print();
    }
    unsigned found = facts_print(globs, started_tsc);
    bool good = true;
    for (const struct test_entry *b = __benches_start; b < __benches_end; b++) {
        if (globs == NULL || glob_list_match(globs, b->name)) {
            found++;
            good = bench_run(b) && good;
        }
    }
    if (found == 0) {
        printf("# no benchmark matches %s\n", globs != NULL ? globs : "*");
    }
    return good && found != 0;
}
