// SPDX-License-Identifier: MIT
//
// A bracket's hot path writes two things: the CPU's own data, up to what other
// CPUs write there, and slots of the thread or handler that runs. Those of two
// CPUs share no cache line, nor does a line that others write lie among them.
#include "mm/context.h"
#include "tests/threads.h"

#define LINE 64
#define RANGES 3 // of each CPU

struct range {
    uintptr_t first, last; // bytes
};

struct written {
    struct range range[RANGES];
};

static struct range range_of(const volatile void *from,
                             const volatile void *end)
{
    return (struct range){(uintptr_t)from, (uintptr_t)end - 1};
}

// Where the hot path writes on this CPU.
static bool noted_all;

static int note_written(void *arg)
{
    struct written *written = arg;
    const struct cpu_data *cpu = percpu.self;
    const struct bracket_level *level = CONTAINER_OF(
        cpu->bracket_top - 1, const struct bracket_level, sentinel);
    const struct bracket *handlers = cpu->handler_first;
    written->range[0] = range_of(cpu, &cpu->tlb_state);
    written->range[1] = range_of(level, level + 1);
    written->range[2] =
        range_of(handlers, handlers + HANDLER_LEVELS * BRACKET_LEVEL_SLOTS);
    while (!*(volatile bool *)&noted_all) {
        thread_yield(); // so that each has slots of its own
    }
    return 0;
}

static bool share_a_line(const struct range *a, const struct range *b)
{
    return a->first / LINE <= b->last / LINE &&
           b->first / LINE <= a->last / LINE;
}

static unsigned shared_lines(const struct written *a, const struct written *b)
{
    unsigned shared = 0;
    for (unsigned i = 0; i < RANGES * RANGES; i++) {
        shared += share_a_line(&a->range[i / RANGES], &b->range[i % RANGES]);
    }
    return shared;
}

TEST(lines, no_two_cpus_write_one)
{
    unsigned count = cpus_online(), shared = 0;
    struct written *written = kzalloc(count * sizeof(*written));
    CHECK(written != NULL);
    struct thread *threads[CPUS_MAX];
    noted_all = false;
    for (unsigned cpu = 0; cpu < count; cpu++) {
        threads[cpu] =
            thread_create_on(cpu, "lines", note_written, &written[cpu]);
        CHECK(threads[cpu] != NULL);
    }
    noted_all = true;
    for (unsigned cpu = 0; cpu < count; cpu++) {
        CHECK_EQ(thread_join(threads[cpu]), 0);
    }
    for (unsigned i = 0; i < count * count; i++) {
        shared += i / count == i % count
                      ? 0
                      : shared_lines(&written[i / count], &written[i % count]);
    }
    kfree(written);
    CHECK_EQ(shared, 0);
}

// What two threads have lies apart too, wherever they run; and so does what
// other CPUs write of a CPU's data.
TEST(lines, apart)
{
    CHECK_EQ(sizeof(struct mm_context) % LINE, 0);
    CHECK_EQ(offsetof(struct cpu_data, tlb_state) % LINE, 0);
    CHECK_EQ((uintptr_t)percpu.self % LINE, 0);
    CHECK(offsetof(struct cpu_data, tlb_wanted) / LINE ==
          offsetof(struct cpu_data, tlb_state) / LINE);
}
