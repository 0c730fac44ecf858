// SPDX-License-Identifier: MIT
//
// The same work on every CPU, each with frames of its own: what an operation
// costs must not depend on how many there are, unless the others have to be
// told of it.
#include "tests/bench_parallel.h"
#include "tests/workload.h"

#define CPUS_AT_MOST 64
#define FRAMES 8
#define COPIES 1000
#define AREAS 200
#define AREA_FRAMES 4

struct part {
    struct page *frame[FRAMES];
    unsigned cpu;
};

// Copies go round: each frame to the next.
static int copies(void *arg)
{
    struct part *part = arg;
    for (unsigned i = 0; i < COPIES; i++) {
        const void *from = kmap_local_page_ro(part->frame[i % FRAMES]);
        void *to = kmap_local_page(part->frame[(i + 1) % FRAMES]);
        memcpy(to, from, PAGE_SIZE);
        kunmap_local(to);
        kunmap_local(from);
    }
    unsigned wrong = 0;
    for (unsigned i = 0; i < FRAMES; i++) {
        wrong += workload_tag_read(part->frame[i]) !=
                 part->cpu * FRAMES; // as frame 0 had
    }
    return wrong != 0;
}

// Ranges come and go. Each unmap has to reach the CPUs that run.
static int areas(void *arg)
{
    struct part *part = arg;
    for (unsigned i = 0; i < AREAS; i++) {
        unsigned first = i % (FRAMES - AREA_FRAMES);
        const uint64_t *words =
            vmap(part->frame + first, AREA_FRAMES, MAP_READ);
        if (words == NULL || words[0] != part->cpu * FRAMES + first) {
            return 1;
        }
        vunmap(words);
    }
    return 0;
}

static void part_start(struct part *part, unsigned cpu)
{
    part->cpu = cpu;
    CHECK(workload_frames_alloc(domain_ram, part->frame, FRAMES));
    for (unsigned i = 0; i < FRAMES; i++) {
        workload_tag_write(part->frame[i], cpu * FRAMES + i);
    }
}

static void on_every_cpu(int (*fn)(void *arg), unsigned operations)
{
    struct part *parts = kzalloc(CPUS_AT_MOST * sizeof(*parts));
    void *args[CPUS_AT_MOST];
    CHECK(parts != NULL);
    for (unsigned cpu = 0; cpu < cpus_online(); cpu++) {
        args[cpu] = &parts[cpu];
        part_start(&parts[cpu], cpu);
    }
    CHECK(bench_on_every_cpu(fn, args, operations));
    for (unsigned cpu = 0; cpu < cpus_online(); cpu++) {
        workload_frames_free(parts[cpu].frame, FRAMES);
    }
    kfree(parts);
}

BENCH(workload, cpus_copy)
{
    on_every_cpu(copies, COPIES);
}

BENCH(workload, cpus_vmap)
{
    on_every_cpu(areas, AREAS);
}
