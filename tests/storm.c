// SPDX-License-Identifier: MIT
//
// The storm's handlers, and its threads: those that call, those that send NMIs,
// one that makes threads, one that takes all memory.
#include "tests/storm.h"

#include "arch/cpu.h"
#include "arch/pks.h"
#include "kernel/thread.h"
#include "kernel/timer.h"
#include "lib/string.h"
#include "tests/engines.h"
#include "tests/handlers.h"
#include "tests/model_threads.h"

#define TIMER_US 700
#define CALLS_IN_A_ROW 8 // then the others on the CPU have their turn
#define CALLS_FOR_A_MOVE 64
#define FRAMES 3 // two of one domain, one of another
#define LEVELS 8 // of handlers on a CPU; each has a word in each frame
#define HOG_BLOCKS 1024
#define HOG_PAUSE_MS 200

#define THREADS_MAX (2 * CPUS_MAX + 2)

static struct {
    bool on, stops, holds;
    unsigned held; // threads that wait for the hold to end
    unsigned threads_count;
    struct thread *threads[THREADS_MAX];
    struct domain *domains[2];
    struct page *frames[FRAMES];
    const char *failure;
    struct storm_counts counts;
} storm;

void storm_counts_read(struct storm_counts *counts)
{
    *counts = storm.counts;
}

