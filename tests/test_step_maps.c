// SPDX-License-Identifier: MIT
//
// A handler, a call and an NMI at every instruction boundary of the calls that
// map, unmap and allocate.
#include "arch/pks.h"
#include "lib/types.h"
#include "mm/domain.h"
#include "mm/keys.h"
#include "tests/engines.h"
#include "tests/framework.h"
#include "tests/handlers.h"
#include "tests/step_each.h"

static struct page *frames[2]; // of two domains

// ------------------------------------------------------------------- Brackets

static void write_in_bracket(void *unused)
{
    (void)unused;
    volatile unsigned *p = kmap_local_page(frames[0]);
    *p = 1;
    kunmap_local((const void *)p);
}

static void read_in_bracket(void *unused)
{
    (void)unused;
    const volatile unsigned *p = kmap_local_page_ro(frames[0]);
    (void)*p;
    kunmap_local((const void *)p);
}

static void nest_in_one_domain(void *unused)
{
    (void)unused;
    const volatile unsigned *p = kmap_local_page_ro(frames[0]);
    volatile unsigned *q = kmap_local_page(frames[0]);
    *q = 2;
    kunmap_local((const void *)q);
    (void)*p;
    kunmap_local((const void *)p);
}

static void nest_domains(void *unused)
{
    (void)unused;
    volatile unsigned *p = kmap_local_page(frames[0]);
    volatile unsigned *q = kmap_local_page(frames[1]);
    *q = 3;
    *p = 3;
    volatile unsigned *again = kmap_local_page(frames[1]);
    *again = 4;
    kunmap_local((const void *)again);
    kunmap_local((const void *)q);
    *p = 4;
    kunmap_local((const void *)p);
}

// One whose place the compiler knows, which is in line, and one that is a call.
static void ranges(void *unused)
{
    static volatile size_t offset = 100;
    (void)unused;
    volatile char *p = kmap_local_range(frames[0], offset, PAGE_SIZE);
    p[PAGE_SIZE - 1] = 5;
    const volatile char *r = kmap_local_range_ro(frames[0], 0, 2);
    (void)*r;
    kunmap_local((const void *)r);
    p[0] = 5;
    kunmap_local((const void *)p);
}

static void copies(void *unused)
{
    (void)unused;
    unsigned char bytes[24];
    memcpy_page(frames[1], 8, frames[0], 16, 24);
    memcpy_from_page(bytes, frames[1], 8, 24);
    memzero_page(frames[1], 0, 64);
}

static bool frames_get(void)
{
    struct domain *other = domain_create("stepped");
    if (other == NULL) {
        return false;
    }
    frames[0] = alloc_pages(domain_ram, 1);
    frames[1] = alloc_page(other);
    step_frame = alloc_page(domain_ram);
    return frames[0] != NULL && frames[1] != NULL && step_frame != NULL;
}

static void frames_put(void)
{
    struct domain *other = page_domain(frames[1]);
    free_pages(frames[0], 1);
    free_page(frames[1]);
    free_page(step_frame);
    domain_destroy(other);
}

// What may be wanted of `all` uses by handlers. A call that waits for
// interrupts leaves no room for the next.
static unsigned uses(unsigned all)
{
    return test_rounds(all) / (test_rounds(2) == 1 ? 2 : 1);
}

// Closed, with a bracket on the same domain open, and on another.
TEST(step, handlers_at_every_instruction_of_brackets)
{
    NEEDS_ACCOUNT();
    static void (*const stepped[])(void *) = {
        write_in_bracket, read_in_bracket, nest_in_one_domain,
        nest_domains,     ranges,          copies};
    CHECK(frames_get());
    for (unsigned i = 0; i < ARRAY_SIZE(stepped); i++) {
        unsigned fewest;
        step_late_calls();
        CHECK(step_with_each_sound(stepped[i], &fewest));
        CHECK(fewest > uses(engine_refuses() ? 40 : 20));
        CHECK(step_late_calls() > uses(engine_refuses() ? 80 : 40));
        CHECK(rights_are(PKRS_CLOSED));
        for (unsigned outer = 0; i < 2 && outer < 2; outer++) {
            volatile unsigned *p = kmap_local_page(frames[outer]);
            CHECK(step_with_each_sound(stepped[i], &fewest));
            *p = i;
            kunmap_local((const void *)p);
            CHECK(rights_are(PKRS_CLOSED));
        }
    }
    frames_put();
}

static void nest_domains_in_handler(void *passed)
{
    unsigned fewest;
    const void *p = kmap_local_page(frames[1]);
    bool good = step_with_each_sound(write_in_bracket, &fewest);
    kunmap_local(p);
    *(bool *)passed = good && step_with_each_sound(nest_domains, &fewest) &&
                      step_with_each_sound(ranges, &fewest);
}

// Where the next handler's brackets begin right above this one's.
TEST(step, handlers_at_every_instruction_of_brackets_in_a_handler)
{
    bool passed = false;
    CHECK(frames_get());
    cpu_call(cpu_id(), nest_domains_in_handler, &passed);
    CHECK(passed);
    CHECK(rights_are(PKRS_CLOSED));
    frames_put();
}

// ------------------------------------------------------------------ Allocator

