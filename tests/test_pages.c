// SPDX-License-Identifier: MIT
//
// Local brackets on scattered frames: one contiguous address in the thread's
// window.
#include "arch/pks.h"
#include "kernel/misuse.h"
#include "tests/engines.h"
#include "tests/handlers.h"
#include "tests/scratch.h"

#define BLOCK_FRAMES 4 // a Btrfs metadata block of 16 KiB

SCRATCH_ARRAY(struct page *, frames, 512, 0);

// `count` frames of a domain, no two of them side by side where possible.
static bool frames_take(struct domain *domain, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        frames[i] = alloc_page(domain);
        if (frames[i] == NULL) {
            return false;
        }
    }
    for (size_t i = 0; i + 1 < count; i += 2) {
        struct page *page = frames[i];
        frames[i] = frames[count - 1 - i];
        frames[count - 1 - i] = page;
    }
    return true;
}

static void frames_give(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free_page(frames[i]);
    }
}

TEST(pages, metadata_block)
{
    CHECK(frames_take(domain_ram, BLOCK_FRAMES));
    unsigned char *p = kmap_local_pages(frames, BLOCK_FRAMES);
    for (size_t i = 0; i < BLOCK_FRAMES * PAGE_SIZE; i++) {
        p[i] = (unsigned char)(i * 13);
    }
    // Across a page border, and in the frames themselves.
    uint64_t border, inside;
    memcpy(&border, p + PAGE_SIZE - 4, 8);
    memcpy_from_page(&inside, frames[2], 8, 8);
    CHECK_EQ(memcmp(&border, p + PAGE_SIZE - 4, 8), 0);
    CHECK_EQ(memcmp(&inside, p + 2 * PAGE_SIZE + 8, 8), 0);
    CHECK_FAULT(FAULT_NOT_PRESENT, ACCESS_READ,
                (void)*(volatile char *)(p + BLOCK_FRAMES * PAGE_SIZE));
    CHECK_FAULT(FAULT_NO_EXECUTE, ACCESS_EXECUTE, ((void (*)(void))p)());
    kunmap_local(p);
    CHECK(rights_are(PKRS_CLOSED)); // before a fault that is caught closes all
    CHECK_FAULT(FAULT_NOT_PRESENT, ACCESS_READ, (void)*(volatile char *)p);
    volatile char *direct = page_direct_map_address(frames[1]);
    CHECK_REFUSED(ACCESS_READ, (void)*direct);

    const unsigned char *q = kmap_local_pages_ro(frames, BLOCK_FRAMES);
    CHECK_EQ(q[3 * PAGE_SIZE + 1], (unsigned char)((3 * PAGE_SIZE + 1) * 13));
    struct fault fault;
    CHECK(!probe_write((void *)(q + PAGE_SIZE), &border, 1, &fault));
    CHECK(fault.kind == FAULT_WRITE_PROTECT ||
          fault.kind == test_engine()->read_only);
    kunmap_local(q);
    frames_give(BLOCK_FRAMES);
}

// A read-only window refuses writes even while its domain is open for them.
TEST(pages, read_only_whatever_is_open)
{
    CHECK(frames_take(domain_ram, 2));
    volatile char *direct = kmap_local_page(frames[0]);
    volatile char *p = (volatile char *)kmap_local_pages_ro(frames, 2);
    direct[3] = 9;
    CHECK_EQ(p[3], 9);
    CHECK_FAULT(FAULT_WRITE_PROTECT, ACCESS_WRITE, p[3] = 10);
    kunmap_local((const void *)p);
    direct[3] = 11;
    kunmap_local((const void *)direct);
    frames_give(2);
}

TEST(pages, nest_and_repeat)
{
    CHECK(frames_take(domain_ram, 3));
    struct page *twice[] = {frames[0], frames[1], frames[0]};
    volatile char *p = kmap_local_pages(twice, 3);
    p[0] = 1;
    CHECK_EQ(p[2 * PAGE_SIZE], 1);
    volatile char *q = kmap_local_pages(frames, 3);
    CHECK(q != p);
    q[2 * PAGE_SIZE] = 5;
    CHECK_EQ(q[0], 1);
    CHECK_MISUSE(kunmap_local((const void *)p));
    CHECK_MISUSE(free_page(frames[2]));
    kunmap_local((const void *)q);
    CHECK_EQ(p[PAGE_SIZE], 0);
    kunmap_local((const void *)p);
    frames_give(3);
}

TEST(pages, all_512)
{
    CHECK(frames_take(domain_ram, 512));
    volatile char *p = kmap_local_pages(frames, 512);
    for (unsigned i = 0; i < 512; i++) {
        p[i * PAGE_SIZE] = (char)i;
    }
    kunmap_local((const void *)p);
    CHECK_MISUSE(kmap_local_pages(frames, 513));
    // As many brackets as nest, sixteen frames in each.
    const volatile char *nested[32];
    for (unsigned i = 0; i < 32; i++) {
        nested[i] = kmap_local_pages_ro(frames + 16 * i, 16);
        CHECK_EQ(*nested[i], (char)(16 * i));
    }
    for (unsigned i = 32; i-- > 0;) {
        kunmap_local((const void *)nested[i]);
    }
    frames_give(512);
}

