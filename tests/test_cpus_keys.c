// SPDX-License-Identifier: MIT
//
// Keys and frames that one CPU wants while another uses them. With one CPU the
// other one is a handler.
#include "arch/asm.h"
#include "arch/cpu.h"
#include "arch/pks.h"
#include "arch/tlb.h"
#include "kernel/config.h"
#include "kernel/misuse.h"
#include "kernel/remote.h"
#include "kernel/timer.h"
#include "lib/types.h"
#include "mm/domain.h"
#include "mm/keys.h"
#include "mm/lock.h"
#include "tests/engines.h"
#include "tests/handlers.h"

#define THIEVES (PKS_KEYS - KEY_DOMAINS + 1) // more domains than there are keys

static struct domain *victim;
static struct page *page; // of the victim
static struct page *thieves[THIEVES];

static bool domains_make(void)
{
    victim = domain_create("victim");
    page = victim != NULL ? alloc_page(victim) : NULL;
    bool made = page != NULL;
    for (unsigned i = 0; i < THIEVES; i++) {
        struct domain *domain = domain_create("thief");
        thieves[i] = domain != NULL ? alloc_page(domain) : NULL;
        made = made && thieves[i] != NULL;
    }
    return made;
}

static bool domains_unmake(void)
{
    free_page(page);
    bool gone = domain_destroy(victim) == 0;
    for (unsigned i = 0; i < THIEVES; i++) {
        struct domain *domain = page_domain(thieves[i]);
        free_page(thieves[i]);
        gone = domain_destroy(domain) == 0 && gone;
    }
    return gone;
}

static unsigned other(void)
{
    return cpus_online() - 1;
}

// Brackets on domains that are parked, until each key that may change hands has
// done so.
static void take_all_keys(void *unused)
{
    (void)unused;
    HANDLER_CHECK(percpu.trap_level != 0);
    for (unsigned i = 0; i < 2 * THIEVES && victim->key != 0; i++) {
        volatile unsigned *p = kmap_local_page(thieves[i % THIEVES]);
        *p = i;
        HANDLER_CHECK(*p == i);
        kunmap_local((const void *)p);
    }
}

// ----------------------------------------------------------------- What is
// open

TEST(cpus, an_open_domain_keeps_its_key)
{
    NEEDS_PKS();
    CHECK(domains_make());
    volatile unsigned *p = kmap_local_page(page);
    int key = victim->key;
    CHECK(key != 0);
    for (unsigned cpu = 0; cpu < cpus_online(); cpu++) {
        cpu_call(cpu, take_all_keys, NULL);
        cpu_nmi(cpu, take_all_keys, NULL);
        CHECK_EQ(victim->key, key);
        *p = cpu;
    }
    kunmap_local((const void *)p);
    CHECK(handlers_passed());
    keys_pause_end();
    // A bracket that is closed keeps nothing.
    cpu_call(other(), take_all_keys, NULL);
    CHECK_EQ(victim->key, 0);
    CHECK(domains_unmake());
}

static volatile bool held, enough;

static void hold_it_open(void *unused)
{
    (void)unused;
    volatile unsigned *p = kmap_local_page(page);
    *p = 1;
    held = true;
    while (!enough) {
        tlb_serve();
        cpu_pause();
    }
    unsigned word = 0;
    HANDLER_CHECK(probe_read((const void *)p, &word, sizeof(word), NULL));
    HANDLER_CHECK(word == 1);
    kunmap_local((const void *)p);
    HANDLER_CHECK(rights_are(PKRS_CLOSED));
}

// In a handler of another CPU, that is.
TEST(cpus, what_another_has_open_stays)
{
    if (cpus_online() == 1) {
        SKIP("needs two CPUs");
    }
    NEEDS_ACCOUNT();
    CHECK(domains_make());
    struct remote_call call = {.fn = hold_it_open};
    held = enough = false;
    remote_call_post(other(), &call);
    while (!held) {
        cpu_pause();
    }
    int key = victim->key;
    cpu_call(cpu_id(), take_all_keys, NULL);
    bool kept = victim->key == key;
    bool refused = !run_protected((void (*)(void *))free_page, page, NULL);
    const char *what = misuse_last()->what;
    uintptr_t offset = misuse_last()->site[1].ip - (uintptr_t)hold_it_open;
    enough = true;
    while (!remote_is_done(&call)) {
        cpu_pause();
    }
    CHECK(handlers_passed());
    CHECK(kept && refused);
    CHECK_EQ(strcmp(what, "frame freed while a bracket on it is open"), 0);
    CHECK(offset != 0 && offset < 64);
    CHECK(domains_unmake()); // nobody has it open any more
}

// -------------------------------------------------------------- What is filled

static unsigned tries;

static void at_each_fill(void *unused)
{
    (void)unused;
    if (percpu.frame_filling == victim->id && tries++ % 1024 == 0) {
        int key = victim->key;
        cpu_call(other(), take_all_keys, NULL);
        HANDLER_CHECK(victim->key == key);
    }
}

