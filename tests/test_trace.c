// SPDX-License-Identifier: MIT
//
// The history: every bracket is in it, with who and where, also where rights
// did not change; the oldest is forgotten; who reads meanwhile gets no halves.
#include "arch/cpu.h"
#include "arch/percpu.h"
#include "kernel/guard.h"
#include "kernel/symbols.h"
#include "kernel/thread.h"
#include "kernel/timer.h"
#include "mm/frames.h"
#include "mm/layout.h"
#include "mm/misuse.h"
#include "mm/profile.h"
#include "mm/trace.h"
#include "tests/engines.h"
#include "tests/handlers.h"
#include "tests/threads.h"
#include "tests/trace_events.h"

static struct page *page, *block;

static bool frames_get(void)
{
    page = alloc_page(domain_ram);
    block = alloc_pages(domain_ram, 2);
    return page != NULL && block != NULL;
}

static void frames_put(void)
{
    free_page(page);
    free_pages(block, 2);
}

// The last events of a thread, oldest first. How many there are.
static unsigned events_of(const struct thread *thread,
                          struct trace_event *events, unsigned count)
{
    struct trace_cursor cursor;
    struct trace_event event;
    unsigned found = 0;
    trace_begin(&cursor);
    while (found < count && trace_back(&cursor, &event)) {
        if (event.thread == thread) {
            events[count - 1 - found++] = event;
        }
    }
    return found;
}

static unsigned events_last(struct trace_event *events, unsigned count)
{
    return events_of(percpu.thread, events, count);
}

// What events of scattered frames are said to begin with.
static const struct page *const nowhere;

static bool event_is(const struct trace_event *event, enum trace_kind kind,
                     const struct page *first, unsigned frames,
                     const char *function)
{
    const char *name = symbol_find(site_unpack(event->site) - 1, NULL);
    return event->kind == kind && event->frames == frames &&
           event->frame ==
               (first == nowhere ? 0 : page_to_phys(first) / PAGE_SIZE) &&
           name != NULL && strcmp(name, function) == 0;
}

static __noinline void brackets(void)
{
    void *outer = kmap_local_page(page);
    const void *inner = kmap_local_page_ro(page); // changes nothing
    const void *range = kmap_local_range(block, 8, 3 * PAGE_SIZE);
    struct page *const list[] = {block + 3, page};
    const void *scattered = kmap_local_pages(list, 2);
    kunmap_local(scattered);
    kunmap_local(range);
    kunmap_local(inner);
    kunmap_local(outer);
}

// In the window, but side by side: the list says where it begins.
TEST(trace, a_list_in_a_row)
{
    NEEDS_HISTORY();
    struct trace_event events[2];
    CHECK(frames_get());
    struct page *const list[] = {block + 1, block + 2};
    kunmap_local(kmap_local_pages(list, 2));
    CHECK_EQ(events_last(events, 2), 2);
    for (unsigned i = 0; i < 2; i++) {
        CHECK_EQ(events[i].frame, page_to_phys(list[0]) / PAGE_SIZE);
        CHECK_EQ(events[i].frames, 2);
    }
    frames_put();
}

TEST(trace, every_bracket_is_noted)
{
    NEEDS_HISTORY();
    static struct trace_event events[8];
    CHECK(frames_get());
    brackets();
    CHECK_EQ(events_last(events, 8), 8);
    static const enum trace_kind kinds[] = {
        TRACE_MAP,   TRACE_MAP,   TRACE_MAP,   TRACE_MAP,
        TRACE_UNMAP, TRACE_UNMAP, TRACE_UNMAP, TRACE_UNMAP};
    static const unsigned frames[] = {1, 1, 4, 2, 2, 4, 1, 1};
    const struct page *const first[] = {page,    page,  block, nowhere,
                                        nowhere, block, page,  page};
    for (unsigned i = 0; i < 8; i++) {
        CHECK(event_is(&events[i], kinds[i], first[i], frames[i], "brackets"));
        CHECK_EQ(events[i].level, 0);
        CHECK(i == 0 || events[i].time >= events[i - 1].time);
    }
    frames_put();
}

