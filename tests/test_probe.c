// SPDX-License-Identifier: MIT
//
// probe_read() and probe_write(): what they copy, what they leave alone, and
// what they say.
#include "arch/cpu.h"
#include "arch/pks.h"
#include "kernel/symbols.h"
#include "keyhole.h"
#include "mm/domain.h"
#include "mm/keys.h"
#include "tests/alias.h"
#include "tests/engines.h"
#include "tests/handlers.h"

#define NON_CANONICAL 0x0000800000000000ull
#define LENGTH_MAX 17
#define MARGIN 8 // bytes on both sides of a copy that must stay as they are
#define CANARY 0xee

static unsigned char pattern(size_t i)
{
    return (unsigned char)(i * 7 + 1);
}

// Bytes [from, to) of the `size` at `at` hold the pattern of `first` and so
// on, all others the canary.
static bool only_copied(const unsigned char *at, size_t size, size_t from,
                        size_t to, size_t first)
{
    for (size_t i = 0; i < size; i++) {
        bool inside = i >= from && i < to;
        if (at[i] != (inside ? pattern(first + i - from) : CANARY)) {
            return false;
        }
    }
    return true;
}

TEST(probe, copies_exactly)
{
    unsigned char source[LENGTH_MAX + 8];
    unsigned char to[MARGIN + 8 + LENGTH_MAX + MARGIN];
    for (size_t i = 0; i < sizeof(source); i++) {
        source[i] = pattern(i);
    }
    for (size_t length = 0; length <= LENGTH_MAX; length++) {
        for (size_t offset = 0; offset < 64; offset++) {
            size_t in = offset % 8, out = MARGIN + offset / 8;
            struct fault fault = {.kind = FAULT_OTHER};
            memset(to, CANARY, sizeof(to));
            CHECK(probe_read(source + in, to + out, length, &fault));
            CHECK_EQ(fault.kind, FAULT_NONE);
            CHECK(only_copied(to, sizeof(to), out, out + length, in));
            memset(to, CANARY, sizeof(to));
            CHECK(probe_write(to + out, source + in, length, NULL));
            CHECK(only_copied(to, sizeof(to), out, out + length, in));
        }
    }
}

// --------------------------------------------------------- At a page's border

// One page of pattern or canary at TEST_REGION_BASE, and nothing behind it.
static struct {
    struct page *page;
    unsigned char *end; // the border
} border;

static bool border_make(void)
{
    border.page = alloc_page(domain_ram);
    if (border.page == NULL) {
        return false;
    }
    unsigned char *at = alias_map(TEST_REGION_BASE, border.page, 1, ALIAS_DATA);
    border.end = (unsigned char *)TEST_REGION_BASE + PAGE_SIZE;
    for (size_t i = 0; at != NULL && i < PAGE_SIZE; i++) {
        at[i] = pattern(i);
    }
    return at != NULL;
}

static void border_remove(void)
{
    alias_unmap(TEST_REGION_BASE, 1);
    if (border.page != NULL) {
        free_page(border.page);
    }
}

// A refused copy of `length` bytes of which `fit` are before the border: each
// byte before it is copied or not, all others are as they were.
static bool partly_copied(const unsigned char *at, size_t size, size_t fit,
                          size_t first)
{
    for (size_t i = 0; i < size; i++) {
        bool copied = i < fit && at[i] == pattern(first + i);
        if (!copied && at[i] != CANARY) {
            return false;
        }
    }
    return true;
}

static bool refused_at_border(const struct fault *fault,
                              enum fault_access access, uint32_t error)
{
    return fault->kind == FAULT_NOT_PRESENT && fault->access == access &&
           fault->address == (uintptr_t)border.end &&
           fault->error_code == error && fault->pkey == -1 &&
           fault->page == NULL;
}

static bool read_across(size_t length, size_t fit)
{
    unsigned char to[LENGTH_MAX + MARGIN];
    struct fault fault;
    memset(to, CANARY, sizeof(to));
    bool done = probe_read(border.end - fit, to, length, &fault);
    if (fit >= length) {
        return done && only_copied(to, sizeof(to), 0, length, PAGE_SIZE - fit);
    }
    return !done && refused_at_border(&fault, ACCESS_READ, 0) &&
           partly_copied(to, sizeof(to), fit, PAGE_SIZE - fit);
}

static bool write_across(size_t length, size_t fit)
{
    unsigned char source[LENGTH_MAX];
    struct fault fault;
    unsigned char *at = border.end - fit;
    for (size_t i = 0; i < sizeof(source); i++) {
        source[i] = pattern(i);
    }
    memset(border.end - LENGTH_MAX - MARGIN, CANARY, LENGTH_MAX + MARGIN);
    bool done = probe_write(at, source, length, &fault);
    if (fit >= length) {
        return done && only_copied(at - MARGIN, MARGIN + fit, MARGIN,
                                   MARGIN + length, 0);
    }
    return !done && refused_at_border(&fault, ACCESS_WRITE, PF_WRITE) &&
           only_copied(at - MARGIN, MARGIN, 0, 0, 0) &&
           partly_copied(at, fit, fit, 0);
}

// Every length at every distance from the border, until one is wrong.
static void borders_check(bool (*across)(size_t, size_t), const char *name)
{
    for (size_t length = 0; length <= LENGTH_MAX; length++) {
        for (size_t fit = 0; fit <= LENGTH_MAX; fit++) {
            if (!across(length, fit)) {
                test_fail(__FILE__, __LINE__,
                          "%s of %zu bytes, %zu of them before the border",
                          name, length, fit);
                return;
            }
        }
    }
}

