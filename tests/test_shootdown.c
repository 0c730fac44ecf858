// SPDX-License-Identifier: MIT
//
// What is gone is gone on every CPU: a thread on another CPU that reads on and
// on is refused as soon as the call has returned. It writes no IA32_PKRS, at
// which an emulator would forget everything anyway.
#include "arch/cpu.h"
#include "arch/pks.h"
#include "arch/spinlock.h"
#include "arch/tlb.h"
#include "mm/domain.h"
#include "mm/frames.h"
#include "mm/lock.h"
#include "tests/engines.h"
#include "tests/handlers.h"
#include "tests/threads.h"

#define READS_ENOUGH 1000

struct reader {
    struct page *bracket; // that is open meanwhile; NULL: none
    const volatile uint64_t *at;
    volatile uint64_t reads;
    volatile bool gone; // set when the reads must be refused
    bool late;          // one was not
    struct fault fault;
};

static void read_on(void *arg)
{
    struct reader *reader = arg;
    do {
        bool gone = reader->gone;
        cpu_compiler_barrier();
        (void)*reader->at;
        reader->late = gone;
        reader->reads++;
    } while (!reader->late);
}

static int reader_run(void *arg)
{
    struct reader *reader = arg;
    const void *open =
        reader->bracket != NULL ? kmap_local_page_ro(reader->bracket) : NULL;
    run_protected(read_on, reader, &reader->fault);
    if (open != NULL) {
        kunmap_local(open);
    }
    return 0;
}

// Begin to read on another CPU. NULL: no memory.
static struct thread *reader_start(struct reader *reader, unsigned cpu)
{
    struct thread *thread = thread_create_on(cpu, "reader", reader_run, reader);
    while (thread != NULL && reader->reads < READS_ENOUGH) {
        cpu_pause();
    }
    return thread;
}

// The call that takes the right away has returned. True: the reader was refused
// in this way, and at no time late.
static bool reader_is_refused(struct reader *reader, struct thread *thread,
                              enum fault_kind kind)
{
    reader->gone = true;
    thread_join(thread);
    return !reader->late && reader->fault.kind == kind &&
           reader->fault.address == (uintptr_t)reader->at;
}

static uint64_t ipis(void)
{
    struct map_stats stats;
    map_stats_read(&stats);
    return stats.shootdown_ipis;
}

#define NEED_CPUS(n)                                                           \
    do {                                                                       \
        if (cpus_online() < (n)) {                                             \
            SKIP("needs more CPUs");                                           \
        }                                                                      \
    } while (0)

// ------------------------------------------------------------------- Each call

TEST(shootdown, vunmap)
{
    NEED_CPUS(2);
    struct page *page = alloc_page(domain_ram);
    CHECK(page != NULL);
    struct reader reader = {.at = vmap(&page, 1, MAP_READ)};
    CHECK(reader.at != NULL);
    struct thread *thread = reader_start(&reader, 1);
    CHECK(thread != NULL);
    uint64_t before = ipis();
    vunmap((const void *)reader.at);
    CHECK(reader_is_refused(&reader, thread, FAULT_NOT_PRESENT));
    CHECK(ipis() > before);
    free_page(page);
}

TEST(shootdown, kunmap)
{
    NEED_CPUS(2);
    struct page *page = alloc_page(domain_ram);
    CHECK(page != NULL);
    struct reader reader = {.at = kmap(page)};
    CHECK(reader.at != NULL);
    struct thread *thread = reader_start(&reader, 1);
    CHECK(thread != NULL);
    kunmap(page);
    CHECK(reader_is_refused(&reader, thread, FAULT_NOT_PRESENT));
    free_page(page);
}

#define BLOCK_ORDER 9 // a leaf of 2 MiB

