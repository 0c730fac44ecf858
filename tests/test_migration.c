// SPDX-License-Identifier: MIT
//
// A thread goes from CPU to CPU inside brackets: it keeps exactly its rights,
// and the CPU that it left keeps none.
#include "arch/cpu.h"
#include "arch/pks.h"
#include "arch/tlb.h"
#include "kernel/remote.h"
#include "kernel/timer.h"
#include "mm/context.h"
#include "mm/frames.h"
#include "tests/engines.h"
#include "tests/handlers.h"
#include "tests/threads.h"

#define NEED_CPUS(n)                                                           \
    do {                                                                       \
        if (cpus_online() < (n)) {                                             \
            SKIP("needs more CPUs");                                           \
        }                                                                      \
    } while (0)

// Three domains with a frame each: for writing, for reading, and not at all;
// and a list of frames of the first.
enum { WRITE, READ, NONE, KINDS };
#define LISTED 4

static struct domain *domains[KINDS];
static struct page *pages[KINDS], *listed[LISTED];

static bool frames_get(void)
{
    bool got = true;
    for (unsigned i = 0; i < KINDS; i++) {
        domains[i] = domain_create("mover");
        pages[i] = domains[i] != NULL ? alloc_page(domains[i]) : NULL;
        got = got && pages[i] != NULL;
    }
    for (uint64_t i = 0; got && i < LISTED; i++) {
        listed[i] = alloc_page(domains[WRITE]);
        got = listed[i] != NULL;
        if (got) {
            memcpy_to_page(listed[i], 0, &i, sizeof(i));
        }
    }
    return got;
}

static bool frames_put(void)
{
    bool gone = true;
    for (unsigned i = 0; i < LISTED; i++) {
        free_page(listed[i]);
    }
    for (unsigned i = 0; i < KINDS; i++) {
        free_page(pages[i]);
        gone = domain_destroy(domains[i]) == 0 && gone;
    }
    return gone;
}

static bool may_read(const void *at)
{
    uint64_t value;
    return probe_read(at, &value, sizeof(value), NULL);
}

static bool may_write(const void *at)
{
    uint64_t value = 5;
    return probe_write((void *)at, &value, sizeof(value), NULL);
}

// ---------------------------------------------------------- The rights go
// along

struct rights {
    uint32_t word;
    bool closed; // the register too
    bool reached;
    const void *at;
};

static void note_rights(void *arg)
{
    struct rights *rights = arg;
    rights->word = pks_rights();
    rights->closed = rights_are(PKRS_CLOSED);
    rights->reached = rights->at != NULL && may_read(rights->at);
}

// What the CPU that was left may do: as a handler, and as the context that the
// handler interrupted, which idles.
static bool cpu_has_nothing(unsigned cpu, const void *at)
{
    struct rights in_call = {.at = at}, in_nmi = {.at = at};
    cpu_call(cpu, note_rights, &in_call);
    cpu_nmi(cpu, note_rights, &in_nmi);
    const struct cpu_data *data = cpu_data_of(cpu);
    bool out = test_engine()->others_stay_out;
    return in_call.word == PKRS_CLOSED && in_call.closed &&
           in_nmi.word == PKRS_CLOSED && in_nmi.closed &&
           in_call.reached == !out && in_nmi.reached == !out &&
           (cpu == cpu_id() || data->bracket_top[-1].rights == PKRS_CLOSED);
}

static bool has_exactly(const void *writable, const void *readable,
                        const void *const list)
{
    const char *none = page_direct_map_address(pages[NONE]);
    bool all = !engine_refuses();
    bool right = may_write(writable) && may_read(readable) &&
                 may_write(readable) == all && may_read(none) == all &&
                 may_write(none) == all;
    for (uint64_t i = 0; i < LISTED; i++) {
        const char *at = (const char *)list + i * PAGE_SIZE;
        right = right && may_read(at) && *(const volatile uint64_t *)at == i;
    }
    return right && rights_are(pks_rights());
}

static bool visit_all(const void *writable, const void *readable,
                      const void *list)
{
    uint32_t before = pks_rights();
    bool right = true;
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned cpu = 0; cpu < cpus_online(); cpu++) {
            unsigned left = cpu_id();
            right = right && thread_pin(cpu) == 0 && cpu_id() == cpu &&
                    pks_rights() == before &&
                    has_exactly(writable, readable, list) &&
                    (left == cpu || cpu_has_nothing(left, writable));
        }
    }
    return right;
}

TEST(migration, keeps_exactly_its_rights)
{
    CHECK(frames_get());
    const void *writable = kmap_local_page(pages[WRITE]);
    const void *readable = kmap_local_page_ro(pages[READ]);
    const void *list = kmap_local_pages_ro(listed, LISTED);
    bool right = visit_all(writable, readable, list);
    kunmap_local(list);
    kunmap_local(readable);
    kunmap_local(writable);
    CHECK(right);
    bool all = !engine_refuses();
    CHECK(!may_read(list));
    CHECK_EQ(may_read(readable), all);
    CHECK_EQ(may_read(writable), all);
    CHECK(frames_put());
}

// --------------------------------------------------- Moved when it is
// preempted

#define MOVERS_PER_CPU 3
#define LOOPS_ENOUGH 600 // with more CPUs each thread does fewer
#define MOVE_LIMIT_US 10000000

static volatile uint64_t cpus_seen;

static bool has_moved(void)
{
    uint64_t seen = __atomic_load_n(&cpus_seen, __ATOMIC_RELAXED);
    return cpus_online() == 1 || (seen & (seen - 1)) != 0;
}

