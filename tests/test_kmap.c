// SPDX-License-Identifier: MIT
//
// Local brackets on one frame.
#include "arch/asm.h"
#include "arch/cpu.h"
#include "arch/pks.h"
#include "kernel/misuse.h"
#include "kernel/symbols.h"
#include "keyhole.h"
#include "mm/layout.h"
#include "tests/engines.h"
#include "tests/handlers.h"

TEST(kmap, opens_and_closes)
{
    struct page *page = alloc_page(domain_ram);
    CHECK(page != NULL);
    volatile int *closed = page_direct_map_address(page);
    CHECK_REFUSED(ACCESS_READ, (void)*closed);
    CHECK_REFUSED(ACCESS_WRITE, *closed = 1);

    volatile int *p = kmap_local_page(page);
    CHECK_EQ(*p, !engine_refuses());
    *p = 42;
    CHECK_EQ(*p, 42);
    kunmap_local((const void *)p);

    CHECK(rights_are(PKRS_CLOSED));
    CHECK_REFUSED(ACCESS_READ, (void)*p);
    CHECK_REFUSED(ACCESS_WRITE, *p = 1);
    free_page(page);
}

TEST(kmap, read_only_never_writes)
{
    struct page *page = alloc_page(domain_ram);
    CHECK(page != NULL);
    const volatile int *p = kmap_local_page_ro(page);
    CHECK_EQ(*p, 0);
    CHECK_REFUSED(ACCESS_WRITE, *(volatile int *)p = 1);
    CHECK_EQ(*p, !engine_refuses());
    kunmap_local((const void *)p);
    CHECK_REFUSED(ACCESS_READ, (void)*p);
    free_page(page);
}

TEST(kmap, nested_rights_add_up)
{
    struct page *page = alloc_page(domain_ram);
    CHECK(page != NULL);
    const volatile int *outer = kmap_local_page_ro(page);
    volatile int *inner = kmap_local_page(page);
    *inner = 7;
    kunmap_local((const void *)inner);
    CHECK_EQ(*outer, 7);
    CHECK_REFUSED(ACCESS_WRITE, *inner = 8);
    CHECK_REFUSED(ACCESS_WRITE, *(volatile int *)outer = 8);
    kunmap_local((const void *)outer);

    // The other way round: a read-only bracket takes nothing away.
    inner = kmap_local_page(page);
    outer = kmap_local_page_ro(page);
    *inner = 9;
    CHECK_EQ(*outer, 9);
    kunmap_local((const void *)outer);
    *inner = 10;
    kunmap_local((const void *)inner);
    CHECK(rights_are(PKRS_CLOSED));
    free_page(page);
}

TEST(kmap, domains_open_apart)
{
    struct domain *other = domain_create("other");
    CHECK(other != NULL);
    struct page *a = alloc_page(domain_ram), *b = alloc_page(other);
    CHECK(a != NULL && b != NULL);
    volatile int *p = kmap_local_page(a);
    *p = 1;
    volatile int *closed = page_direct_map_address(b);
    CHECK_REFUSED(ACCESS_READ, (void)*closed);
    volatile int *q = kmap_local_page(b);
    *q = 2;
    *p = 3;
    kunmap_local((const void *)q);
    CHECK_REFUSED(ACCESS_WRITE, *q = 4);
    CHECK_REFUSED(ACCESS_READ, (void)*closed);
    CHECK_EQ(*p, 3);
    kunmap_local((const void *)p);
    free_page(a);
    free_page(b);
    CHECK_EQ(domain_destroy(other), 0);
}

TEST(kmap, nests_32_deep)
{
    NEEDS_ACCOUNT();
    struct page *page = alloc_page(domain_ram);
    const void *p[33];
    for (unsigned i = 0; i < 32; i++) {
        p[i] = kmap_local_page(page);
    }
    CHECK_MISUSE(kmap_local_page(page));
    for (unsigned i = 32; i-- > 0;) {
        kunmap_local(p[i]);
    }
    CHECK(rights_are(PKRS_CLOSED));
    free_page(page);
}