TEST(probe, stops_at_the_border)
{
    bool made = border_make();
    if (made) {
        borders_check(read_across, "read");
        borders_check(write_across, "write");
    }
    border_remove();
    CHECK(made);
}

// ------------------------------------------------------------------- Refusals

TEST(probe, closed_frame)
{
    NEEDS_REFUSALS();
    struct page *page = alloc_page(domain_ram);
    CHECK(page != NULL);
    char *at = (char *)page_direct_map_address(page) + 40;
    struct fault fault;
    uint64_t value = 0x1122334455667788;
    CHECK(!probe_read(at, &value, sizeof(value), &fault));
    CHECK_EQ(value, 0x1122334455667788);
    CHECK(is_refusal(&fault, ACCESS_READ, at, page));
    CHECK_EQ(fault.cpu, cpu_id());
    const char *name = symbol_find(fault.ip, NULL);
    CHECK(name != NULL && strcmp(name, "probe_copy") == 0);

    CHECK(!probe_write(at, &value, sizeof(value), &fault));
    CHECK(is_refusal(&fault, ACCESS_WRITE, at, page));
    CHECK(rights_are(PKRS_CLOSED));

    // With the rights of its caller, it goes through.
    at = (char *)kmap_local_page(page) + 40;
    bool written = probe_write(at, &value, sizeof(value), &fault);
    uint64_t seen = *(volatile uint64_t *)at;
    kunmap_local(at - 40);
    CHECK(written);
    CHECK_EQ(fault.kind, FAULT_NONE);
    CHECK_EQ(seen, value);
    free_page(page);
}

TEST(probe, other_side_is_refused_too)
{
    NEEDS_REFUSALS();
    struct page *page = alloc_page(domain_ram);
    CHECK(page != NULL);
    char *closed = page_direct_map_address(page), open[8] = {0};
    struct fault fault;
    CHECK(!probe_read(open, closed, sizeof(open), &fault));
    CHECK_EQ(fault.access, ACCESS_WRITE);
    CHECK_EQ(fault.address, (uintptr_t)closed);
    CHECK(!probe_write(open, closed, sizeof(open), &fault));
    CHECK_EQ(fault.access, ACCESS_READ);
    CHECK_EQ(fault.address, (uintptr_t)closed);
    free_page(page);
}

TEST(probe, non_canonical)
{
    char buffer[LENGTH_MAX] = {0};
    for (size_t length = 1; length <= sizeof(buffer); length++) {
        struct fault fault;
        CHECK(!probe_read((void *)NON_CANONICAL, buffer, length, &fault));
        CHECK_EQ(fault.kind, FAULT_GP);
        CHECK_EQ(fault.access, ACCESS_READ);
        CHECK_EQ(fault.address, 0);
        CHECK_EQ(fault.error_code, 0);
        CHECK_EQ(fault.pkey, -1);
        CHECK(!probe_write((void *)NON_CANONICAL, buffer, length, &fault));
        CHECK_EQ(fault.kind, FAULT_GP);
        CHECK_EQ(fault.access, ACCESS_WRITE);
        CHECK_EQ(fault.address, 0);
    }
}

TEST(probe, length_0_touches_nothing)
{
    struct fault fault = {.kind = FAULT_OTHER};
    char byte = 1;
    CHECK(probe_read(NULL, &byte, 0, &fault));
    CHECK_EQ(fault.kind, FAULT_NONE);
    CHECK(probe_write((void *)NON_CANONICAL, NULL, 0, &fault));
    CHECK_EQ(byte, 1);
}

TEST(probe, fault_may_be_null)
{
    char byte;
    CHECK(!probe_read(NULL, &byte, 1, NULL));
    CHECK(!probe_write(NULL, &byte, 1, NULL));
    CHECK(!probe_read((void *)NON_CANONICAL, &byte, 1, NULL));
    CHECK(probe_read(&byte, &byte, 1, NULL));
}

// The handler starts with every key closed and cannot write there itself.
TEST(probe, fault_may_lie_in_an_open_frame)
{
    struct page *page = alloc_page(domain_ram);
    CHECK(page != NULL);
    struct fault *fault = kmap_local_page(page);
    char byte;
    bool done = probe_read(NULL, &byte, 1, fault);
    enum fault_kind kind = fault->kind;
    fault->kind = FAULT_OTHER;
    bool again = probe_read(&byte, fault + 1, 1, fault);
    enum fault_kind kind_again = fault->kind;
    kunmap_local(fault);
    free_page(page);
    CHECK(!done);
    CHECK_EQ(kind, FAULT_NOT_PRESENT);
    CHECK(again);
    CHECK_EQ(kind_again, FAULT_NONE);
}

BENCH(probe, read_allowed)
{
    static uint64_t word, copy;
    BENCH_LOOP (n) {
        (void)probe_read(&word, &copy, sizeof(copy), NULL);
    }
}

BENCH(probe, read_refused)
{
    static uint64_t copy;
    struct page *page = alloc_page(domain_ram);
    const void *closed = page_direct_map_address(page);
    BENCH_LOOP (n) {
        (void)probe_read(closed, &copy, sizeof(copy), NULL);
    }
    free_page(page);
}

BENCH(probe, read_refused_in_bracket)
{
    static uint64_t copy;
    struct page *page = alloc_page(domain_ram);
    const void *open = kmap_local_page_ro(page);
    BENCH_LOOP (n) {
        (void)probe_read((const void *)8, &copy, sizeof(copy), NULL);
    }
    kunmap_local(open);
    free_page(page);
}
