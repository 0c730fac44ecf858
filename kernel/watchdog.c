// SPDX-License-Identifier: MIT
//
// Each CPU notes when its timer interrupt came, and looks at the others' notes.
#include "kernel/watchdog.h"

#include "arch/cpu.h"
#include "arch/percpu.h"
#include "kernel/sched.h"
#include "kernel/stall_report.h"
#include "kernel/timer.h"
#include "keyhole.h"
#include "lib/log.h"

#define GRACE_US 1000000 // for all CPUs' idling

// An interrupt comes in half of the time: after this it was missed.
#define MISSED(ticks) ((ticks) / 4 * 3)

static struct {
    uint64_t seconds;
    uint64_t ticks;       // the time; 0: off
    uint64_t progress_at; // 0: nothing is expected
    const char *expected;
    uint64_t still_at; // when all CPUs were seen idling
    uint32_t switches; // and how many there had been
} dog;

// Of the TSC; CPUs need not agree exactly.
static bool is_over(uint64_t since, uint64_t ticks)
{
    return (int64_t)(clock_now() - since) > (int64_t)ticks;
}

static void again_in(uint64_t ticks)
{
    percpu.heartbeat = clock_now();
    timer_set(TIMER_WATCHDOG, percpu.heartbeat + ticks);
}

static void cpus_check(uint64_t ticks)
{
    for (unsigned cpu = 0; cpu < cpus_count; cpu++) {
        uint64_t last =
            __atomic_load_n(&cpu_data_of(cpu)->heartbeat, __ATOMIC_RELAXED);
        if (is_over(last, ticks)) {
            stall_panic("CPU %u takes no interrupts", cpu);
        }
    }
}

// A CPU that is not heard of would be the cause.
static void progress_check(void)
{
    uint64_t at = __atomic_load_n(&dog.progress_at, __ATOMIC_RELAXED);
    if (at != 0 && is_over(at, dog.ticks)) {
        cpus_check(MISSED(dog.ticks));
        stall_panic("no progress for %llu seconds in %s",
                    (unsigned long long)dog.seconds, dog.expected);
    }
}

// Two looks, and no switch in between: nothing that was under way is left.
static void still_check(void)
{
    uint32_t switches;
    if (dog.still_at == 0 || !sched_stands_still(&switches)) {
        return;
    }
    if (switches == dog.switches &&
        is_over(dog.still_at, clock_ticks(GRACE_US) / 2)) {
        stall_panic("a deadlock or a lost wake-up: every CPU idles, and nobody "
                    "sleeps until a time");
    }
}

// TIMER_WATCHDOG. If this comes much too late, the whole machine may have been
// stopped: then once more.
static void check(void)
{
    if (dog.ticks == 0) {
        return;
    }
    bool late = is_over(percpu.heartbeat, MISSED(dog.ticks));
    again_in(dog.ticks / 2);
    if (late) {
        watchdog_progress();
        return;
    }
    still_check();
    progress_check();
    cpus_check(dog.ticks);
}

void watchdog_idle(void)
{
    uint32_t switches;
    if (likely(dog.ticks == 0) || !sched_stands_still(&switches) ||
        (dog.still_at != 0 && switches == dog.switches)) {
        return;
    }
    dog.switches = switches;
    dog.still_at = clock_now();
    again_in(clock_ticks(GRACE_US));
}

// ------------------------------------------------------------------ On and off

static void begin_here(void *unused)
{
    (void)unused;
    again_in(dog.ticks / 2);
}

static void end_here(void *unused)
{
    (void)unused;
    timer_set(TIMER_WATCHDOG, 0);
}

static void on_all(void (*fn)(void *unused))
{
    for (unsigned cpu = 0; cpu < cpus_count; cpu++) {
        cpu_call(cpu, fn, NULL);
    }
}

__init void watchdog_init(void)
{
    timer_handler_set(TIMER_WATCHDOG, check);
}

void watchdog_start(uint64_t seconds)
{
    watchdog_stop();
    if (seconds == 0) {
        return;
    }
    if (clock_ticks(1000) == 0) {
        log_line(LOG_WARN, "no watchdog: no clock");
        return;
    }
    dog.seconds = seconds;
    for (unsigned cpu = 0; cpu < cpus_count; cpu++) {
        cpu_data_of(cpu)->heartbeat = clock_now();
    }
    dog.ticks = clock_ticks(1000000 * seconds);
    on_all(begin_here);
}

void watchdog_stop(void)
{
    if (dog.ticks != 0) {
        dog.ticks = dog.progress_at = dog.still_at = 0;
        on_all(end_here);
    }
}

void watchdog_progress(void)
{
    if (dog.progress_at != 0) {
        __atomic_store_n(&dog.progress_at, clock_now(), __ATOMIC_RELAXED);
    }
}

void watchdog_expect(const char *what)
{
    if (dog.ticks != 0) {
        uint64_t flags = cpu_interrupts_off();
        dog.expected = what;
        dog.progress_at = what != NULL ? clock_now() : 0;
        again_in(dog.ticks / 2);
        cpu_interrupts_restore(flags);
    }
}