TEST(kmap, never_executable)
{
    struct page *page = alloc_page(domain_ram);
    unsigned char *p = kmap_local_page(page);
    *p = 0xc3; // RET
    CHECK_FAULT(FAULT_NO_EXECUTE, ACCESS_EXECUTE, ((void (*)(void))p)());
    kunmap_local(p);
    free_page(page);
}

TEST(kmap, event_counts)
{
    NEEDS_ACCOUNT();
    struct page *page = alloc_page(domain_ram);
    struct map_stats before, after;
    map_stats_read(&before);
    const void *p = kmap_local_page(page);
    const void *q = kmap_local_page(page);
    kunmap_local(q);
    kunmap_local(p);
    map_stats_read(&after);
    CHECK_EQ(after.brackets - before.brackets, 2);
    CHECK_EQ(after.nested - before.nested, 1);
    const struct pair_cost *pair = &test_engine()->pair,
                           *again = &test_engine()->pair_again;
    CHECK_EQ(after.pkrs_writes - before.pkrs_writes,
             pair->pkrs_writes + again->pkrs_writes);
    CHECK_EQ(after.pkrs_writes_skipped - before.pkrs_writes_skipped,
             pair->pkrs_skipped + again->pkrs_skipped);
    CHECK_EQ(after.pte_writes - before.pte_writes,
             pair->pte_writes + again->pte_writes);
    CHECK_EQ(after.invlpg - before.invlpg, pair->invlpg + again->invlpg);
    CHECK_EQ(after.full_flushes, before.full_flushes);
    free_page(page);
}

// Functions, for those who take pointers, and macros, for those who call.
TEST(kmap, pointers_to_the_calls)
{
    NEEDS_ACCOUNT();
    void *(*volatile map)(struct page *) = kmap_local_page;
    const void *(*volatile map_ro)(struct page *) = kmap_local_page_ro;
    void *(*volatile range)(struct page *, size_t, size_t) = kmap_local_range;
    void (*volatile unmap)(const void *) = kunmap_local;
    struct page *block = alloc_pages(domain_ram, 1);
    CHECK(block != NULL);
    volatile char *p = map(block);
    *p = 3;
    const volatile char *q = map_ro(block);
    CHECK_EQ(*q, 3);
    unmap((const void *)q);
    volatile char *r = range(block, PAGE_SIZE - 1, 2);
    r[1] = 4;
    kunmap_local((const void *)r);
    unmap((const void *)p);
    CHECK_REFUSED(ACCESS_READ, (void)*p);
    unsigned line = __LINE__ + 1;
    CHECK_MISUSE(unmap((const void *)p));
    const char *file;
    unsigned found;
    CHECK(symbol_line(misuse_last()->site[0].ip - 1, &file, &found));
    CHECK_EQ(found, line);
    free_pages(block, 1);
}

// The right kind of right, and the caller's line.
TEST(kmap, functions_give_what_macros_give)
{
    NEEDS_ACCOUNT();
    void *(*volatile map)(struct page *) = kmap_local_page;
    const void *(*volatile map_ro)(struct page *) = kmap_local_page_ro;
    const void *(*volatile range_ro)(struct page *, size_t, size_t) =
        kmap_local_range_ro;
    struct page *block = alloc_pages(domain_ram, 1);
    CHECK(block != NULL);
    const volatile char *p = map_ro(block);
    CHECK_REFUSED(ACCESS_WRITE, *(volatile char *)p = 1);
    kunmap_local((const void *)p);
    p = range_ro(block, PAGE_SIZE - 1, 2);
    uintptr_t direct = (uintptr_t)page_direct_map_address(block);
    CHECK_EQ((uintptr_t)p % PAGE_SIZE, PAGE_SIZE - 1);
    CHECK_EQ((uintptr_t)p == direct + PAGE_SIZE - 1,
             test_engine()->brackets_are_direct);
    CHECK_EQ(p[1], 0);
    CHECK_REFUSED(ACCESS_WRITE, *(volatile char *)p = 1);
    kunmap_local((const void *)p);
    unsigned line = __LINE__ + 1;
    p = map(block);
    CHECK_MISUSE(free_pages(block, 1));
    kunmap_local((const void *)p);
    const char *file;
    unsigned found;
    CHECK(symbol_line(misuse_last()->site[1].ip - 1, &file, &found));
    CHECK_EQ(found, line);
    free_pages(block, 1);
}

