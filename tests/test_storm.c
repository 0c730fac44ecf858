// SPDX-License-Identifier: MIT
//
// Every CPU brackets while interrupts and NMIs come from all others: each
// handler brackets too, and every NMI compares the register that it interrupted
// with what its thread may do.
#include "arch/cpu.h"
#include "arch/pks.h"
#include "arch/spinlock.h"
#include "arch/trap.h"
#include "kernel/remote.h"
#include "kernel/timer.h"
#include "mm/bracket.h"
#include "mm/context.h"
#include "mm/frames.h"
#include "mm/keys.h"
#include "tests/engines.h"
#include "tests/handlers.h"
#include "tests/threads.h"

#define SENT 256       // in all, of either kind
#define PERIOD_US 1000 // of the timer

// Three domains each for this many CPUs; others use them too. So all have keys,
// and a key is open on several CPUs at once.
#define SETS 3
enum { WRITABLE, READABLE, HANDLERS, KINDS };
static struct domain *domains[SETS][KINDS];

// What a CPU works on: two frames to write, for two threads, one to read, and
// one for its handlers.
struct station {
    struct page *page[2], *readable, *in_handler;
    uint64_t handled, compared, wrong;
};
static struct station *stations;
static bool over; // the storm

static bool domains_make(void)
{
    bool made = true;
    for (unsigned i = 0; i < SETS * KINDS; i++) {
        domains[i / KINDS][i % KINDS] = domain_create("storm");
        made = made && domains[i / KINDS][i % KINDS] != NULL;
    }
    return made;
}

static bool domains_destroy(void)
{
    bool gone = true;
    for (unsigned i = 0; i < SETS * KINDS; i++) {
        gone = domain_destroy(domains[i / KINDS][i % KINDS]) == 0 && gone;
    }
    return gone;
}

static bool station_make(struct station *station, struct domain *const set[])
{
    station->page[0] = alloc_page(set[WRITABLE]);
    station->page[1] = alloc_page(set[WRITABLE]);
    station->readable = alloc_page(set[READABLE]);
    station->in_handler = alloc_page(set[HANDLERS]);
    return station->page[0] != NULL && station->page[1] != NULL &&
           station->readable != NULL && station->in_handler != NULL;
}

static bool stations_make(void)
{
    unsigned count = cpus_online();
    bool made = domains_make();
    stations = kzalloc(count * sizeof(*stations));
    for (unsigned i = 0; made && stations != NULL && i < count; i++) {
        made = station_make(&stations[i], domains[i % SETS]);
    }
    return made && stations != NULL;
}

static bool stations_free(void)
{
    for (unsigned i = 0; i < cpus_online(); i++) {
        free_page(stations[i].page[0]);
        free_page(stations[i].page[1]);
        free_page(stations[i].readable);
        free_page(stations[i].in_handler);
    }
    kfree(stations);
    return domains_destroy();
}

// -------------------------------------------------------------- The handlers

// Open a frame, use it, close it, and then not reach it.
static void bracket_in_handler(struct station *here)
{
    uint64_t value;
    HANDLER_CHECK(pks_rights() == PKRS_CLOSED);
    uint64_t *at = kmap_local_page(here->in_handler);
    *(volatile uint64_t *)at = here->handled;
    kunmap_local(at);
    HANDLER_CHECK(!probe_read(at, &value, sizeof(value), NULL) ||
                  !test_engine()->others_stay_out);
    here->handled++;
}

static void on_interrupt(void *unused)
{
    (void)unused;
    bracket_in_handler(&stations[cpu_id()]);
}

static void on_timer(void)
{
    on_interrupt(NULL);
}

// The keys of the tables and of windows change several times in the slow paths
// of one call.
#define SLOW_KEYS (PKRS_KEY_MASK(KEY_TABLES) | PKRS_KEY_MASK(KEY_WINDOW))

static bool same(uint32_t a, uint32_t b)
{
    return ((a ^ b) & ~SLOW_KEYS) == 0;
}

// The register is what the innermost bracket gave, or, between a store of a map
// or unmap call and its WRMSR, what the context had before: the bracket below,
// or the one above that has just been closed. Without keys: CR0, which has the
// page tables open or closed.
static bool register_is_sound(const struct trap_frame *frame)
{
    if (!test_engine()->keys) {
        uint32_t cr0 = (uint32_t)frame->rights;
        return protect_engine() == PROTECT_OPEN || cr0 == CR0_KERNEL ||
               cr0 == CR0_TABLES_OPEN;
    }
    const struct bracket *top = frame->bracket_top;
    uint32_t now = (uint32_t)frame->rights;
    return same(now, top[-1].rights) || same(now, top[0].rights) ||
           (!bracket_is_sentinel(top - 1) && same(now, top[-2].rights));
}