static void count(uint64_t *counter)
{
    __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

static void want(bool holds, const char *what)
{
    if (!holds && storm.failure == NULL) {
        storm.failure = what;
    }
}

// -------------------------------------------------------------------- Handlers

static void word_use(volatile uint64_t *word, uint64_t value)
{
    *word = value;
    want(*word == value, "a handler's frame does not hold its word");
}

// Frames of the actors, private or not, whoever has them open.
static void owners_look(uint64_t random)
{
    const struct owners *owners = model_threads_owners();
    if (owners == NULL) {
        return;
    }
    const struct page *page =
        *(struct page *volatile const *)&owners->rows[random % ROWS].page;
    char byte;
    if (page != NULL && test_engine()->others_stay_out) {
        want(!probe_read(page_direct_map_address(page), &byte, 1, NULL),
             "a handler can read a frame that it did not open");
    }
}

// In each kind of bracket, one in the other.
static void frames_use(uint64_t random, unsigned slot)
{
    struct page *both[] = {storm.frames[0], storm.frames[1]};
    volatile uint64_t *one = kmap_local_page(storm.frames[random % FRAMES]);
    word_use(one + slot, random);
    volatile uint64_t *two = kmap_local_pages(both, 2);
    word_use(two + PAGE_SIZE / sizeof(*two) + slot, ~random);
    want(one[slot] == random || one[slot] == ~random,
         "a handler's frame has lost its word");
    kunmap_local((const void *)two);
    kunmap_local((const void *)one);
}

static void handler(void *unused)
{
    (void)unused;
    uint64_t random = (clock_now() * 0x9e3779b97f4a7c15ull) >> 32;
    unsigned slot = cpu_id() % 64 * LEVELS + percpu.trap_level % LEVELS;
    want(rights_are(PKRS_CLOSED), "a handler starts with a key open");
    owners_look(random);
    frames_use(random, slot);
    want(rights_are(PKRS_CLOSED), "a handler has a key open in the end");
    count(&storm.counts.handlers);
}

static void timer_handler(void)
{
    handler(NULL);
}

// Compares, where a thread alone was interrupted, with interrupts on.
static void nmi_handler(void *unused)
{
    const struct trap_frame *frame = trap_of_nmi();
    if (percpu.trap_level == 1 && (frame->rflags & RFLAGS_IF)) {
        want(interrupted_rights_are_sound(frame),
             "an NMI finds rights that no bracket gave");
        count(&storm.counts.compared);
    }
    handler(unused);
}

// --------------------------------------------------------------------- Threads

// True: go on.
static bool next_round(void)
{
    if (__atomic_load_n(&storm.holds, __ATOMIC_SEQ_CST)) {
        __atomic_fetch_add(&storm.held, 1, __ATOMIC_SEQ_CST);
        while (__atomic_load_n(&storm.holds, __ATOMIC_SEQ_CST)) {
            thread_yield();
        }
        __atomic_fetch_sub(&storm.held, 1, __ATOMIC_SEQ_CST);
    }
    return !__atomic_load_n(&storm.stops, __ATOMIC_RELAXED);
}

static void pause_now_and_then(unsigned round)
{
    if (round % CALLS_IN_A_ROW == 0) {
        thread_sleep_ms(1);
    }
}

// Each of several begins elsewhere. The timer goes with the first of them, from
// CPU to CPU.
static int caller(void *number)
{
    unsigned self = (uintptr_t)number, count = cpus_online();
    for (unsigned round = 0; next_round(); round++) {
        if (round % CALLS_FOR_A_MOVE == 0) {
            (void)thread_pin((self + round / CALLS_FOR_A_MOVE) % count);
            if (self == 0) {
                (void)timer_start(TIMER_US, timer_handler);
            }
        }
        cpu_call((self + round * 7 + round / 5) % count, handler, NULL);
        pause_now_and_then(round);
    }
    if (self == 0) {
        timer_stop();
    }
    return 0;
}

static int nmi_sender(void *number)
{
    unsigned self = (uintptr_t)number, count = cpus_online();
    for (unsigned round = 0; next_round(); round++) {
        cpu_nmi((self + round * 5 + round / 3) % count, nmi_handler, NULL);
        pause_now_and_then(round);
    }
    return 0;
}

static int bracket_and_end(void *frame)
{
    volatile char *p = kmap_local_page(frame);
    *p = 1;
    thread_yield();
    char byte = *p;
    kunmap_local((const void *)p);
    return byte;
}

static int breeder(void *unused)
{
    (void)unused;
    for (unsigned round = 0; next_round(); round++) {
        struct thread *thread =
            thread_create("short", bracket_and_end, storm.frames[2]);
        if (thread != NULL) {
            (void)thread_join(thread);
            count(&storm.counts.threads);
        }
        thread_sleep_ms(2);
    }
    return 0;
}

struct hog_block {
    struct page *page;
    unsigned order;
};

// All blocks that there are, from the largest down.
static unsigned hog_take(struct hog_block *blocks)
{
    unsigned taken = 0;
    for (int order = 10; order >= 0; order--) {
        struct page *page;
        while (taken < HOG_BLOCKS &&
               (page = alloc_pages(domain_ram, (unsigned)order)) != NULL) {
            blocks[taken++] = (struct hog_block){page, (unsigned)order};
        }
    }
    return taken;
}

static int hog(void *unused)
{
    (void)unused;
    struct hog_block *blocks = kmalloc(HOG_BLOCKS * sizeof(*blocks));
    while (blocks != NULL && next_round()) {
        unsigned taken = hog_take(blocks);
        thread_sleep_ms(HOG_PAUSE_MS / 4);
        while (taken-- > 0) {
            free_pages(blocks[taken].page, blocks[taken].order);
        }
        count(&storm.counts.shortages);
        thread_sleep_ms(HOG_PAUSE_MS);
    }
    kfree(blocks);
    return 0;
}

// --------------------------------------------------------------- Begin and end

static bool frames_get(void)
{
    bool all = true;
    for (unsigned i = 0; i < FRAMES; i++) {
        struct domain **domain = &storm.domains[i / 2];
        *domain = *domain != NULL ? *domain : domain_create("storm");
        storm.frames[i] = *domain != NULL ? alloc_page(*domain) : NULL;
        all = all && storm.frames[i] != NULL;
    }
    return all;
}

static void frames_put(void)
{
    for (unsigned i = 0; i < FRAMES; i++) {
        if (storm.frames[i] != NULL) {
            free_page(storm.frames[i]);
        }
    }
    for (unsigned i = 0; i < ARRAY_SIZE(storm.domains); i++) {
        want(storm.domains[i] == NULL || domain_destroy(storm.domains[i]) == 0,
             "the storm's domain is not destroyed");
        storm.domains[i] = NULL;
    }
}

// Without the memory for one of them there is one less.
static void begin(int (*fn)(void *), unsigned number)
{
    struct thread *thread =
        thread_create("storm", fn, (void *)(uintptr_t)number);
    if (thread != NULL) {
        storm.threads[storm.threads_count++] = thread;
    }
}

bool storm_start(enum storm_kind kind)
{
    storm.stops = storm.holds = false;
    storm.held = storm.threads_count = 0;
    storm.on = true;
    if (!frames_get()) {
        (void)storm_stop();
        return false;
    }
    unsigned senders = kind == STORM_FROM_EVERYWHERE ? cpus_online() : 1;
    for (unsigned i = 0; i < senders; i++) {
        begin(caller, i);
        begin(nmi_sender, i);
    }
    begin(breeder, 0);
    if (kind == STORM_WITHOUT_MEMORY) {
        begin(hog, 0);
    }
    return true;
}

const struct page *storm_frame(void)
{
    return storm.frames[0];
}

bool storm_stop(void)
{
    if (!storm.on) {
        return true;
    }
    __atomic_store_n(&storm.stops, true, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < storm.threads_count; i++) {
        thread_join(storm.threads[i]);
    }
    frames_put();
    storm.on = false;
    const char *failure = storm.failure;
    storm.failure = NULL;
    if (failure != NULL) {
        printf("# in the storm: %s\n", failure);
    }
    return failure == NULL;
}

void storm_hold(bool hold)
{
    if (!storm.on) {
        return;
    }
    if (hold) {
        __atomic_store_n(&storm.holds, true, __ATOMIC_SEQ_CST);
        while (__atomic_load_n(&storm.held, __ATOMIC_SEQ_CST) !=
               storm.threads_count) {
            thread_yield();
        }
        timer_stop();
        return;
    }
    __atomic_store_n(&storm.holds, false, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&storm.held, __ATOMIC_SEQ_CST) != 0) {
        thread_yield();
    }
}