static void allocate(void *unused)
{
    (void)unused;
    free_page(alloc_page(domain_ram));
}

// Interrupts are off for most of it: a call waits, an NMI does not.
TEST(step, handlers_at_every_instruction_of_the_allocator)
{
    CHECK(frames_get());
    unsigned fewest;
    volatile unsigned *p = kmap_local_page(frames[1]);
    CHECK(step_with_each(allocate, &fewest));
    *p = 1;
    kunmap_local((const void *)p);
    CHECK(fewest > 0);
    CHECK(rights_are(PKRS_CLOSED));
    struct page *page = alloc_page(domain_ram);
    CHECK(page != NULL && page_domain(page) == domain_ram);
    free_page(page);
    frames_put();
}

// -------------------------------------------------- Windows, and borrowed keys

#define LENT (PKS_KEYS - KEY_DOMAINS)

static struct page *others[LENT + 1];

static bool others_get(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(others); i++) {
        struct domain *domain = domain_create("other");
        others[i] = domain != NULL ? alloc_page(domain) : NULL;
        if (others[i] == NULL) {
            return false;
        }
    }
    return true;
}

static void others_put(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(others); i++) {
        struct domain *domain = page_domain(others[i]);
        free_page(others[i]);
        domain_destroy(domain);
    }
}

static void scattered(void *unused)
{
    (void)unused;
    struct page *list[] = {frames[0] + 1, frames[0]};
    volatile char *p = kmap_local_pages(list, 2);
    p[PAGE_SIZE] = 6;
    const volatile char *q = kmap_local_pages_ro(list, 2);
    (void)*q;
    kunmap_local((const void *)q);
    p[0] = 6;
    kunmap_local((const void *)p);
}

static unsigned parked_before;

// There is one domain more than keys, so one at least has none.
static void parked(void *unused)
{
    (void)unused;
    unsigned i = 0;
    while (i + 1 < ARRAY_SIZE(others) && page_domain(others[i])->key != 0) {
        i++;
    }
    parked_before += page_domain(others[i])->key == 0;
    volatile char *p = kmap_local_page(others[i]);
    *p = 7;
    kunmap_local((const void *)p);
}

TEST(step, handlers_at_every_instruction_of_windows)
{
    unsigned fewest;
    CHECK(frames_get() && others_get());
    CHECK(step_with_each(scattered, &fewest));
    CHECK(fewest > uses(100));
    volatile char *outer = kmap_local_page(frames[0]);
    CHECK(step_with_each(scattered, &fewest));
    *outer = 1;
    kunmap_local((const void *)outer);
    CHECK(rights_are(PKRS_CLOSED));
    others_put();
    frames_put();
}

TEST(step, handlers_at_every_instruction_of_a_key_that_changes_hands)
{
    unsigned fewest;
    CHECK(frames_get() && others_get());
    parked_before = 0;
    CHECK(step_with_each_sound(parked, &fewest));
    CHECK_EQ(parked_before, 5);
    CHECK(fewest > 0);
    CHECK(rights_are(PKRS_CLOSED));
    others_put();
    frames_put();
}

// Every key is open, so the stepped call opens through the window, and so do
// the handlers.
TEST(step, handlers_at_every_instruction_with_every_key_open)
{
    unsigned fewest;
    const void *open[LENT];
    CHECK(frames_get() && others_get());
    for (unsigned i = 0; i < LENT; i++) {
        open[i] = kmap_local_page(others[i + 1]);
    }
    CHECK(page_domain(others[0])->key == 0);
    CHECK(step_with_each_sound(parked, &fewest));
    CHECK(fewest > uses(test_engine()->keys ? 100 : 20));
    CHECK(page_domain(others[0])->key == 0);
    for (unsigned i = LENT; i-- > 0;) {
        *(volatile char *)open[i] = 1;
        kunmap_local(open[i]);
    }
    CHECK(rights_are(PKRS_CLOSED));
    others_put();
    frames_put();
}

// ------------------------------------------------------------- Longer mappings

static void shared(void *unused)
{
    (void)unused;
    volatile char *p = kmap_range(frames[0], 2);
    p[PAGE_SIZE] = 8;
    kunmap_range(frames[0], 2);
}

static void area(void *unused)
{
    (void)unused;
    struct page *list[] = {frames[1], frames[0]};
    volatile char *p = vmap(list, 2, MAP_READ | MAP_WRITE);
    p[PAGE_SIZE] = 9;
    vunmap((const void *)p);
}

static void physical_area(void *unused)
{
    (void)unused;
    const volatile char *p =
        vmap_range(page_to_phys(frames[0]), 2 * PAGE_SIZE, MAP_READ);
    (void)*p;
    vunmap((const void *)p);
}

TEST(step, handlers_at_every_instruction_of_longer_mappings)
{
    static void (*const stepped[])(void *) = {shared, area, physical_area};
    CHECK(frames_get());
    volatile unsigned *p = kmap_local_page(frames[1]);
    for (unsigned i = 0; i < ARRAY_SIZE(stepped); i++) {
        unsigned fewest;
        CHECK(step_with_each(stepped[i], &fewest));
        CHECK(fewest > 0);
    }
    *p = 1;
    kunmap_local((const void *)p);
    CHECK(rights_are(PKRS_CLOSED));
    frames_put();
}