// Only a thread with interrupts on is compared: the scheduler changes contexts
// with interrupts off.
static void on_nmi(void *unused)
{
    (void)unused;
    struct station *here = &stations[cpu_id()];
    const struct trap_frame *frame = trap_of_nmi();
    if (percpu.trap_level == 1 && (frame->rflags & RFLAGS_IF)) {
        here->compared++;
        here->wrong += !register_is_sound(frame);
    }
    bracket_in_handler(here);
}

// --------------------------------------------------------------- The threads

// Nested brackets, for writing and for reading; false: something is not as it
// must be. The values do not stay, so that nobody else's survive.
static bool bracket_in_thread(const struct station *here, unsigned page,
                              uint64_t i)
{
    uint64_t value = ~i, old = 0;
    volatile uint64_t *p = kmap_local_page(here->page[page]);
    *p = i;
    const volatile uint64_t *r = kmap_local_page_ro(here->readable);
    if (i % 16 == 0) {
        thread_yield();
    }
    bool out = test_engine()->others_stay_out; // what they have open, too
    bool right = *r == 0 && *p == i;
    if (engine_refuses()) {
        right = right && !probe_write((void *)r, &value, sizeof(value), NULL);
    }
    right =
        right && !(out && probe_read(page_direct_map_address(here->in_handler),
                                     &old, sizeof(old), NULL));
    kunmap_local((const void *)r);
    right =
        right && !(out && probe_read((const void *)r, &old, sizeof(old), NULL));
    right = right && *p == i;
    kunmap_local((const void *)p);
    return right && pks_rights() == PKRS_CLOSED;
}

static int work(void *arg)
{
    const struct station *here = arg;
    int wrong = 0;
    for (uint64_t i = 0; !__atomic_load_n(&over, __ATOMIC_RELAXED); i++) {
        wrong += !bracket_in_thread(here, 0, i);
    }
    return wrong;
}

static int storm(void *arg)
{
    const struct station *here = arg;
    unsigned count = cpus_online(), rounds = MAX(SENT / (count * count), 1);
    int wrong = 0;
    for (unsigned i = 0; i < rounds; i++) {
        for (unsigned cpu = 0; cpu < count; cpu++) {
            cpu_call(cpu, on_interrupt, NULL);
            cpu_nmi(cpu, on_nmi, NULL);
            wrong += !bracket_in_thread(here, 1, i);
        }
    }
    return wrong;
}

struct pair {
    struct thread *worker, *sender;
};

// Two on each CPU, so that there are switches; the sender uses the frames of
// another CPU.
static bool threads_start(struct pair *pairs)
{
    bool made = true;
    unsigned count = cpus_online();
    for (unsigned cpu = 0; cpu < count; cpu++) {
        pairs[cpu].worker =
            thread_create_on(cpu, "worker", work, &stations[cpu]);
        made = made && pairs[cpu].worker != NULL;
    }
    for (unsigned cpu = 0; cpu < count; cpu++) {
        pairs[cpu].sender =
            thread_create_on(cpu, "sender", storm,
                             &stations[count == 1 ? 0 : (cpu + 1) % count]);
        made = made && pairs[cpu].sender != NULL;
    }
    return made;
}

static int threads_join(const struct pair *pairs)
{
    int wrong = 0;
    for (unsigned cpu = 0; cpu < cpus_online(); cpu++) {
        wrong += pairs[cpu].sender != NULL ? thread_join(pairs[cpu].sender) : 0;
    }
    over = true;
    for (unsigned cpu = 0; cpu < cpus_online(); cpu++) {
        wrong += pairs[cpu].worker != NULL ? thread_join(pairs[cpu].worker) : 0;
    }
    return wrong;
}

TEST(storm, of_interrupts_nmis_and_timers)
{
    struct pair *pairs = kzalloc(cpus_online() * sizeof(*pairs));
    uint64_t compared = 0, wrong = 0;
    CHECK(pairs != NULL && stations_make());
    over = false;
    bool timed = timer_start(PERIOD_US, on_timer) == 0;
    bool made = threads_start(pairs);
    int failed = threads_join(pairs);
    timer_stop();
    for (unsigned cpu = 0; cpu < cpus_online(); cpu++) {
        compared += stations[cpu].compared;
        wrong += stations[cpu].wrong;
    }
    bool gone = stations_free();
    kfree(pairs);
    CHECK(handlers_passed());
    CHECK(timed && made && gone);
    CHECK_EQ(failed, 0);
    CHECK_EQ(wrong, 0);
    CHECK(compared > 0);
}
