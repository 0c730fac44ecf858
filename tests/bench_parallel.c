// SPDX-License-Identifier: MIT
//
// Threads that start together. The CPU of the benchmark has one thread more,
// which waits.
#include "tests/bench_parallel.h"

#include "arch/cpu.h"
#include "tests/threads.h"

static struct {
    int (*fn)(void *arg);
    unsigned waiting; // threads that have begun
    volatile bool go;
} all;

static int run_when_all_are_there(void *arg)
{
    __atomic_fetch_add(&all.waiting, 1, __ATOMIC_SEQ_CST);
    while (!all.go) {
        cpu_pause();
    }
    return all.fn(arg);
}

bool bench_on_every_cpu(int (*fn)(void *arg), void *const args[],
                        unsigned operations)
{
    struct thread *threads[CPUS_MAX];
    unsigned count = 0;
    bool good = true;
    all.fn = fn;
    all.waiting = 0;
    all.go = false;
    for (; good && count < cpus_online(); count += good) {
        threads[count] = thread_create_on(count, "each", run_when_all_are_there,
                                          args[count]);
        good = threads[count] != NULL;
    }
    while (__atomic_load_n(&all.waiting, __ATOMIC_SEQ_CST) < count) {
        thread_yield();
    }
    bench_region_begin();
    all.go = true;
    for (unsigned cpu = 0; cpu < count; cpu++) {
        good = thread_join(threads[cpu]) == 0 && good;
    }
    bench_region_end((uint64_t)operations * count);
    return good;
}