// Memory that leaves a domain: the reader has the domain open by another frame.
TEST(shootdown, memory_that_leaves_a_domain)
{
    NEEDS_PKS();
    NEED_CPUS(2);
    struct domain *domain = domain_create("leaver");
    struct page *block[3];
    for (unsigned i = 0; i < 3; i++) {
        block[i] = domain != NULL ? alloc_pages(domain, BLOCK_ORDER) : NULL;
        CHECK(block[i] != NULL);
    }
    struct reader reader = {
        .bracket = block[0],
        .at = page_direct_map_address(block[2]),
    };
    struct thread *thread = reader_start(&reader, 1);
    CHECK(thread != NULL);
    free_pages(block[1], BLOCK_ORDER); // stays the domain's, for the next need
    free_pages(block[2], BLOCK_ORDER);
    CHECK(reader_is_refused(&reader, thread, FAULT_PKEY));
    CHECK_EQ(reader.fault.pkey, KEY_CLOSED);
    free_pages(block[0], BLOCK_ORDER);
    CHECK_EQ(domain_destroy(domain), 0);
}

// Where a bracket opens its frame for all, it closes for all.
TEST(shootdown, a_bracket_that_all_have)
{
    NEED_CPUS(2);
    if (!engine_brackets_shoot()) {
        SKIP("others have no brackets to share, or have everything");
    }
    struct page *page = alloc_page(domain_ram);
    CHECK(page != NULL);
    struct reader reader = {.at = kmap_local_page(page)};
    const void *inner = kmap_local_page_ro(page);
    struct thread *thread = reader_start(&reader, 1);
    CHECK(thread != NULL);
    uint64_t before = ipis();
    kunmap_local(inner);
    CHECK_EQ(ipis(), before);
    kunmap_local((const void *)reader.at);
    CHECK(reader_is_refused(&reader, thread, FAULT_NOT_PRESENT));
    CHECK(ipis() > before);
    free_page(page);
}

// A small object that is not freed yet, so that the heap has its memory still,
// and a large one, which is unmapped at once.
TEST(shootdown, memory_that_leaves_the_heap)
{
    NEED_CPUS(2);
    struct reader reader = {.at = kmalloc(4 * PAGE_SIZE)};
    CHECK(reader.at != NULL);
    struct thread *thread = reader_start(&reader, 1);
    CHECK(thread != NULL);
    kfree((void *)reader.at);
    CHECK(reader_is_refused(&reader, thread, FAULT_NOT_PRESENT));
}

// ------------------------------------------------------------------------ Keys

// A frame whose domain has no key.
static struct page *first_parked(struct page *const pages[], unsigned count)
{
    unsigned i = 0;
    while (i + 1 < count && page_domain(pages[i])->key != 0) {
        i++;
    }
    return pages[i];
}

// A key changes hands while another CPU works: it is asked to flush.
TEST(shootdown, a_key_that_changes_hands)
{
    NEEDS_PKS();
    NEED_CPUS(2);
    enum { COUNT = PKS_KEYS - KEY_DOMAINS + 1 };
    static struct page *pages[COUNT];
    struct page *mapped = alloc_page(domain_ram);
    struct reader reader = {.at = vmap(&mapped, 1, MAP_READ)};
    CHECK(mapped != NULL && reader.at != NULL);
    struct thread *thread = reader_start(&reader, 1);
    CHECK(thread != NULL);
    for (unsigned i = 0; i < COUNT; i++) {
        pages[i] = alloc_page(domain_create("one too many"));
        CHECK(pages[i] != NULL);
        memset_page(pages[i], 0, (int)i, 1);
    }
    struct map_stats before, after;
    map_stats_read(&before);
    memset_page(first_parked(pages, COUNT), 0, 9, 1);
    map_stats_read(&after);
    // One leaf is closed, another gets the key: both, on both CPUs.
    CHECK(after.shootdown_ipis >= before.shootdown_ipis + 2);
    CHECK(after.invlpg >= before.invlpg + 4);
    vunmap((const void *)reader.at);
    CHECK(reader_is_refused(&reader, thread, FAULT_NOT_PRESENT));
    free_page(mapped);
    for (unsigned i = 0; i < COUNT; i++) {
        struct domain *domain = page_domain(pages[i]);
        free_page(pages[i]);
        CHECK_EQ(domain_destroy(domain), 0);
    }
}

// -------------------------------------------------------------- CPUs that idle

static int read_once(void *at)
{
    return (int)*(volatile uint64_t *)at;
}

struct look {
    const void *at;
    bool reached;
};

