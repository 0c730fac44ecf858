// SPDX-License-Identifier: MIT
//
// Accesses to watched frames that are let through one by one: string
// instructions, several frames, while each instruction is looked at.
#include "kernel/fault.h"
#include "kernel/guard.h"
#include "tests/engines.h"
#include "tests/handlers.h"
#include "tests/planted.h"
#include "tests/threads.h"

static struct page *pair;

// Two frames side by side.
static bool frames_get(void)
{
    pair = alloc_pages(domain_ram, 1);
    printf("# reports that this test asks for:\n");
    return pair != NULL;
}

static void frames_put(void)
{
    free_pages(pair, 1);
}

static uint64_t from[PAGE_SIZE / sizeof(uint64_t)];

// A string instruction over two frames that are watched apart, from one on.
static int copies_over_both(void *unused)
{
    (void)unused;
    uint64_t before = faults_count();
    char *to = kmap_local_range(pair, 0, 2 * PAGE_SIZE);
    *(volatile uint64_t *)(to + PAGE_SIZE - 4) = ~0ull; // across the boundary
    memcpy(to + 64, from, PAGE_SIZE);
    bool copied = memcmp(to + 64, from, PAGE_SIZE) == 0;
    kunmap_local(to);
    return copied && faults_count() > before;
}

TEST(fault_mode, relaxed_by_a_watch)
{
    CHECK(frames_get());
    for (uint64_t i = 0; i < ARRAY_SIZE(from); i++) {
        from[i] = i * 0x0101010101010101;
    }
    CHECK_EQ(watch_page(pair, ACCESS_WRITE, FAULT_MODE_RELAXED), 0);
    CHECK_EQ(watch_page(pair + 1, ACCESS_READ, FAULT_MODE_RELAXED), 0);
    CHECK_EQ(in_another_thread(copies_over_both), 1);
    uint64_t seen;
    if (engine_keeps_account()) {
        memcpy_from_page(&seen, pair, 64 + 8, sizeof(seen)); // my own bracket
        CHECK_EQ(seen, from[1]);
    }
    CHECK(unwatch_page(pair) > 1);
    CHECK(unwatch_page(pair + 1) > 1);
    frames_put();
}

static int writes_into_frozen(void *unused)
{
    (void)unused;
    struct page *const list[] = {pair, pair + 1};
    volatile uint64_t *at = vmap(list, 2, MAP_READ | MAP_WRITE);
    if (at == NULL) {
        return -1;
    }
    *at = 1;
    *at = 2; // each of them is seen
    at[512] = 3;
    int sum = (int)(*at + at[512]);
    vunmap((const void *)at);
    return sum;
}

TEST(fault_mode, relaxed_while_frozen)
{
    CHECK(frames_get());
    CHECK_EQ(freeze_range(pair, 2, FAULT_MODE_RELAXED), 0);
    CHECK_EQ(in_another_thread(writes_into_frozen), 5);
    CHECK_EQ(thaw_range(pair, 2), 3);
    frames_put();
}

// A string instruction that the compiler does not choose: all of it is one
// access, in steps.
static int copies_a_string(void *unused)
{
    (void)unused;
    char *at = kmap_local_range(pair, 0, 2 * PAGE_SIZE);
    uint64_t before = faults_count();
    void *to = at + 8;
    const void *source = from;
    size_t words = PAGE_SIZE / 8;
    __asm__ volatile("rep movsq"
                     : "+D"(to), "+S"(source), "+c"(words)
                     :
                     : "memory");
    uint64_t faults = faults_count() - before;
    bool copied = memcmp(at + 8, from, PAGE_SIZE) == 0;
    kunmap_local(at);
    return copied && faults == 2; // one for each frame
}

TEST(fault_mode, relaxed_for_a_string)
{
    CHECK(frames_get());
    for (uint64_t i = 0; i < ARRAY_SIZE(from); i++) {
        from[i] = ~i;
    }
    CHECK_EQ(freeze_range(pair, 1, FAULT_MODE_RELAXED), 0);
    CHECK_EQ(freeze_range(pair + 1, 1, FAULT_MODE_RELAXED), 0);
    CHECK_EQ(in_another_thread(copies_a_string), 1);
    CHECK_EQ(thaw_range(pair + 1, 1), 1);
    CHECK_EQ(thaw_range(pair, 1), 1);
    frames_put();
}

// Over more frames than can be open at once, there and back.
#define MANY_ORDER 3
#define MANY (PAGE_SIZE << MANY_ORDER)

