// SPDX-License-Identifier: MIT
//
// How long each thread runs. A thread's time is noted when it stops to run, and
// when somebody looks. The switch by yielding has no instruction for that: it
// looks anyway whether there is a slice to be timed, and a queue that keeps
// times is never quiet (sched.c, queue_add_locked()).
#include "arch/cpu.h"
#include "kernel/sched_internal.h"
#include "kernel/timer.h"

// CPUs' counters need not agree exactly: what was noted in one's future counts
// when it has come.
void queue_time_note_locked(struct sched_queue *q)
{
    uint64_t now = clock_now();
    if (now > q->noted) {
        queue_current_locked(q)->ran += now - q->noted;
        q->noted = now;
    }
}

bool sched_times_keep(bool keep)
{
    bool kept = false;
    for (unsigned cpu = 0; cpu < cpus_count; cpu++) {
        struct sched_queue *q = queue_of(cpu);
        uint64_t flags = spin_lock(&q->lock);
        kept = q->times_kept;
        if (keep && !kept) {
            q->noted = clock_now();
        }
        queue_times_kept_set(q, keep);
        spin_unlock(&q->lock, flags);
    }
    return kept;
}

void sched_times_look(unsigned cpu, struct sched_cpu_times *times)
{
    struct sched_queue *q = queue_of(cpu);
    uint64_t flags = spin_lock(&q->lock);
    queue_time_note_locked(q);
    *times = (struct sched_cpu_times){
        .now = q->noted,
        .idle = q->idle->ran,
        .switches = q->switches,
        .name = queue_current_locked(q)->name,
    };
    spin_unlock(&q->lock, flags);
}
