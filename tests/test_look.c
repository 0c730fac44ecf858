// SPDX-License-Identifier: MIT
//
// Looking from outside: at the tables that an address goes through, at threads,
// and at the time that each ran.
#include "arch/cpu.h"
#include "kernel/sched.h"
#include "kernel/thread_look.h"
#include "kernel/timer.h"
#include "keyhole.h"
#include "mm/engine.h"
#include "mm/pagetable.h"
#include "tests/engines.h"
#include "tests/threads.h"

// ------------------------------------------------------------------- A walk

static bool walk_leads_to(const void *address, const struct page *page)
{
    struct pt_walk walk;
    phys_addr_t root = pt_walk_here((uintptr_t)address, &walk);
    uint64_t inside = PT_LEVEL_SIZE(walk.level) - 1;
    phys_addr_t physical = (walk.entry[walk.level] & PTE_ADDRESS & ~inside) |
                           ((uintptr_t)address & inside);
    return root == (cpu_read_cr3() & PTE_ADDRESS) && walk.present &&
           physical == page_to_phys(page);
}

struct handler_look {
    const void *address;
    const struct page *page;
    bool reached;
    uint64_t hidden; // the leaf that the thread alone reaches
};

static void look_from_handler(void *context)
{
    struct handler_look *look = context;
    look->reached = walk_leads_to(look->address, look->page);
    look->hidden = engine_leaf((uintptr_t)look->address, 0);
}

// Where windows are of one context alone, its handler's walk ends before.
TEST(look, walk_of_a_bracket)
{
    struct page *page = alloc_page(domain_ram);
    CHECK(page != NULL);
    void *address = kmap_local_page(page);
    struct handler_look look = {.address = address, .page = page};
    bool reached = walk_leads_to(address, page);
    cpu_call(cpu_id(), look_from_handler, &look);
    kunmap_local(address);
    bool still = walk_leads_to(address, page);
    free_page(page);
    CHECK(reached);
    CHECK_EQ(look.reached, engine_shares_windows());
    CHECK_EQ(look.hidden & PTE_ADDRESS,
             engine->entry != NULL ? page_to_phys(page) : 0);
    CHECK_EQ(still, engine_has_direct_map() &&
                        engine->direct_leaf[DIRECT_FREE] & PTE_P);
}

TEST(look, walk_to_nowhere)
{
    struct pt_walk walk;
    pt_walk_here(0, &walk);
    CHECK_EQ(walk.level, PT_LEVELS);
    CHECK_EQ(walk.entry[PT_LEVELS], 0);
    CHECK(!walk.present);
}

// ------------------------------------------------------------------- Threads

#define SPIN_US 5000
#define LOOKS_MOST 50
#define OPEN 3

static volatile bool enough, go_on;

static int spin(void *unused)
{
    (void)unused;
    while (!enough) {
        thread_yield(); // whose time is noted then, too
    }
    while (!go_on) {
        thread_sleep_ms(1);
    }
    return 0;
}

static int wait_with_brackets(void *arg)
{
    struct page *page = arg;
    void *address[OPEN];
    for (unsigned i = 0; i < OPEN; i++) {
        address[i] = kmap_local_page(page);
    }
    while (!go_on) {
        thread_sleep_ms(1);
    }
    for (unsigned i = OPEN; i > 0; i--) {
        kunmap_local(address[i - 1]);
    }
    return 0;
}

static struct thread_look looks[16];

static const struct thread_look *look_find(const struct thread *thread,
                                           size_t count)
{
    for (size_t i = 0; i < MIN(count, ARRAY_SIZE(looks)); i++) {
        if (looks[i].which == thread) {
            return &looks[i];
        }
    }
    return NULL;
}

static size_t look_now(void)
{
    for (unsigned cpu = 0; cpu < cpus_online(); cpu++) {
        struct sched_cpu_times times;
        sched_times_look(cpu, &times);
    }
    return thread_look_all(looks, ARRAY_SIZE(looks));
}

static bool stack_is_seen(const struct thread_look *look)
{
    return look->stack_size == THREAD_STACK_PAGES * PAGE_SIZE &&
           look->stack > 0 && look->stack < look->stack_size;
}

TEST(look, threads_time_brackets_and_stack)
{
    struct page *page = alloc_page(domain_ram);
    CHECK(page != NULL);
    enough = go_on = false;
    bool kept = sched_times_keep(true);
    look_now();
    struct thread *busy = thread_here("busy", spin, NULL);
    struct thread *lazy = thread_here("lazy", wait_with_brackets, page);
    CHECK(busy != NULL && lazy != NULL);
    struct thread_look spun, waited;
    size_t count;
    unsigned looked = 0;
    do { // a host that is busy may let neither run at first
        thread_sleep_ms(2 * SPIN_US / 1000);
        count = look_now();
        spun = *look_find(busy, count);
        waited = *look_find(lazy, count);
    } while (++looked < LOOKS_MOST &&
             (spun.ran < clock_ticks(SPIN_US) / 2 || waited.ran >= spun.ran));
    enough = true;
    struct thread_look self = *look_find(thread_current(), count);
    count = look_now();
    uint64_t since = look_find(busy, count)->ran;
    go_on = true;
    thread_join(busy);
    thread_join(lazy);
    sched_times_keep(kept);
    free_page(page);
    CHECK_EQ(count, threads_count() + 2);
    CHECK_EQ(strcmp(spun.name, "busy"), 0);
    CHECK(spun.ran >= clock_ticks(SPIN_US) / 2);
    CHECK(since < spun.ran);
    CHECK(waited.ran < spun.ran);
    CHECK_EQ(waited.brackets, engine_keeps_account() ? OPEN : 0);
    CHECK_EQ(spun.brackets, 0);
    CHECK(self.running);
    CHECK(stack_is_seen(&spun) && stack_is_seen(&self));
    CHECK(waited.state == THREAD_SLEEPING || waited.state == THREAD_READY);
}

// An idle thread's time is what the CPU does not work.
TEST(look, idle_time)
{
    struct sched_cpu_times before, after;
    bool kept = sched_times_keep(true);
    unsigned looked = 0;
    thread_pin(0);
    do { // a host that is busy may take the time
        sched_times_look(0, &before);
        thread_sleep_ms(5);
        sched_times_look(0, &after);
    } while (++looked < LOOKS_MOST &&
             after.idle - before.idle <= clock_ticks(1000));
    thread_unpin();
    sched_times_keep(kept);
    CHECK(after.idle - before.idle > clock_ticks(1000));
    CHECK(after.now - before.now >= after.idle - before.idle);
    CHECK_EQ(strcmp(after.name, thread_name()), 0);
    CHECK(after.switches > before.switches);
}

// Nobody's time is noted by whom nobody asked.
TEST(look, no_times_unless_kept)
{
    bool kept = sched_times_keep(false);
    uint64_t before = thread_current()->ran;
    thread_sleep_ms(2);
    uint64_t after = thread_current()->ran;
    sched_times_keep(kept);
    CHECK_EQ(before, after);
}