static void allocate_and_free(void *unused)
{
    (void)unused;
    free_page(alloc_page(victim));
}

// The allocator has no bracket on what it fills; a fault is what would come of
// a theft.
TEST(cpus, none_takes_a_key_that_fills)
{
    NEEDS_PKS();
    CHECK(domains_make());
    allocate_and_free(NULL); // now it has a key, and a frame in the list
    tries = 0;
    step_through(allocate_and_free, NULL, at_each_fill, NULL);
    CHECK(handlers_passed());
    CHECK(tries > 500); // a free fills by other means on several CPUs
    CHECK_EQ(percpu.frame_filling, DOMAIN_NONE);
    CHECK(domains_unmake());
}

// ------------------------------------------------------------- What is
// unmapped

static void *map_shared(unsigned way)
{
    switch (way) {
    case 0:
        return kmap(page);
    case 1:
        return vmap(&page, 1, MAP_READ);
    default:
        return vmap_range(page_to_phys(page), MIB(2), MAP_READ);
    }
}

static unsigned reached; // by so many CPUs

static void reach(void *at)
{
    reached += probe_read(at, &(char){0}, 1, NULL);
}

static unsigned reached_by_each(void *at)
{
    reached = 0;
    for (unsigned cpu = 0; cpu < cpus_online(); cpu++) {
        cpu_call(cpu, reach, at);
    }
    return reached;
}

// Each CPU has used the address, and remembers how it was mapped.
TEST(cpus, what_is_unmapped_is_gone_on_each)
{
    page = alloc_pages(domain_ram, 9);
    if (page == NULL) {
        SKIP("no 2 MiB of contiguous memory");
    }
    for (unsigned way = 0; way < 3; way++) {
        void *at = map_shared(way);
        CHECK(at != NULL);
        CHECK_EQ(reached_by_each(at), cpus_online());
        if (way == 0) {
            kunmap(page);
        } else {
            vunmap(at);
        }
        CHECK_EQ(reached_by_each(at), 0);
    }
    free_pages(page, 9);
}

// ---------------------------------------------------------------------- Locks

static void hold_the_lock(void *unused)
{
    (void)unused;
    uint64_t flags;
    held = mm_trylock(&flags);
    HANDLER_CHECK(held && mm_lock_held());
    while (held && !enough) {
        cpu_pause();
    }
    mm_unlock(flags);
}

static void touch_nothing(void *address)
{
    *(volatile char *)address = 1;
}

// Who is abandoned while another CPU is in the memory manager is not in it.
TEST(cpus, locks_of_others_are_no_hindrance)
{
    if (cpus_online() == 1) {
        SKIP("needs two CPUs");
    }
    struct remote_call call = {.fn = hold_the_lock};
    struct fault fault;
    held = enough = false;
    remote_call_post(other(), &call);
    while (!held) {
        cpu_pause();
    }
    bool mine = mm_lock_held();
    bool refused = !run_protected(touch_nothing, (void *)8, &fault);
    enough = true;
    while (!remote_is_done(&call)) {
        cpu_pause();
    }
    CHECK(handlers_passed());
    CHECK(!mine && refused);
    CHECK_EQ(fault.address, 8);
}

#define COMES_TO_THE_LOCK_US 20000

static void hold_the_lock_until_a_fault(void *unused)
{
    (void)unused;
    uint64_t flags;
    const volatile struct cpu_data *boot = cpu_data_of(0);
    uint64_t faults = boot->faults;
    held = mm_trylock(&flags);
    while (held && boot->faults == faults) {
        cpu_pause();
    }
    uint64_t end = clock_now() + clock_ticks(COMES_TO_THE_LOCK_US);
    while (clock_now() < end) {
        cpu_pause();
    }
    mm_unlock(flags);
}

// fault=relaxed waits for the key that it wants.
TEST(cpus, relaxed_faults_wait_for_the_lock)
{
    if (cpus_online() == 1 || !config.fault_relaxed ||
        protect_engine() != PROTECT_PKS) {
        SKIP("needs two CPUs, pks and fault=relaxed");
    }
    CHECK(domains_make());
    struct remote_call call = {.fn = hold_the_lock_until_a_fault};
    held = false;
    remote_call_post(other(), &call);
    while (!held) {
        cpu_pause();
    }
    printf("# a report that this test asks for:\n");
    *(volatile char *)page_direct_map_address(page) = 1;
    while (!remote_is_done(&call)) {
        cpu_pause();
    }
    // It has waited for a right that lasts, and not taken one access instead.
    uint64_t faults = faults_count();
    *(volatile char *)page_direct_map_address(page) = 2;
    faults = faults_count() - faults;
    test_relaxed_forget();
    CHECK_EQ(faults, 0);
    CHECK(domains_unmake());
}
