// SPDX-License-Identifier: MIT
//
// Threads on every CPU bracket while interrupts, NMIs and a timer come from all
// sides (tests/storm.c), whose handlers bracket too.
#include "arch/pks.h"
#include "kernel/timer.h"
#include "mm/frames.h"
#include "tests/engines.h"
#include "tests/framework.h"
#include "tests/storm.h"
#include "tests/threads.h"

#define HANDLERS 300 // until the storm is over
#define COMPARED 30  // of these, at least
#define LIMIT_US 60000000
#define WORKERS 2 // on each CPU, so that there are switches

// Two domains each for this many CPUs; the storm has two as well. So all have
// keys, and a key is open on several CPUs at once.
#define SETS 3
enum { WRITABLE, READABLE, KINDS };
static struct domain *domains[SETS][KINDS];

// What a CPU's workers use: a frame for each to write, and one to read.
struct station {
    struct page *page[WORKERS], *readable;
};

struct worker {
    const struct station *station;
    unsigned number;
    struct thread *thread;
};

static struct station *stations;
static struct worker *workers;
static bool over; // for the workers

static bool domains_make(void)
{
    bool made = true;
    for (unsigned i = 0; i < SETS * KINDS; i++) {
        domains[i / KINDS][i % KINDS] = domain_create("stormy");
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
    for (unsigned i = 0; i < WORKERS; i++) {
        station->page[i] = alloc_page(set[WRITABLE]);
        if (station->page[i] == NULL) {
            return false;
        }
    }
    station->readable = alloc_page(set[READABLE]);
    return station->readable != NULL;
}

static bool stations_make(void)
{
    unsigned count = cpus_online();
    bool made = domains_make();
    stations = kzalloc(count * sizeof(*stations));
    workers = kzalloc(count * WORKERS * sizeof(*workers));
    for (unsigned i = 0; made && stations != NULL && i < count; i++) {
        made = station_make(&stations[i], domains[i % SETS]);
    }
    return made && stations != NULL && workers != NULL;
}

static bool stations_free(void)
{
    for (unsigned i = 0; i < cpus_online(); i++) {
        for (unsigned j = 0; j < WORKERS; j++) {
            free_page(stations[i].page[j]);
        }
        free_page(stations[i].readable);
    }
    kfree(stations);
    kfree(workers);
    return domains_destroy();
}

// Nested brackets, for writing and for reading; false: something is not as it
// must be. The values do not stay, so that nobody else's survive.
static bool bracket(const struct worker *self, uint64_t i)
{
    uint64_t value = ~i, old = 0;
    volatile uint64_t *p = kmap_local_page(self->station->page[self->number]);
    *p = i;
    const volatile uint64_t *r = kmap_local_page_ro(self->station->readable);
    if (i % 16 == 0) {
        thread_yield();
    }
    // Where what one has open all have, all of this may be open elsewhere.
    bool apart = test_engine()->others_stay_out;
    bool right = *r == 0 && *p == i;
    right = right &&
            !(apart && probe_write((void *)r, &value, sizeof(value), NULL)) &&
            !(apart && probe_read(page_direct_map_address(storm_frame()), &old,
                                  sizeof(old), NULL));
    kunmap_local((const void *)r);
    right = right &&
            !(apart && probe_read((const void *)r, &old, sizeof(old), NULL));
    right = right && *p == i;
    kunmap_local((const void *)p);
    return right && pks_rights() == PKRS_CLOSED;
}

static int work(void *arg)
{
    int wrong = 0;
    for (uint64_t i = 0; !__atomic_load_n(&over, __ATOMIC_RELAXED); i++) {
        wrong += !bracket(arg, i);
    }
    return wrong;
}

static bool workers_start(void)
{
    bool made = true;
    over = false;
    for (unsigned i = 0; i < cpus_online() * WORKERS; i++) {
        struct worker *worker = &workers[i];
        worker->station = &stations[i / WORKERS];
        worker->number = i % WORKERS;
        worker->thread = thread_create_on(i / WORKERS, "stormy", work, worker);
        made = made && worker->thread != NULL;
    }
    return made;
}

static int workers_stop(void)
{
    int wrong = 0;
    __atomic_store_n(&over, true, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < cpus_online() * WORKERS; i++) {
        struct thread *thread = workers[i].thread;
        wrong += thread != NULL ? thread_join(thread) : 0;
    }
    return wrong;
}

// What happens meanwhile; false: not enough, in a long time.
static bool storm_lasts(void)
{
    struct storm_counts before, now;
    uint64_t end = clock_now() + clock_ticks(LIMIT_US);
    storm_counts_read(&before);
    uint64_t handlers = before.handlers + test_rounds(HANDLERS);
    uint64_t compared = before.compared + test_rounds(COMPARED);
    do {
        thread_sleep_ms(1);
        storm_counts_read(&now);
    } while ((now.handlers < handlers || now.compared < compared) &&
             clock_now() < end);
    return now.handlers >= handlers && now.compared >= compared;
}

TEST(storm, of_interrupts_nmis_and_timers)
{
    CHECK(stations_make());
    CHECK(storm_start(STORM_FROM_EVERYWHERE));
    bool made = workers_start();
    bool lasts = storm_lasts();
    int wrong = workers_stop();
    bool passed = storm_stop();
    bool gone = stations_free();
    CHECK(passed);
    CHECK(made);
    CHECK(lasts);
    CHECK(gone);
    CHECK_EQ(wrong, 0);
}