static void bracket_in_handler(void *unused)
{
    (void)unused;
    kunmap_local(kmap_local_page(page));
}

TEST(trace, handlers_are_told_from_threads)
{
    NEEDS_HISTORY();
    struct trace_event events[2];
    CHECK(frames_get());
    cpu_call(cpu_id(), bracket_in_handler, NULL);
    CHECK_EQ(events_last(events, 2), 2);
    CHECK(events[0].level == 1 && events[0].kind == TRACE_MAP);
    cpu_nmi(cpu_id(), bracket_in_handler, NULL);
    CHECK_EQ(events_last(events, 2), 2);
    CHECK(events[1].level == 1 &&
          event_is(&events[1], TRACE_UNMAP, page, 1, "bracket_in_handler"));
    frames_put();
}

static int bracket_in_thread(void *unused)
{
    bracket_in_handler(unused);
    return 0;
}

// Threads that have ended, of which the second may have the first one's place;
// and what a CPU runs that has nothing to run.
TEST(trace, threads_have_names)
{
    NEEDS_HISTORY();
    static const char *const names[] = {"first", "second"};
    struct trace_event events[2];
    CHECK(frames_get());
    for (unsigned i = 0; i < 2; i++) {
        struct thread *thread = thread_here(names[i], bracket_in_thread, NULL);
        CHECK(thread != NULL);
        thread_join(thread);
        CHECK_EQ(events_of(thread, &events[i], 1), 1);
    }
    uint64_t born[2];
    for (unsigned i = 0; i < 2; i++) {
        const char *name =
            thread_name_at(events[i].thread, events[i].time, &born[i]);
        CHECK_EQ(strcmp(name, names[i]), 0);
    }
    CHECK(born[0] != born[1]);
    for (unsigned cpu = 1; cpu < cpus_online(); cpu++) {
        cpu_call(cpu, bracket_in_handler, NULL);
        CHECK(trace_read(cpu, trace_newest(cpu), &events[0]));
        CHECK_EQ(strcmp(thread_name_at(events[0].thread, events[0].time, NULL),
                        "idle"),
                 0);
    }
    frames_put();
}

static __noinline void touch_nothing(void *unused)
{
    (void)unused;
    *(volatile char *)TEST_REGION_BASE = 1;
}

TEST(trace, faults_are_noted)
{
    NEEDS_HISTORY();
    struct trace_event event;
    CHECK(!run_protected(touch_nothing, NULL, NULL));
    CHECK_EQ(events_last(&event, 1), 1);
    CHECK(event.kind == TRACE_FAULT && event.address == TEST_REGION_BASE &&
          event.frame == 0);
    CHECK_EQ(
        strcmp(symbol_find(site_unpack(event.site), NULL), "touch_nothing"), 0);
}

static __noinline void fault_in_handler(void *unused)
{
    kmap_local_page(page);
    touch_nothing(unused);
}

static __noinline void fault_in_brackets(void *scattered)
{
    struct page *const list[] = {block + 3, page};
    kmap_local_range(block, 8, 3 * PAGE_SIZE);
    if (scattered != NULL) {
        kmap_local_pages(list, 2);
        touch_nothing(NULL);
    }
    cpu_call(cpu_id(), fault_in_handler, NULL);
}

static __noinline void mappings(void)
{
    struct page *const list[] = {page, block};
    kmap_range(block, 4);
    kunmap_range(block, 4);
    vunmap(vmap(list, 1, MAP_READ));
    vunmap(vmap(list, 2, MAP_READ)); // not side by side
    vunmap(vmap_range(page_to_phys(block), 3 * PAGE_SIZE, MAP_READ));
}

