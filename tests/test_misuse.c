// SPDX-License-Identifier: MIT
//
// Wrong use is caught and reported, with both call sites by function, file and
// line.
#include "arch/pks.h"
#include "kernel/misuse.h"
#include "kernel/symbols.h"
#include "keyhole.h"
#include "lib/string.h"
#include "mm/bracket.h"
#include "mm/pagetable.h"
#include "tests/alias.h"
#include "tests/engines.h"

// Site `i` of the last report is a call in this line of this file.
static bool site_is(unsigned i, unsigned want_line)
{
    const char *file;
    unsigned line;
    const struct misuse *misuse = misuse_last();
    uintptr_t call = misuse->site[i].ip - 1;
    if (misuse->site[i].what == NULL || !symbol_line(call, &file, &line)) {
        return false;
    }
    if (strcmp(file, __FILE__) != 0 || line != want_line) {
        printf("# site %u is %s:%u, want line %u\n", i, file, line, want_line);
        return false;
    }
    return true;
}

static bool site_function_is(unsigned i, const char *want)
{
    const char *name = symbol_find(misuse_last()->site[i].ip - 1, NULL);
    return name != NULL && strcmp(name, want) == 0;
}

static bool what_is(const char *want)
{
    if (strcmp(misuse_last()->what, want) == 0) {
        return true;
    }
    printf("# reported \"%s\", want \"%s\"\n", misuse_last()->what, want);
    return false;
}

static bool no_second_site(void)
{
    return misuse_last()->site[1].what == NULL;
}

// What was caught took no right away and left none behind.
static bool closed(void)
{
    return pks_rights() == PKRS_CLOSED && brackets_depth() == 0;
}

// -------------------------------------------------------------------- Brackets

TEST(misuse, unmap_out_of_order)
{
    NEEDS_ACCOUNT();
    struct page *a = alloc_page(domain_ram), *b = alloc_page(domain_ram);
    CHECK(a != NULL && b != NULL);
    const void *p = kmap_local_page(a);
    unsigned mapped = __LINE__ + 1;
    const void *q = kmap_local_page(b);
    uint32_t rights = pks_rights();
    unsigned unmapped = __LINE__ + 1;
    CHECK_MISUSE(kunmap_local(p));
    CHECK_EQ(pks_rights(), rights);
    CHECK_EQ(brackets_depth(), 2);
    kunmap_local(q);
    kunmap_local(p);
    CHECK(what_is("unmap out of order"));
    CHECK_EQ((uintptr_t)misuse_last()->address, (uintptr_t)p);
    CHECK(site_is(0, unmapped) && site_is(1, mapped));
    CHECK(site_function_is(0, __func__) && site_function_is(1, __func__));
    CHECK(closed());
    free_page(a);
    free_page(b);
}

TEST(misuse, unmap_twice)
{
    NEEDS_ACCOUNT();
    struct page *page = alloc_page(domain_ram);
    CHECK(page != NULL);
    const void *p = kmap_local_page(page);
    unsigned before = __LINE__ + 1;
    kunmap_local(p);
    unsigned again = __LINE__ + 1;
    CHECK_MISUSE(kunmap_local(p));
    CHECK(what_is("unmapped twice"));
    CHECK_EQ((uintptr_t)misuse_last()->address, (uintptr_t)p);
    CHECK(site_is(0, again) && site_is(1, before));
    CHECK(closed());
    free_page(page);
}

// The one before may lie deeper than the last bracket that was closed.
TEST(misuse, unmap_twice_inside_another)
{
    NEEDS_ACCOUNT();
    struct page *a = alloc_page(domain_ram), *b = alloc_page(domain_ram);
    CHECK(a != NULL && b != NULL);
    const void *p = kmap_local_page(a);
    const void *q = kmap_local_page_ro(b);
    unsigned before = __LINE__ + 1;
    kunmap_local(q);
    unsigned again = __LINE__ + 1;
    CHECK_MISUSE(kunmap_local(q));
    kunmap_local(p);
    CHECK(what_is("unmapped twice"));
    CHECK(site_is(0, again) && site_is(1, before));
    free_page(a);
    free_page(b);
}

static void unmap_wrongly(const void *address)
{
    unsigned line = __LINE__ + 1;
    CHECK_MISUSE(kunmap_local(address));
    CHECK(what_is("unmap of an address that was never mapped"));
    CHECK_EQ((uintptr_t)misuse_last()->address, (uintptr_t)address);
    CHECK(site_is(0, line) && no_second_site());
}

