// SPDX-License-Identifier: MIT
//
// The history is read while events come: who reads gets whole ones.
#include "arch/percpu.h"
#include "kernel/thread.h"
#include "kernel/timer.h"
#include "mm/frames.h"
#include "mm/trace.h"
#include "tests/engines.h"
#include "tests/handlers.h"
#include "tests/threads.h"
#include "tests/trace_events.h"

static struct page *page, *other;

static bool frames_get(void)
{
    page = alloc_page(domain_ram);
    other = alloc_page(domain_ram);
    return page != NULL && other != NULL;
}

static void frames_put(void)
{
    free_page(page);
    free_page(other);
}

#define READS 2000
#define READ_LIMIT_US 20000000

static volatile bool writing;

static int write_events(void *unused)
{
    (void)unused;
    struct page *own = alloc_page(domain_ram);
    while (own != NULL && writing) {
        kunmap_local(kmap_local_page(own));
    }
    free_page(own);
    return own != NULL;
}

TEST(trace, who_reads_gets_no_halves)
{
    NEEDS_HISTORY();
    if (cpus_online() == 1) {
        SKIP("needs two CPUs");
    }
    CHECK(frames_get());
    writing = true;
    struct thread *thread = thread_create_on(1, "noted", write_events, NULL);
    CHECK(thread != NULL);
    unsigned read = 0, wrong = 0;
    struct trace_event event;
    uint64_t end = clock_now() + clock_ticks(READ_LIMIT_US);
    for (unsigned i = 0; read < READS && clock_now() < end; i++) {
        uint32_t newest = trace_newest(1);
        if (newest != 0 && trace_read(1, newest - i % 4, &event)) {
            read++;
            wrong += event.cpu != 1 || event.kind > TRACE_FAULT ||
                     event.time > cpu_read_tsc() || event.site == 0;
        }
    }
    writing = false;
    CHECK_EQ(thread_join(thread), 1);
    CHECK_EQ(wrong, 0);
    CHECK_EQ(read, READS);
    frames_put();
}

struct overtaken {
    uint32_t number;
    struct trace_event event;
    bool read;
    unsigned step, at; // the handler comes after the step with this number
};

static void overtaken_read(void *arg)
{
    struct overtaken *it = arg;
    it->read = trace_read(percpu.cpu, it->number, &it->event);
}

// As many events as there is room for, on another frame.
static void overtake(void *arg)
{
    struct overtaken *it = arg;
    if (it->step++ == it->at) {
        for (unsigned i = 0; i < TRACE_EVENTS; i += 2) {
            kunmap_local(kmap_local_page(other));
        }
    }
}

// Whenever the writer comes round: the event that was wanted, whole, or none.
TEST(trace, who_is_overtaken_gets_no_halves)
{
    NEEDS_HISTORY();
    CHECK(frames_get());
    unsigned whole = 0, wrong = 0, at = 0;
    struct overtaken it;
    do {
        kunmap_local(kmap_local_page(page));
        it = (struct overtaken){.number = trace_newest(percpu.cpu), .at = at++};
        step_through(overtaken_read, &it, overtake, &it);
        whole += it.read;
        wrong += it.read && (it.event.number != it.number ||
                             it.event.kind != TRACE_UNMAP ||
                             it.event.frame != page_to_phys(page) / PAGE_SIZE ||
                             it.event.thread != percpu.thread);
    } while (it.step > it.at);
    CHECK_EQ(wrong, 0);
    CHECK(whole != 0 && whole < at / 2);
    frames_put();
}