TEST(trace, mappings_for_everybody_are_noted)
{
    NEEDS_HISTORY();
    static struct trace_event events[8];
    CHECK(frames_get());
    mappings();
    mappings(); // in ranges that were used before
    CHECK_EQ(events_last(events, 8), 8);
    static const enum trace_kind kinds[] = {
        TRACE_KMAP, TRACE_KUNMAP, TRACE_VMAP, TRACE_VUNMAP,
        TRACE_VMAP, TRACE_VUNMAP, TRACE_VMAP, TRACE_VUNMAP};
    static const unsigned frames[] = {4, 4, 1, 1, 2, 2, 3, 3};
    const struct page *const first[] = {block,   block,   page,  page,
                                        nowhere, nowhere, block, block};
    for (unsigned i = 0; i < 8; i++) {
        CHECK(event_is(&events[i], kinds[i], first[i], frames[i], "mappings"));
        CHECK_EQ(events[i].address, events[i ^ 1].address);
    }
    frames_put();
}

// What a fault abandons ends in the history too, innermost first.
TEST(trace, abandoned_brackets_end)
{
    NEEDS_HISTORY();
    struct trace_event events[5];
    CHECK(frames_get());
    CHECK(!run_protected(fault_in_brackets, block, NULL));
    CHECK_EQ(events_last(events, 5), 5);
    CHECK(events[2].kind == TRACE_FAULT);
    for (unsigned i = 0; i < 2; i++) {
        CHECK(event_is(&events[3 + i], TRACE_LEFT, i == 0 ? nowhere : block,
                       i == 0 ? 2 : 4, "fault_in_brackets"));
    }
    printf("# a report that this test asks for:\n");
    CHECK(!run_reported(fault_in_brackets, NULL, NULL)); // in a handler
    CHECK_EQ(events_last(events, 5), 5);
    CHECK(events[1].level == 1 && events[2].kind == TRACE_FAULT);
    CHECK(event_is(&events[3], TRACE_LEFT, page, 1, "fault_in_handler"));
    CHECK(event_is(&events[4], TRACE_LEFT, block, 4, "fault_in_brackets"));
    frames_put();
}

TEST(trace, the_oldest_is_forgotten)
{
    NEEDS_HISTORY();
    CHECK(frames_get());
    for (unsigned i = 0; i < TRACE_EVENTS; i++) {
        kunmap_local(kmap_local_page(page));
    }
    struct trace_event event;
    uint32_t newest = trace_newest(cpu_id());
    CHECK(trace_read(cpu_id(), newest - TRACE_EVENTS + 8, &event));
    CHECK(!trace_read(cpu_id(), newest - TRACE_EVENTS - 8, &event));
    struct trace_cursor cursor;
    unsigned mine = 0;
    trace_begin(&cursor);
    while (trace_back(&cursor, &event)) {
        mine += event.cpu == cpu_id();
    }
    CHECK(mine > TRACE_EVENTS - 64 && mine <= TRACE_EVENTS);
    frames_put();
}

// What the history adds to a map and an unmap, but for the few instructions of
// its hooks; measured where it is off too.
BENCH(trace, events_of_a_pair)
{
    struct page *one = alloc_page(domain_ram);
    struct trace_event *ring = percpu.trace_ring;
    struct profile_site *profile = percpu.profile;
    void *memory = kzalloc(TRACE_EVENTS * sizeof(*ring));
    void *table = kzalloc((PROFILE_SITES + 1) * sizeof(*profile));
    if (one != NULL && memory != NULL && table != NULL) {
        percpu.trace_ring = memory;
        percpu.profile = table;
        void *at = kmap_local_pages(&one, 1); // noted in every build
        struct bracket *top = percpu.bracket_top;
        BENCH_LOOP (n) {
            trace_map(top - 1, (uintptr_t)at, 0);
            trace_unmap(top, (uintptr_t)at, 0, CALL_SITE());
        }
        kunmap_local(at);
        percpu.trace_ring = ring;
        percpu.profile = profile;
        free_page(one);
    }
    kfree(table);
    kfree(memory);
}
