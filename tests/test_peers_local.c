// SPDX-License-Identifier: MIT
//
// What Linux's mermap tests and the rules of its kmap_local_page() assert,
// against our local brackets: every mapping shows its own frame, its
// neighbours are out of reach, a full window refuses and changes nothing, and
// the exact number of invalidations. docs/reference/peers.md has the list.
#include "arch/pks.h"
#include "kernel/misuse.h"
#include "mm/domain.h"
#include "mm/local_window.h"
#include "tests/engines.h"
#include "tests/handlers.h"
#include "tests/scratch.h"

#define MAGIC 0xe4a40000
#define NESTED 32 // brackets that one thread may have

SCRATCH_ARRAY(struct page *, frames, LOCAL_WINDOW_FRAMES, 3 * PAGE_SIZE);

static bool frames_take(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        frames[i] = alloc_page(domain_ram);
        if (frames[i] == NULL) {
            return false;
        }
        uint32_t value = MAGIC + i;
        memcpy_to_page(frames[i], 0, &value, sizeof(value));
    }
    return true;
}

static void frames_give(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        free_page(frames[i]);
    }
}

static bool reaches(const void *address)
{
    return probe_read(address, &(char){0}, 1, NULL);
}

// `count` frames from frames[first] on, at one address; each says which it is.
static bool shows_frames(const char *p, unsigned first, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (*(const uint32_t *)(p + i * PAGE_SIZE) != MAGIC + first + i) {
            return false;
        }
    }
    return true;
}

// ------------------------------------------------------------ Many, and guards

// Several at once: each at an address of its own, with its own frame, and an
// unmapped page before and behind it. Linux has such guards in debug builds.
TEST(peers_local, many_with_guards_between)
{
    const char *p[NESTED];
    CHECK(frames_take(2 * NESTED));
    for (unsigned i = 0; i < NESTED; i++) {
        unsigned count = 1 + i % 2;
        p[i] = i % 3 == 0 ? kmap_local_pages_ro(frames + 2 * i, count)
                          : kmap_local_pages(frames + 2 * i, count);
        for (unsigned k = 0; k <= i; k++) {
            count = 1 + k % 2;
            CHECK(shows_frames(p[k], 2 * k, count));
            CHECK(!reaches(p[k] + count * PAGE_SIZE));
            CHECK(k == 0 || !reaches(p[k] - 1));
        }
    }
    for (unsigned i = NESTED; i-- > 0;) {
        kunmap_local(p[i]);
        CHECK(!reaches(p[i]) && !reaches(p[i] + i % 2 * PAGE_SIZE));
        CHECK(i == 0 || shows_frames(p[i - 1], 2 * (i - 1), 1 + (i - 1) % 2));
    }
    CHECK(rights_are(PKRS_CLOSED));
    frames_give(2 * NESTED);
}

// A run off the end of one frame does not get into the next bracket's.
static void run_off(void *start)
{
    volatile char *p = start;
    for (size_t i = 0;; i++) {
        p[i] = 'x';
    }
}

TEST(peers_local, guards_stop_a_run)
{
    CHECK(frames_take(2));
    struct fault fault;
    char *p = kmap_local_pages(frames, 1);
    char *q = kmap_local_pages(frames + 1, 1);
    CHECK(q > p);
    CHECK(!run_protected(run_off, p, &fault));
    CHECK_EQ(fault.kind, FAULT_NOT_PRESENT);
    CHECK_EQ(fault.access, ACCESS_WRITE);
    CHECK_EQ(fault.error_code, 0x2);
    CHECK_EQ(fault.address, (uintptr_t)p + PAGE_SIZE);
    CHECK_EQ(p[PAGE_SIZE - 1], 'x');
    CHECK(shows_frames(q, 1, 1));
    kunmap_local(q);
    kunmap_local(p);
    frames_give(2);
}

// ------------------------------------------------------------------------ Size