// With a frame that no earlier test has mapped: an address is remembered for
// some time after its bracket was closed.
TEST(misuse, unmap_of_what_was_never_mapped)
{
    NEEDS_ACCOUNT();
    struct page *block = alloc_pages(domain_ram, 5);
    CHECK(block != NULL);
    const char *p = page_direct_map_address(block + 29);
    const void *wrong[] = {
        NULL, p + 1, p + PAGE_SIZE, &block, (void *)~0ul,
    };
    const void *opened = NULL;
    unmap_wrongly(p);
    // What marks the end of the open brackets inside the kernel.
    CHECK_MISUSE(kunmap_local((void *)BRACKET_NOBODY));
    for (unsigned open = 0; open < 2; open++) {
        for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
            unmap_wrongly(wrong[i]);
        }
        if (!open) {
            opened = kmap_local_page(block + 29);
        }
    }
    kunmap_local(opened);
    CHECK(closed());
    free_pages(block, 5);
}

TEST(misuse, too_many_brackets)
{
    NEEDS_ACCOUNT();
    struct page *page = alloc_page(domain_ram);
    CHECK(page != NULL);
    const void *open[BRACKETS_MAX];
    unsigned innermost = __LINE__ + 2;
    for (unsigned i = 0; i < BRACKETS_MAX; i++) {
        open[i] = kmap_local_page(page);
    }
    unsigned one_more = __LINE__ + 1;
    CHECK_MISUSE(kmap_local_page(page));
    CHECK_EQ(brackets_depth(), BRACKETS_MAX);
    CHECK(what_is("too many nested brackets"));
    CHECK(site_is(0, one_more) && site_is(1, innermost));
    CHECK_MISUSE(kmap_local_page_ro(page));
    for (unsigned i = BRACKETS_MAX; i-- > 0;) {
        kunmap_local(open[i]);
    }
    CHECK(closed());
    free_page(page);
}

TEST(misuse, map_of_a_free_frame)
{
    NEEDS_ACCOUNT();
    struct page *page = alloc_page(domain_ram);
    CHECK(page != NULL);
    unsigned freed = __LINE__ + 1;
    free_page(page);
    unsigned mapped = __LINE__ + 1;
    CHECK_MISUSE(kmap_local_page(page));
    CHECK(what_is("map of a frame that was freed"));
    CHECK_EQ((uintptr_t)misuse_last()->page, (uintptr_t)page);
    CHECK(site_is(0, mapped) && site_is(1, freed));
    CHECK(closed());
    CHECK_MISUSE(kmap_local_page_ro(page));
    CHECK(closed());
}

static void map_kernels_own(phys_addr_t physical)
{
    struct page *page = phys_to_page(physical);
    CHECK(page != NULL);
    unsigned line = __LINE__ + 1;
    CHECK_MISUSE(kmap_local_page(page));
    CHECK(what_is("map of a frame of the kernel's own"));
    CHECK(site_is(0, line) && no_second_site());
    CHECK_MISUSE(kmap_local_page_ro(page));
    CHECK(what_is("map of a frame of the kernel's own"));
    CHECK(closed());
}

TEST(misuse, map_of_the_kernels_own)
{
    NEEDS_ACCOUNT();
    static char data;
    map_kernels_own((uintptr_t)&data - KERNEL_BASE);
    map_kernels_own((uintptr_t)closed - KERNEL_BASE);
    map_kernels_own(pt_root());
}

// ---------------------------------------------------------------------- Frames

TEST(misuse, free_while_mapped)
{
    NEEDS_ACCOUNT();
    struct page *block = alloc_pages(domain_ram, 2);
    CHECK(block != NULL);
    for (unsigned i = 0; i < 4; i++) {
        unsigned mapped = __LINE__ + 1;
        const void *p = kmap_local_page_ro(block + i);
        const void *inner = kmap_local_page(block + (i + 1) % 4);
        kunmap_local(inner);
        unsigned freed = __LINE__ + 1;
        CHECK_MISUSE(free_pages(block, 2));
        kunmap_local(p);
        CHECK(what_is("frame freed while a bracket on it is open"));
        CHECK_EQ((uintptr_t)misuse_last()->address, (uintptr_t)p);
        CHECK(site_is(0, freed) && site_is(1, mapped));
    }
    CHECK_EQ((uintptr_t)page_domain(block), (uintptr_t)domain_ram);
    free_pages(block, 2);
    CHECK(closed());
}

TEST(misuse, free_twice)
{
    struct page *page = alloc_page(domain_ram);
    CHECK(page != NULL);
    unsigned before = __LINE__ + 1;
    free_page(page);
    unsigned again = __LINE__ + 1;
    CHECK_MISUSE(free_page(page));
    CHECK(what_is("frame freed twice"));
    CHECK_EQ((uintptr_t)misuse_last()->page, (uintptr_t)page);
    CHECK(site_is(0, again) && site_is(1, before));
    CHECK(site_function_is(0, __func__) && site_function_is(1, __func__));
}

static void free_wrongly(struct page *page, unsigned order, const char *what,
                         unsigned allocated)
{
    unsigned freed = __LINE__ + 1;
    CHECK_MISUSE(free_pages(page, order));
    CHECK(what_is(what));
    CHECK(site_is(0, freed) && site_is(1, allocated));
}