// In a bracket all the time, wherever that is; and as long as all run on one
// CPU, within reason: another may take long to see that there is work.
static int move_about(void *unused)
{
    (void)unused;
    struct domain *domain = domain_create("own");
    struct page *page = domain != NULL ? alloc_page(domain) : NULL;
    if (page == NULL) {
        return -1;
    }
    volatile uint64_t *p = kmap_local_page(page);
    int wrong = 0;
    unsigned loops = LOOPS_ENOUGH / MAX(cpus_online(), 2u);
    uint64_t end = clock_now() + clock_ticks(MOVE_LIMIT_US);
    for (uint64_t i = 0; i < loops || (!has_moved() && clock_now() < end);
         i++) {
        *p = i;
        __atomic_fetch_or(&cpus_seen, BIT(cpu_id()), __ATOMIC_RELAXED);
        if (i % 8 == 0) {
            thread_yield();
        }
        wrong += *p != i || may_read(page_direct_map_address(pages[NONE])) ==
                                engine_refuses();
    }
    kunmap_local((const void *)p);
    free_page(page);
    return wrong + (domain_destroy(domain) != 0);
}

TEST(migration, threads_that_run_wherever_there_is_room)
{
    CHECK(frames_get());
    static struct thread *threads[MOVERS_PER_CPU * CPUS_MAX];
    unsigned count = MOVERS_PER_CPU * cpus_online();
    int wrong = 0;
    cpus_seen = 0;
    for (unsigned i = 0; i < count; i++) {
        threads[i] = thread_create("mover", move_about, NULL);
        CHECK(threads[i] != NULL);
    }
    for (unsigned i = 0; i < count; i++) {
        wrong += thread_join(threads[i]);
    }
    CHECK_EQ(wrong, 0);
    CHECK(has_moved());
    CHECK(frames_put());
}

// --------------------------------------------------------------------- Windows

static volatile bool spinning;

static int spin(void *unused)
{
    (void)unused;
    while (spinning) {
        cpu_pause();
    }
    return 0;
}

static uint64_t ipis(void)
{
    struct map_stats stats;
    map_stats_read(&stats);
    return stats.shootdown_ipis;
}

// A part of the window that was open on CPU 0 is closed on CPU 1: CPU 0, which
// is not idle, is asked to forget it, and the part after it is not its business
// any more.
TEST(migration, the_cpu_that_was_left_forgets_the_window)
{
    NEED_CPUS(2);
    CHECK(frames_get());
    const void *list = kmap_local_pages(listed, LISTED);
    spinning = true;
    struct thread *busy = thread_create_on(0, "busy", spin, NULL);
    CHECK(may_read(list) && thread_pin(1) == 0);
    bool reached = may_read(list);
    const void *inner = kmap_local_pages(listed, 2);
    uint64_t before = ipis();
    kunmap_local(inner); // was never open on CPU 0
    uint64_t between = ipis();
    kunmap_local(list);
    uint64_t after = ipis();
    spinning = false;
    CHECK(busy != NULL);
    CHECK_EQ(thread_join(busy), 0);
    CHECK(reached);
    bool told = engine_shares_windows(); // who is asked has nothing, otherwise
    if (engine->list_closed == NULL) {
        CHECK_EQ(between, before);
        CHECK_EQ(after, between + told);
    }
    list = kmap_local_pages(listed, LISTED);
    kunmap_local(list);
    CHECK(ipis() == after || engine->list_closed != NULL);
    CHECK(frames_put());
}

// ... and the CPU that it comes to does not use what it remembers from before.
TEST(migration, the_cpu_that_it_comes_to_looks_anew)
{
    NEED_CPUS(2);
    CHECK(frames_get());
    struct map_stats before, after;
    const void *list = kmap_local_pages(listed, LISTED);
    map_stats_read(&before);
    CHECK_EQ(thread_pin(1), 0);
    map_stats_read(&after);
    CHECK(engine_shares_windows() ? after.invlpg >= before.invlpg + LISTED
                                  : after.full_flushes > before.full_flushes);
    kunmap_local(list);
    CHECK(frames_put());
}

// ----------------------------------------------------------------------
// Pinning

TEST(migration, pin)
{
    CHECK_EQ(thread_pin(cpus_online()), -EINVAL);
    CHECK_EQ(thread_pin(~0u), -EINVAL);
    for (unsigned cpu = cpus_online(); cpu-- > 0;) {
        CHECK_EQ(thread_pin(cpu), 0);
        CHECK_EQ(cpu_id(), cpu);
        thread_yield();
        thread_sleep_ms(1);
        CHECK_EQ(cpu_id(), cpu);
    }
}

static int where(void *cpu)
{
    *(volatile unsigned *)cpu = cpu_id();
    return 0;
}

// A new thread goes to a CPU that has nothing to do, while this one is busy.
TEST(migration, new_threads_go_where_it_is_idle)
{
    NEED_CPUS(2);
    while (!*(volatile bool *)&cpu_data_of(1)->tlb_lazy) {
        cpu_pause();
    }
    volatile unsigned cpu = CPUS_MAX;
    struct thread *thread = thread_create("where", where, (void *)&cpu);
    while (thread != NULL && cpu == CPUS_MAX) {
        cpu_pause();
    }
    CHECK(thread != NULL);
    CHECK_EQ(thread_join(thread), 0);
    CHECK(cpu != 0);
}