// In a handler, while the thread has as many frames open as it may.
static void handler_has_room(void *unused)
{
    (void)unused;
    const char *p = kmap_local_page(frames[0]);
    HANDLER_CHECK(shows_frames(p, 0, 1));
    const char *q = kmap_local_pages_ro(frames, 256);
    HANDLER_CHECK(shows_frames(q, 0, 256));
    kunmap_local(q);
    kunmap_local(p);
}

static __noinline const char *map_where_more_fits(size_t count)
{
    return engine_window_room() < count ? NULL
                                        : kmap_local_pages_ro(frames, count);
}

// The whole window at once, one frame too many, up to the edge in two steps;
// what is refused takes nothing away, and handlers have room even then.
TEST(peers_local, sizes_up_to_the_edge)
{
    enum { ALL = LOCAL_WINDOW_FRAMES };
    CHECK(frames_take(ALL));
    const char *p = kmap_local_pages(frames, ALL);
    CHECK(shows_frames(p, 0, ALL));
    CHECK(!reaches(p + ALL * PAGE_SIZE));
    kunmap_local(p);
    CHECK_MISUSE(kmap_local_pages(frames, ALL + 1));

    p = kmap_local_pages(frames, ALL - 1);
    const char *q = kmap_local_pages(frames + ALL - 1, 1);
    CHECK_MISUSE(kmap_local_pages_ro(frames, ALL + 1));
    const char *const r = map_where_more_fits(ALL);
    CHECK_MISUSE(kmap_local_pages_ro(frames, ALL)); // more than the window has
    CHECK_EQ(strcmp(misuse_last()->what,
                    "too many scattered frames in open brackets"),
             0);
    CHECK(shows_frames(p, 0, ALL - 1) && shows_frames(q, ALL - 1, 1));
    cpu_call(cpu_id(), handler_has_room, NULL);
    cpu_nmi(cpu_id(), handler_has_room, NULL);
    CHECK(handlers_passed());
    // A frame of an open domain needs no room.
    kunmap_local(kmap_local_page(frames[0]));
    CHECK(shows_frames(p, 0, ALL - 1) && shows_frames(q, ALL - 1, 1));
    if (r != NULL) {
        CHECK(shows_frames(r, 0, ALL));
        kunmap_local(r);
    }
    kunmap_local(q);
    kunmap_local(p);
    CHECK(!reaches(p) && !reaches(q));
    frames_give(ALL);
}

// --------------------------------------------------------------------- Flushes

#define ROUNDS 1000

struct flushes {
    uint64_t invlpg, full, ipis, pte_writes;
};

static void flushes_since(const struct map_stats *before,
                          struct flushes *flushes)
{
    struct map_stats now;
    map_stats_read(&now);
    *flushes = (struct flushes){now.invlpg - before->invlpg,
                                now.full_flushes - before->full_flushes,
                                now.shootdown_ipis - before->shootdown_ipis,
                                now.pte_writes - before->pte_writes};
}

// Frames of a domain that has a key: none, however often. Where mermap needs
// one whenever its region wraps, there is nothing here that could wrap.
TEST(peers_local, no_flush_behind_a_key)
{
    NEEDS_PKS();
    struct page *block = alloc_pages(domain_ram, 2);
    CHECK(block != NULL);
    struct map_stats before;
    struct flushes done;
    const void *first = kmap_local_page(block);
    kunmap_local(first);
    map_stats_read(&before);
    for (unsigned i = 0; i < ROUNDS; i++) {
        const void *p = kmap_local_page(block);
        CHECK_EQ((uintptr_t)p, (uintptr_t)first);
        kunmap_local(kmap_local_range_ro(block, 100, 3 * PAGE_SIZE));
        kunmap_local(p);
    }
    flushes_since(&before, &done);
    CHECK_EQ(done.invlpg + done.full + done.ipis + done.pte_writes, 0);
    free_pages(block, 2);
}

