// SPDX-License-Identifier: MIT
//
// The helpers that bracket for their callers: exactly the bytes that were asked
// for, with no more rights than that takes, and closed again.
#include "arch/pks.h"
#include "keyhole.h"
#include "mm/bracket.h"
#include "tests/engines.h"
#include "tests/handlers.h"
#include "tests/scratch.h"

#define AT 100
#define LENGTH 50

static struct page *page, *other;
SCRATCH_ARRAY(unsigned char, bytes, PAGE_SIZE, 0);

static bool frames_get(void)
{
    page = alloc_page(domain_ram);
    other = alloc_page(domain_ram);
    if (page == NULL || other == NULL) {
        return false;
    }
    memset_page(page, 0, 1, PAGE_SIZE);
    memset_page(other, 0, 2, PAGE_SIZE);
    return true;
}

static void frames_put(void)
{
    free_page(page);
    free_page(other);
}

// Bytes from `at` on are `inside`, all others of the frame `outside`.
static bool frame_is(const struct page *frame, size_t at, size_t length,
                     unsigned char inside, unsigned char outside)
{
    const unsigned char *p = kmap_local_page_ro((struct page *)frame);
    bool same = true;
    for (size_t i = 0; i < PAGE_SIZE; i++) {
        same = same && p[i] == (i - at < length ? inside : outside);
    }
    kunmap_local(p);
    return same;
}

TEST(copy, exactly_these_bytes)
{
    CHECK(frames_get());
    memset(bytes, 9, PAGE_SIZE);
    memcpy_to_page(page, AT, bytes, LENGTH);
    CHECK(frame_is(page, AT, LENGTH, 9, 1));
    memcpy_page(other, 2 * AT, page, AT, LENGTH);
    CHECK(frame_is(other, 2 * AT, LENGTH, 9, 2));
    memset_page(page, AT, 3, LENGTH);
    CHECK(frame_is(page, AT, LENGTH, 3, 1));
    memzero_page(page, AT, LENGTH);
    CHECK(frame_is(page, AT, LENGTH, 0, 1));
    memset(bytes, 9, PAGE_SIZE);
    memcpy_from_page(bytes + 1, page, AT - 1, 3);
    CHECK_EQ(memcmp(bytes, "\x09\x01\x00\x00\x09", 5), 0);
    CHECK(rights_are(PKRS_CLOSED));
    CHECK_EQ(brackets_depth(), 0);
    frames_put();
}

// In one frame, where the ranges overlap, both ways.
TEST(copy, inside_a_frame)
{
    CHECK(frames_get());
    static const unsigned lengths[] = {12, 200};
    for (unsigned i = 0; i < 256; i++) {
        bytes[i] = (unsigned char)i;
    }
    for (unsigned i = 0; i < 2; i++) {
        unsigned char *back = bytes + 256;
        memcpy_to_page(page, 0, bytes, 256);
        memcpy_page(page, 4, page, 0, lengths[i]);
        memcpy_from_page(back, page, 4, lengths[i]);
        CHECK_EQ(memcmp(back, bytes, lengths[i]), 0);
        memcpy_to_page(page, 0, bytes, 256);
        memcpy_page(page, 0, page, 4, lengths[i]);
        memcpy_from_page(back, page, 0, lengths[i]);
        CHECK_EQ(memcmp(back, bytes + 4, lengths[i]), 0);
    }
    frames_put();
}

static void read_into(void *closed)
{
    memcpy_from_page(closed, page, 0, 8);
}

static void write_from(void *closed)
{
    memcpy_to_page(page, 0, closed, 8);
}

// The caller's memory is touched with the caller's rights and those of the
// bracket, and the bracket of a read does not write.
TEST(copy, no_more_rights_than_needed)
{
    NEEDS_REFUSALS();
    CHECK(frames_get());
    struct fault fault;
    void *closed = page_direct_map_address(other);
    CHECK(!run_protected(read_into, closed, &fault));
    CHECK_EQ(fault.kind, test_engine()->closed);
    CHECK_EQ(fault.access, ACCESS_WRITE);
    CHECK_EQ(fault.address & ~7ul, (uintptr_t)closed);
    CHECK(frame_is(other, 0, 0, 0, 2));
    CHECK(rights_are(PKRS_CLOSED));
    // A write opens the domain for reading too, where that is the grain.
    bool opens = test_engine()->grain == GRAIN_DOMAIN;
    CHECK_EQ(run_protected(write_from, closed, &fault), opens);
    CHECK(frame_is(page, 0, 8, opens ? 2 : 1, 1));
    CHECK(rights_are(PKRS_CLOSED));
    frames_put();
}
