// SPDX-License-Identifier: MIT
//
// The shell's command that shows what CPUs and threads do. Each call is about
// the time since the one before.
#include "kernel/console.h"
#include "kernel/sched.h"
#include "kernel/shell_internal.h"
#include "kernel/thread_look.h"
#include "kernel/timer.h"
#include "keyhole.h"

#define THREADS_SHOWN 10 // with 8 CPUs, a screenful
#define REPEATS_MAX 1000000
#define PERIOD_MS 1000
#define KEY_MS 50 // between two looks for one

// What a CPU has done.
struct cpu_counts {
    uint64_t now, idle, interrupts, ipis, brackets;
    uint32_t switches;
    char name[THREAD_NAME_SIZE]; // of its thread
};

static struct cpu_counts *before; // by CPU, at the last top

// Of two numbers, as people write it: at most 100.0.
struct percent {
    unsigned whole, tenths;
};

static struct percent percent_of(uint64_t part, uint64_t all)
{
    uint64_t permille = all != 0 ? MIN(part * 1000 / all, 1000) : 0;
    return (struct percent){permille / 10, permille % 10};
}

static void cpu_count(unsigned cpu, struct cpu_counts *counts)
{
    const volatile struct cpu_data *data = cpu_data_of(cpu);
    struct sched_cpu_times times;
    sched_times_look(cpu, &times);
    *counts = (struct cpu_counts){
        .now = times.now,
        .idle = times.idle,
        .interrupts = data->interrupts + data->ipis,
        .ipis = data->ipis,
        .brackets = data->brackets_opened,
        .switches = times.switches,
    };
    memcpy(counts->name, times.name, sizeof(counts->name));
}

// What a CPU did since the last top. How long that is.
static uint64_t cpu_print(unsigned cpu)
{
    struct cpu_counts *last = &before[cpu], now;
    cpu_count(cpu, &now);
    uint64_t ticks = now.now - last->now, idle = now.idle - last->idle;
    struct percent busy = percent_of(ticks - MIN(idle, ticks), ticks);
    printf("  %3u  %3u.%u%%  %9u  %10llu  %8llu  %10llu  %s\n", cpu, busy.whole,
           busy.tenths, now.switches - last->switches,
           (unsigned long long)(now.interrupts - last->interrupts),
           (unsigned long long)(now.ipis - last->ipis),
           (unsigned long long)(now.brackets - last->brackets), now.name);
    *last = now;
    return ticks;
}

static const char *state_name(const struct thread_look *look)
{
    static const char *const names[] = {
        [THREAD_READY] = "ready",
        [THREAD_BLOCKED] = "waits",
        [THREAD_SLEEPING] = "sleeps",
        [THREAD_ENDED] = "ended",
    };
    return look->running ? "runs" : names[look->state];
}

static void thread_print(const struct thread_look *look, uint64_t ticks)
{
    struct percent time = percent_of(look->ran, ticks);
    char stack[24] = "-";
    if (look->stack != 0) {
        snprintf(stack, sizeof(stack), "%zu of %zu", look->stack,
                 look->stack_size);
    }
    printf("  %-23s  %-6s  %3u  %3u.%u%%  %8u  %s\n", look->name,
           state_name(look), look->cpu, time.whole, time.tenths, look->brackets,
           stack);
}

static void threads_print(uint64_t ticks)
{
    struct thread_look looks[THREADS_SHOWN];
    size_t count = thread_look_all(looks, THREADS_SHOWN);
    printf("  %-23s  %-6s  CPU    time  brackets  stack, bytes\n", "thread",
           "state");
    for (size_t i = 0; i < MIN(count, THREADS_SHOWN); i++) {
        thread_print(&looks[i], ticks);
    }
    if (count > THREADS_SHOWN) {
        printf("  ... and %zu more\n", count - THREADS_SHOWN);
    }
}

static void top_print(void)
{
    uint64_t ticks = 0;
    printf("  CPU    busy   switches  interrupts      IPIs    brackets  "
           "thread\n");
    for (unsigned cpu = 0; cpu < cpus_count; cpu++) {
        uint64_t of_cpu = cpu_print(cpu);
        ticks = MAX(ticks, of_cpu);
    }
    threads_print(ticks);
    printf("  in %llu million ticks\n", (unsigned long long)(ticks / 1000000));
}

// Wait until the next is due. False: a key came.
static bool period_wait(void)
{
    for (unsigned ms = 0; ms < PERIOD_MS; ms += KEY_MS) {
        if (console_read() >= 0) {
            return false;
        }
        thread_sleep_ms(KEY_MS);
    }
    return true;
}

void shell_top_start(void)
{
    sched_times_keep(true);
    if (before == NULL) {
        before = kzalloc(cpus_count * sizeof(*before));
    }
    for (unsigned cpu = 0; before != NULL && cpu < cpus_count; cpu++) {
        cpu_count(cpu, &before[cpu]);
    }
}

void shell_top(int argc, char **argv)
{
    uint64_t times = 1;
    if (argc > 1 && !shell_number(argv[1], REPEATS_MAX, &times)) {
        return;
    }
    if (before == NULL) {
        shell_error("no memory for what the CPUs did");
        return;
    }
    for (uint64_t i = 0; i < times; i++) {
        if (i != 0 && !period_wait()) {
            return;
        }
        top_print();
    }
}