TEST(misuse, free_with_another_order)
{
    unsigned allocated = __LINE__ + 1;
    struct page *block = alloc_pages(domain_ram, 3);
    CHECK(block != NULL);
    for (unsigned order = 0; order <= 11; order++) {
        if (order != 3) {
            free_wrongly(block, order,
                         "free with another order than the block has",
                         allocated);
        }
    }
    for (unsigned i = 1; i < 8; i++) {
        free_wrongly(block + i, 0, "free of a frame inside a block", allocated);
    }
    free_pages(block, 3);
}

TEST(misuse, free_of_the_kernels_own)
{
    struct page *image = phys_to_page((uintptr_t)closed - KERNEL_BASE);
    struct page *table = phys_to_page(pt_root());
    CHECK(image != NULL && table != NULL);
    unsigned line = __LINE__ + 1;
    CHECK_MISUSE(free_page(image));
    CHECK(what_is("free of a frame that alloc_pages() did not give"));
    CHECK(site_is(0, line) && no_second_site());
    CHECK_MISUSE(free_page(table));
    CHECK(what_is("free of a frame that alloc_pages() did not give"));
}

#ifdef KEYHOLE_DEBUG
static struct {
    struct page *page[64];
    unsigned count;
} taken;

static void take_frames(void *ignored)
{
    (void)ignored;
    while (taken.count < 64) {
        taken.page[taken.count] = alloc_page(domain_ram);
        taken.count++;
    }
}

TEST(misuse, write_after_free)
{
    struct page *page = alloc_page(domain_ram);
    CHECK(page != NULL);
    const char *stale = page_direct_map_address(page);
    unsigned freed = __LINE__ + 1;
    free_page(page);
    CHECK(alias_write_stale(page, 100));
    // The frame is among the next to be allocated.
    bool done = run_protected(take_frames, NULL, NULL);
    while (taken.count > 0) {
        free_page(taken.page[--taken.count]);
    }
    CHECK(!done);
    CHECK(what_is("frame written to after it was freed"));
    CHECK_EQ((uintptr_t)misuse_last()->page, (uintptr_t)page);
    CHECK_EQ((uintptr_t)misuse_last()->address & ~7ul,
             ((uintptr_t)stale + 100) & ~7ul);
    CHECK(site_is(0, freed));
}
#endif

TEST(misuse, allocation_for_no_domain)
{
    unsigned line = __LINE__ + 1;
    CHECK_MISUSE(alloc_page(NULL));
    CHECK(what_is("allocation for a domain that does not exist"));
    CHECK(site_is(0, line));
    struct domain *gone = domain_create("gone");
    CHECK(gone != NULL);
    CHECK_EQ(domain_destroy(gone), 0);
    CHECK_MISUSE(alloc_page(gone));
    CHECK(what_is("allocation for a domain that does not exist"));
}

// ---------------------------------------------------------------- Copy helpers

static bool range_reported(unsigned line)
{
    return what_is("copy helper: the range leaves the frame") &&
           site_is(0, line) && closed();
}

TEST(misuse, copy_helpers_stay_in_the_frame)
{
    static const size_t bad[][2] = {
        {PAGE_SIZE, 1}, // first what does little harm where it is let through
        {4000, 97},     {PAGE_SIZE + 1, 0}, {0, PAGE_SIZE + 1}, {1, PAGE_SIZE},
        {~0ul, 1},      {1, ~0ul},          {~0ul, ~0ul},       {8, -(size_t)8},
    };
    struct page *page = alloc_page(domain_ram), *other = alloc_page(domain_ram);
    char byte = 0;
    CHECK(page != NULL && other != NULL);
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        size_t offset = bad[i][0], length = bad[i][1];
        unsigned line = __LINE__;
        CHECK_MISUSE(memcpy_from_page(&byte, page, offset, length));
        CHECK(range_reported(line + 1));
        CHECK_MISUSE(memcpy_to_page(page, offset, &byte, length));
        CHECK(range_reported(line + 3));
        CHECK_MISUSE(memcpy_page(page, offset, other, 0, length));
        CHECK(range_reported(line + 5));
        CHECK_MISUSE(memcpy_page(page, 0, other, offset, length));
        CHECK(range_reported(line + 7));
        CHECK_MISUSE(memset_page(page, offset, 1, length));
        CHECK(range_reported(line + 9));
        CHECK_MISUSE(memzero_page(page, offset, length));
        CHECK(range_reported(line + 11));
    }
    // The whole frame, and nothing at its end, are inside.
    memset_page(page, 0, 1, PAGE_SIZE);
    memset_page(page, PAGE_SIZE, 1, 0);
    free_page(page);
    free_page(other);
}