// Maps and unmaps that skip the register, those that do not, and those of the
// slow kind: each write and each skip is counted once.
TEST(kmap, every_write_is_counted)
{
    NEEDS_ACCOUNT();
    struct page *page = alloc_page(domain_ram), *list[] = {page, page};
    struct map_stats before, between, after;
    unsigned writes = test_engine()->pair.pkrs_writes;
    unsigned skips = test_engine()->pair_again.pkrs_skipped;
    CHECK(page != NULL);
    map_stats_read(&before);
    const void *p = kmap_local_page_ro(page);     // write
    const void *q = kmap_local_page(page);        // write: from read to write
    const void *r = kmap_local_page_ro(page);     // skipped
    const void *s = kmap_local_pages_ro(list, 2); // two writes
    map_stats_read(&between);
    CHECK_EQ(between.pkrs_writes - before.pkrs_writes, 2 * writes);
    CHECK_EQ(between.pkrs_writes_skipped - before.pkrs_writes_skipped,
             skips / 2);
    kunmap_local(s); // two writes
    kunmap_local(r); // skipped
    kunmap_local(q);
    kunmap_local(p);
    map_stats_read(&after);
    CHECK_EQ(after.pkrs_writes - before.pkrs_writes, 4 * writes);
    CHECK_EQ(after.pkrs_writes_skipped - before.pkrs_writes_skipped, skips);
    CHECK_EQ(after.brackets - before.brackets, 4);
    CHECK_EQ(after.nested - before.nested, 3);
    free_page(page);
}

static void leave_two_open(void *page)
{
    (void)kmap_local_page(page);
    (void)kmap_local_page_ro(page);
    *(volatile char *)TEST_REGION_BASE = 1;
}

// What is abandoned with its brackets open wrote the register for one of them,
// and gets it back with one write.
TEST(kmap, counts_of_the_abandoned)
{
    NEEDS_ACCOUNT();
    struct page *page = alloc_page(domain_ram);
    struct map_stats before, after;
    CHECK(page != NULL);
    map_stats_read(&before);
    CHECK(!run_protected(leave_two_open, page, NULL));
    map_stats_read(&after);
    CHECK_EQ(after.brackets - before.brackets, 2);
    CHECK_EQ(after.nested - before.nested, 1);
    // Map, the handler's entry, and the way back; one map skipped it. The page
    // tables are read to describe the fault: two more.
    bool pks = protect_engine() == PROTECT_PKS;
    CHECK_EQ(after.pkrs_writes - before.pkrs_writes, pks ? 5 : 0);
    CHECK_EQ(after.pkrs_writes_skipped - before.pkrs_writes_skipped,
             pks ? 1 : 0);
    free_page(page);
}

BENCH(kmap, pair)
{
    struct page *page = alloc_page(domain_ram);
    BENCH_LOOP (n) {
        kunmap_local(kmap_local_page(page));
    }
    free_page(page);
}

BENCH(kmap, nested)
{
    struct page *page = alloc_page(domain_ram);
    const void *outer = kmap_local_page(page);
    BENCH_LOOP (n) {
        kunmap_local(kmap_local_page(page));
    }
    kunmap_local(outer);
    free_page(page);
}