TEST(pages, misuse)
{
    struct domain *other = domain_create("other");
    CHECK(frames_take(domain_ram, 2) && other != NULL);
    struct page *mixed[] = {frames[0], alloc_page(other)};
    CHECK(mixed[1] != NULL);
    CHECK_MISUSE(kmap_local_pages(mixed, 2));
    CHECK_EQ(strcmp(misuse_last()->what, "map of frames of several domains"),
             0);
    CHECK_MISUSE(kmap_local_pages(frames, 0));
    free_page(mixed[1]);
    CHECK_MISUSE(kmap_local_pages_ro(mixed, 2));
    CHECK_EQ(domain_destroy(other), 0);
    const void *p = kmap_local_pages(frames, 2);
    kunmap_local(p);
    CHECK_MISUSE(kunmap_local(p));
    CHECK_EQ(strcmp(misuse_last()->site[1].what, "unmapped before"), 0);
    frames_give(2);
}

static void open_and_fault(void *unused)
{
    (void)unused;
    (void)kmap_local_page_ro(frames[1]);
    volatile char *p = kmap_local_pages(frames, 2);
    p[2 * PAGE_SIZE] = 1; // behind the end
}

// Code that is abandoned leaves no window open.
TEST(pages, closed_for_the_abandoned)
{
    CHECK(frames_take(domain_ram, 2));
    struct fault fault;
    CHECK(!run_protected(open_and_fault, NULL, &fault));
    CHECK_EQ(fault.kind, FAULT_NOT_PRESENT);
    char byte;
    CHECK(!probe_read((char *)fault.address - PAGE_SIZE, &byte, 1, NULL));
    volatile char *p = kmap_local_pages(frames, 2);
    CHECK_EQ((uintptr_t)p, fault.address - 2 * PAGE_SIZE); // the same room
    kunmap_local((const void *)p);
    frames_give(2);
}

static volatile char *list_area; // two pages and a guard page

static void map_a_list_that_ends_in_a_guard_page(void *unused)
{
    (void)unused;
    char *end = (char *)list_area + PAGE_SIZE;
    (void)kmap_local_pages((struct page *const *)(end - 2 * sizeof(void *)), 3);
}

// The list is read while the window is filled. What was mapped before the fault
// is not left behind for the next bracket.
TEST(pages, a_list_that_cannot_be_read)
{
    CHECK(frames_take(domain_ram, 3));
    list_area = vmap(&frames[2], 1, MAP_READ | MAP_WRITE);
    CHECK(list_area != NULL);
    struct page **end = (struct page **)(list_area + PAGE_SIZE);
    end[-2] = frames[0];
    end[-1] = frames[1];
    struct fault fault;
    CHECK(!run_protected(map_a_list_that_ends_in_a_guard_page, NULL, &fault));
    CHECK(rights_are(PKRS_CLOSED));
    CHECK_EQ(fault.kind, FAULT_NOT_PRESENT);
    CHECK_EQ(fault.access, ACCESS_READ);
    CHECK_EQ(fault.address, (uintptr_t)end);
    volatile char *p = kmap_local_pages(frames, 1);
    *p = 1;
    CHECK_FAULT(FAULT_NOT_PRESENT, ACCESS_READ, (void)p[PAGE_SIZE]);
    kunmap_local((const void *)p);
    vunmap((const void *)list_area);
    frames_give(3);
}

// A frame that does not belong is found after others were mapped.
TEST(pages, a_list_that_ends_badly)
{
    CHECK(frames_take(domain_ram, 3));
    struct page *list[] = {frames[0], frames[1], frames[2]};
    volatile char *p = kmap_local_pages(frames, 1);
    uint32_t rights = pks_rights();
    free_page(frames[2]);
    CHECK(rights_are(rights)); // the window was looked at, and closed again
    CHECK_MISUSE(kmap_local_pages(list, 3));
    CHECK_EQ(strcmp(misuse_last()->what, "map of a frame that was freed"), 0);
    CHECK_EQ((uintptr_t)misuse_last()->page, (uintptr_t)list[2]);
    bool refused = true;
    for (unsigned i = 1; i < 4; i++) {
        char byte;
        const void *behind = (const void *)(p + i * PAGE_SIZE);
        refused = refused && !probe_read(behind, &byte, 1, NULL);
    }
    CHECK(refused);
    *p = 1;
    kunmap_local((const void *)p);
    frames_give(2);
}

TEST(pages, event_counts)
{
    CHECK(frames_take(domain_ram, 4));
    struct map_stats before, after;
    map_stats_read(&before);
    kunmap_local(kmap_local_pages(frames, 4));
    map_stats_read(&after);
    CHECK_EQ(after.brackets - before.brackets, 1);
    CHECK_EQ(after.nested - before.nested, 0);
    CHECK_EQ(after.pte_writes - before.pte_writes, 8);
    CHECK_EQ(after.invlpg - before.invlpg, 4);
    CHECK_EQ(after.pkrs_writes - before.pkrs_writes,
             2 * test_engine()->pair.pkrs_writes);
    CHECK_EQ(after.full_flushes, before.full_flushes);
    frames_give(4);
}

BENCH(pages, metadata_block_pair)
{
    if (frames_take(domain_ram, 4)) {
        BENCH_LOOP (n) {
            kunmap_local(kmap_local_pages(frames, 4));
        }
        frames_give(4);
    }
}