static void look_at(void *arg)
{
    struct look *look = arg;
    uint64_t value;
    look->reached = probe_read(look->at, &value, sizeof(value), NULL);
}

// A CPU that idles is not asked, and forgets before it does anything.
static void idle_forgets(void (*send)(unsigned, void (*)(void *), void *))
{
    struct page *page = alloc_page(domain_ram);
    CHECK(page != NULL);
    struct look look = {.at = vmap(&page, 1, MAP_READ)};
    CHECK(look.at != NULL);
    struct thread *thread =
        thread_create_on(1, "once", read_once, (void *)look.at);
    CHECK(thread != NULL);
    thread_join(thread);
    for (unsigned cpu = 1; cpu < cpus_online(); cpu++) {
        while (!*(volatile bool *)&cpu_data_of(cpu)->tlb_lazy) {
            cpu_pause();
        }
    }
    uint64_t before = ipis();
    vunmap(look.at);
    CHECK_EQ(ipis(), before);
    send(1, look_at, &look);
    CHECK(!look.reached);
    free_page(page);
}

TEST(shootdown, a_cpu_that_idles_forgets_when_called)
{
    NEED_CPUS(2);
    idle_forgets(cpu_call);
}

TEST(shootdown, a_cpu_that_idles_forgets_in_an_nmi)
{
    NEED_CPUS(2);
    idle_forgets(cpu_nmi);
}

// ---------------------------------------------------------- No deadlock, ever

static struct spinlock contended;
static volatile bool at_the_lock;

static int take_the_lock(void *unused)
{
    (void)unused;
    uint64_t flags = cpu_interrupts_off();
    at_the_lock = true;
    spin_unlock(&contended, spin_lock(&contended));
    cpu_interrupts_restore(flags);
    return 0;
}

// The target waits, with interrupts off, for a lock that the initiator holds.
TEST(shootdown, a_target_that_waits_for_the_initiator)
{
    NEED_CPUS(2);
    struct page *page = alloc_page(domain_ram);
    void *area = vmap(&page, 1, MAP_READ);
    CHECK(page != NULL && area != NULL);
    at_the_lock = false;
    uint64_t lock = spin_lock(&contended);
    struct thread *thread = thread_create_on(1, "waiter", take_the_lock, NULL);
    while (thread != NULL && !at_the_lock) {
        cpu_pause();
    }
    vunmap(area);
    spin_unlock(&contended, lock);
    CHECK(thread != NULL);
    CHECK_EQ(thread_join(thread), 0);
    free_page(page);
}

// Shootdowns in all, each of which asks all others: more CPUs need fewer
// rounds.
#define REQUESTS 400

static int map_and_unmap(void *page)
{
    struct page *one = page;
    int wrong = 0;
    // Where the end of a bracket is a shootdown, each round has two.
    unsigned count = cpus_online(), rounds = REQUESTS / (count * count);
    rounds /= engine_brackets_shoot() ? 4 : 1;
    for (unsigned i = 0; i < MAX(rounds, 2); i++) {
        volatile uintptr_t *area = vmap(&one, 1, MAP_READ | MAP_WRITE);
        uintptr_t found = 0;
        if (area != NULL) {
            *area = (uintptr_t)page + i; // soon somebody else's address
            memcpy_from_page(&found, page, 0, sizeof(found));
            vunmap((const void *)area);
        }
        wrong += found != (uintptr_t)page + i;
    }
    return wrong;
}

// Everybody shoots at everybody.
TEST(shootdown, many_initiators_at_once)
{
    static struct thread *threads[CPUS_MAX];
    static struct page *pages[CPUS_MAX];
    for (unsigned cpu = 0; cpu < cpus_online(); cpu++) {
        pages[cpu] = alloc_page(domain_ram);
        CHECK(pages[cpu] != NULL);
        threads[cpu] =
            thread_create_on(cpu, "mapper", map_and_unmap, pages[cpu]);
        CHECK(threads[cpu] != NULL);
    }
    int wrong = 0;
    for (unsigned cpu = 0; cpu < cpus_online(); cpu++) {
        wrong += thread_join(threads[cpu]);
        free_page(pages[cpu]);
    }
    CHECK_EQ(wrong, 0);
}