static int copies_within_many(void *unused)
{
    (void)unused;
    uint64_t before = faults_count();
    char *at = kmap_local_range(pair, 0, MANY);
    void *to = at + MANY / 2, *source = at;
    size_t bytes = MANY / 2;
    __asm__ volatile("rep movsb"
                     : "+D"(to), "+S"(source), "+c"(bytes)
                     :
                     : "memory");
    to = at + MANY - 8;
    size_t words = MANY / 8;
    __asm__ volatile("std\n\trep stosq\n\tcld"
                     : "+D"(to), "+c"(words)
                     : "a"(5ull)
                     : "memory");
    bool written = at[0] == 5 && at[MANY - 8] == 5;
    kunmap_local(at);
    return written && faults_count() - before >= 16;
}

TEST(fault_mode, relaxed_for_a_long_string)
{
    printf("# reports that this test asks for:\n");
    pair = alloc_pages(domain_ram, MANY_ORDER);
    CHECK(pair != NULL);
    CHECK_EQ(freeze_range(pair, BIT(MANY_ORDER), FAULT_MODE_RELAXED), 0);
    CHECK_EQ(in_another_thread(copies_within_many), 0);
    CHECK(thaw_range(pair, BIT(MANY_ORDER)) >= 12);
    for (unsigned i = 0; i < BIT(MANY_ORDER); i++) {
        CHECK_EQ(watch_page(pair + i, ACCESS_READ, FAULT_MODE_RELAXED), 0);
    }
    CHECK_EQ(in_another_thread(copies_within_many), 1);
    for (unsigned i = 0; i < BIT(MANY_ORDER); i++) {
        CHECK(unwatch_page(pair + i) >= 2);
    }
    CHECK(planted_audit_is_content());
    free_pages(pair, MANY_ORDER);
}

// The second frame that an instruction needs refuses: nothing stays open of the
// first.
static void write_over_both(void *unused)
{
    (void)unused;
    char *at = kmap_local_range(pair, 0, 2 * PAGE_SIZE);
    *(volatile uint64_t *)(at + PAGE_SIZE - 4) = ~0ull;
    kunmap_local(at);
}

static int writes_over_both(void *unused)
{
    (void)unused;
    bool done = run_reported(write_over_both, NULL, NULL);
    char *at = kmap_local_range(pair, 0, 2 * PAGE_SIZE);
    bool first = probe_write(at, &(uint64_t){0}, 8, NULL);
    bool second = probe_write(at + PAGE_SIZE, &(uint64_t){0}, 8, NULL);
    kunmap_local(at);
    return !done && !first && !second;
}

TEST(fault_mode, abandoned_while_let_through)
{
    CHECK(frames_get());
    CHECK_EQ(freeze_range(pair, 1, FAULT_MODE_RELAXED), 0);
    CHECK_EQ(freeze_range(pair + 1, 1, FAULT_MODE_STRICT), 0);
    CHECK_EQ(in_another_thread(writes_over_both), 1);
    CHECK_EQ(thaw_range(pair, 1), 2);
    CHECK_EQ(thaw_range(pair + 1, 1), 2);
    frames_put();
}

// Each place in the code is reported once, and who calls memset() is such a
// place; for the next watch it is again.
static __noinline void fill_here(void *at)
{
    memset(at, 1, 64);
}

static __noinline void fill_there(void *at)
{
    memset(at, 2, 64);
}

static unsigned reports_of(void (*fill)(void *at))
{
    void *at = kmap_local_page(pair);
    unsigned before = fault_reports;
    fill(at);
    unsigned reports = fault_reports - before;
    kunmap_local(at);
    return reports;
}

TEST(fault_mode, relaxed_reports_each_place)
{
    CHECK(frames_get());
    for (unsigned i = 0; i < 2; i++) {
        CHECK_EQ(freeze_range(pair, 1, FAULT_MODE_RELAXED), 0);
        CHECK_EQ(reports_of(fill_here), 1);
        CHECK_EQ(reports_of(fill_here), 0);
        CHECK_EQ(reports_of(fill_there), 1);
        CHECK(thaw_range(pair, 1) > 3);
    }
    frames_put();
}

// An access that is let through, while every instruction is looked at.
static unsigned steps;

static void count_step(void *unused)
{
    (void)unused;
    steps++;
}

static void write_twice(void *at)
{
    ((volatile uint64_t *)at)[0] = 1;
    ((volatile uint64_t *)at)[1] = 2;
}

TEST(fault_mode, relaxed_while_stepped_through)
{
    CHECK(frames_get());
    steps = 0;
    void *at = kmap_local_page(pair);
    step_through(write_twice, at, count_step, NULL);
    unsigned plain = steps;
    steps = 0;
    CHECK_EQ(freeze_range(pair, 1, FAULT_MODE_RELAXED), 0);
    step_through(write_twice, at, count_step, NULL);
    CHECK_EQ(thaw_range(pair, 1), 2);
    kunmap_local(at);
    CHECK_EQ(steps, plain);
    frames_put();
}