// Scattered frames: one page each when they close, on this CPU alone, and the
// address is as good as new at once.
TEST(peers_local, one_flush_for_each_frame_of_a_window)
{
    CHECK(frames_take(8));
    struct map_stats before;
    struct flushes done;
    for (unsigned count = 1; count <= 8; count++) {
        const char *first = kmap_local_pages(frames, count);
        kunmap_local(first);
        map_stats_read(&before);
        for (unsigned i = 0; i < 20; i++) {
            unsigned from = i % (8 - count + 1);
            const char *p = kmap_local_pages(frames + from, count);
            CHECK_EQ(p, first);
            CHECK(shows_frames(p, from, count));
            kunmap_local(p);
        }
        flushes_since(&before, &done);
        CHECK_EQ(done.invlpg, 20 * count);
        CHECK_EQ(done.pte_writes, 2 * 20 * count);
        CHECK_EQ(done.full + done.ipis, 0);
    }
    frames_give(8);
}

// kmap(): the last kunmap() of a frame flushes it, those before do not.
TEST(peers_local, kmap_flushes_at_the_last)
{
    CHECK(frames_take(1));
    struct map_stats before;
    struct flushes done;
    const char *p = kmap(frames[0]);
    map_stats_read(&before);
    for (unsigned i = 0; i < 20; i++) {
        CHECK_EQ(kmap(frames[0]), p);
    }
    for (unsigned i = 0; i < 20; i++) {
        kunmap(frames[0]);
        CHECK(shows_frames(p, 0, 1));
    }
    flushes_since(&before, &done);
    CHECK_EQ(done.invlpg + done.full + done.pte_writes, 0);
    kunmap(frames[0]);
    flushes_since(&before, &done);
    CHECK_EQ(done.invlpg, 1);
    CHECK_EQ(done.full, 0);
    CHECK(!reaches(p));
    frames_give(1);
}

// ------------------------------------------------------------------ Copy
// helpers

typedef unsigned char page_bytes[PAGE_SIZE];
SCRATCH_ARRAY(page_bytes, mirror, 2, 0);
SCRATCH_ARRAY(unsigned char, bytes, PAGE_SIZE, 2 * PAGE_SIZE);

static bool mirrors_agree(struct page *const pages[2])
{
    for (unsigned i = 0; i < 2; i++) {
        memcpy_from_page(bytes, pages[i], 0, PAGE_SIZE);
        if (memcmp(bytes, mirror[i], PAGE_SIZE) != 0) {
            return false;
        }
    }
    return true;
}

// Every helper at random places, between two domains and inside one frame,
// where source and target may overlap, against plain arrays.
TEST(peers_local, copy_helpers_at_random)
{
    struct domain *other = domain_create("other");
    CHECK(other != NULL);
    struct page *pages[2] = {alloc_page(domain_ram), alloc_page(other)};
    CHECK(pages[0] != NULL && pages[1] != NULL);
    uint64_t state = test_seed() | 1;
    memset(mirror, 0, 2 * sizeof(*mirror));
    for (unsigned step = 0; step < 500; step++) {
        state = state * 6364136223846793005 + 1442695040888963407;
        unsigned kind = state >> 60 & 3, to = state >> 59 & 1;
        unsigned from = state >> 58 & 1;
        size_t at = state >> 40 & 4095, source = state >> 28 & 4095;
        size_t length = (state >> 16 & 4095) % (PAGE_SIZE - MAX(at, source));
        switch (kind) {
        case 0:
            memset(bytes, (int)step, length);
            memcpy_to_page(pages[to], at, bytes, length);
            memcpy(mirror[to] + at, bytes, length);
            break;
        case 1:
            memset_page(pages[to], at, (int)(step | 1), length / 4);
            memset(mirror[to] + at, (int)(step | 1), length / 4);
            break;
        case 2:
            memzero_page(pages[to], at, length / 8);
            memset(mirror[to] + at, 0, length / 8);
            break;
        default:
            memcpy_page(pages[to], at, pages[from], source, length);
            memmove(mirror[to] + at, mirror[from] + source, length);
            break;
        }
        CHECK(step % 16 != 0 || mirrors_agree(pages));
    }
    CHECK(mirrors_agree(pages));
    CHECK(rights_are(PKRS_CLOSED));
    free_page(pages[0]);
    free_page(pages[1]);
    CHECK_EQ(domain_destroy(other), 0);
}
