// SPDX-License-Identifier: MIT
//
// Callers that do what nobody should: each is caught, and nothing else breaks.
#include "arch/asm.h"
#include "arch/cpu.h"
#include "arch/pks.h"
#include "kernel/misuse.h"
#include "kernel/symbols.h"
#include "keyhole.h"
#include "mm/audit.h"
#include "mm/layout.h"
#include "mm/long_maps.h"
#include "tests/engines.h"
#include "tests/handlers.h"

static struct page *page;

static bool is_clean(void)
{
    static struct audit_report report;
    return audit_run(&report) && rights_are(PKRS_CLOSED);
}

// Each map is followed by a trap, whose sentinel lands in the slots ahead.
static void open_without_end(void *unused)
{
    (void)unused;
    for (unsigned i = 0; i < 1000; i++) {
        char byte;
        (void)kmap_local_page(page);
        (void)probe_read((const void *)8, &byte, 1, NULL);
    }
}

TEST(hostile, handler_opens_without_end)
{
    NEEDS_ACCOUNT();
    page = alloc_page(domain_ram);
    CHECK(page != NULL);
    CHECK_MISUSE(cpu_call(0, open_without_end, NULL));
    CHECK_EQ(strcmp(misuse_last()->what, "too many nested brackets"), 0);
    CHECK_MISUSE(cpu_nmi(0, open_without_end, NULL));
    CHECK_MISUSE(open_without_end(NULL));
    CHECK(is_clean());
    free_page(page);
}

static void leave_open(void *unused)
{
    (void)unused;
    (void)kmap_local_page(page);
}

TEST(hostile, handler_leaves_a_bracket_open)
{
    NEEDS_ACCOUNT();
    page = alloc_page(domain_ram);
    CHECK(page != NULL);
    CHECK_MISUSE(cpu_call(0, leave_open, NULL));
    CHECK_EQ(strcmp(misuse_last()->what, "handler ends with a bracket open"),
             0);
    const char *name = symbol_find(misuse_last()->site[0].ip - 1, NULL);
    CHECK(name != NULL && strcmp(name, "leave_open") == 0);
    CHECK(is_clean());
    free_page(page);
}

// Code that closes its caller's bracket and then faults: the bracket stays
// closed, and the caller goes on.
TEST(hostile, closes_a_bracket_that_is_not_its_own)
{
    NEEDS_ACCOUNT();
    page = alloc_page(domain_ram);
    CHECK(page != NULL);
    volatile char *outer = (volatile char *)kmap_local_page_ro(page);
    volatile char *inner = kmap_local_page(page);
    CHECK_EQ(inner == outer, test_engine()->brackets_are_direct);
    CHECK_FAULT(FAULT_NOT_PRESENT, ACCESS_READ,
                (kunmap_local((const void *)inner),
                 *(volatile char *)TEST_REGION_BASE));
    CHECK_EQ(*outer, 0);
    CHECK_REFUSED(ACCESS_WRITE, *outer = 1);
    CHECK_REFUSED(ACCESS_READ,
                  (kunmap_local((const void *)outer), (void)*outer));
    CHECK_MISUSE(kunmap_local((const void *)outer));
    CHECK(is_clean());
    free_page(page);
}

static void vmap_no_list(void *list)
{
    (void)vmap(list, 1, MAP_READ);
}

static void create_without_name(void *name)
{
    (void)domain_create(name);
}

// A pointer that refuses is found before any lock is taken.
TEST(hostile, pointers_that_refuse)
{
    NEEDS_REFUSALS();
    page = alloc_page(domain_ram);
    CHECK(page != NULL);
    void *closed = page_direct_map_address(page);
    struct fault fault;
    CHECK(!run_protected(vmap_no_list, (void *)8, &fault));
    CHECK_EQ(fault.kind, FAULT_NOT_PRESENT);
    CHECK(!run_protected(vmap_no_list, closed, &fault));
    CHECK_EQ(fault.kind, test_engine()->closed);
    CHECK(!run_protected(create_without_name, NULL, &fault));
    CHECK_EQ(fault.kind, FAULT_NOT_PRESENT);
    CHECK(!run_protected(create_without_name, closed, &fault));
    CHECK_EQ(fault.kind, test_engine()->closed);
    CHECK(is_clean());
    free_page(page);
}

// The count of ranges that a frame is in must not wrap to "none".
TEST(hostile, a_frame_in_too_many_ranges)
{
    page = alloc_page(domain_ram);
    CHECK(page != NULL);
    // As if it were in as many ranges as it can count.
    long_maps_touch(page);
    page->private_next += LONG_VMAP_MASK;
    void *last = vmap(&page, 1, MAP_READ);
    CHECK(last != NULL);
    CHECK(vmap(&page, 1, MAP_READ) == NULL);
    CHECK(vmap_range(page_to_phys(page), 1, MAP_READ) == NULL);
    CHECK_MISUSE(free_page(page));
    vunmap(last);
    page->private_next -= LONG_VMAP_MASK;
    CHECK(is_clean());
    free_page(page);
}

TEST(hostile, copy_helpers_name_their_caller)
{
    NEEDS_ACCOUNT();
    page = alloc_page(domain_ram);
    CHECK(page != NULL);
    free_page(page);
    char byte = 0;
    CHECK_MISUSE(memcpy_to_page(page, 0, &byte, 1));
    const char *name = symbol_find(misuse_last()->site[0].ip - 1, NULL);
    CHECK(name != NULL);
    CHECK_EQ(strcmp(name, "test_hostile_copy_helpers_name_their_caller"), 0);
}
