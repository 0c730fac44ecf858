// SPDX-License-Identifier: MIT
//
// Frames and domains: what is allocated, what becomes of it when it is freed,
// and that nothing is lost on the way.
#include "arch/pks.h"
#include "keyhole.h"
#include "lib/string.h"
#include "mm/domain.h"
#include "mm/frames.h"
#include "mm/keys.h"
#include "mm/layout.h"
#include "mm/memory.h"
#include "tests/alias.h"
#include "tests/engines.h"
#include "tests/framework.h"
#include "tests/scratch.h"

#define POISON_WORD (FRAME_POISON * 0x0101010101010101ull)

// Whether every word of a block is `value`; inside brackets of its own.
static bool block_is(struct page *block, unsigned order, uint64_t value)
{
    for (unsigned i = 0; i < 1u << order; i++) {
        const uint64_t *word = kmap_local_page_ro(block + i);
        bool same = true;
        for (unsigned j = 0; same && j < PAGE_SIZE / sizeof(*word); j++) {
            same = word[j] == value;
        }
        kunmap_local(word);
        if (!same) {
            return false;
        }
    }
    return true;
}

TEST(frames, orders_0_to_10)
{
    for (unsigned order = 0; order <= 10; order++) {
        struct page *block = alloc_pages(domain_ram, order);
        if (block == NULL) {
            CHECK(order == 10); // the smallest machines may have none
            continue;
        }
        CHECK_EQ(page_to_phys(block) & ((PAGE_SIZE << order) - 1), 0);
        CHECK(block_is(block, order, 0));
        for (unsigned i = 0; i < 1u << order; i += 97) {
            CHECK_EQ((uintptr_t)page_domain(block + i), (uintptr_t)domain_ram);
        }
        memset_page(block, 0, 0x11, PAGE_SIZE);
        memset_page(block + (1u << order) - 1, 0, 0x22, PAGE_SIZE);
        free_pages(block, order);
        CHECK(page_domain(block) == NULL);
        block = alloc_pages(domain_ram, order);
        CHECK(block != NULL);
        CHECK(block_is(block, order, 0)); // again, whatever was there
        free_pages(block, order);
    }
    CHECK(alloc_pages(domain_ram, 11) == NULL);
    CHECK(alloc_pages(domain_ram, ~0u) == NULL);
}

TEST(frames, poisoned_when_freed)
{
    struct page *page = alloc_page(domain_ram);
    CHECK(page != NULL);
    free_page(page);
    const volatile uint64_t *word = page_direct_map_address(page);
    CHECK_REFUSED(ACCESS_READ, (void)*word);
    // By hand: no bracket can be had on a free frame.
    unsigned same = 0;
    word = alias_map(TEST_REGION_BASE, page, 1, PTE_XD);
    CHECK(word != NULL);
    while (same < PAGE_SIZE / sizeof(*word) && word[same] == POISON_WORD) {
        same++;
    }
    alias_unmap(TEST_REGION_BASE, 1);
    CHECK_EQ(same, PAGE_SIZE / sizeof(*word));
}

TEST(frames, physical_addresses)
{
    struct page *block = alloc_pages(domain_ram, 3);
    CHECK(block != NULL);
    for (unsigned i = 0; i < 8; i++) {
        phys_addr_t at = page_to_phys(block + i);
        CHECK_EQ(at, page_to_phys(block) + i * PAGE_SIZE);
        CHECK_EQ((uintptr_t)phys_to_page(at), (uintptr_t)(block + i));
        CHECK_EQ((uintptr_t)phys_to_page(at + PAGE_SIZE - 1),
                 (uintptr_t)(block + i));
        CHECK_EQ((uintptr_t)page_direct_map_address(block + i),
                 DIRECT_MAP_BASE + at);
    }
    free_pages(block, 3);
}

TEST(frames, holes_have_no_page)
{
    CHECK(phys_to_page(0xb8000) == NULL);    // VGA memory
    CHECK(phys_to_page(0xf0000) == NULL);    // the BIOS, which maps name
    CHECK(phys_to_page(0xfffff000) == NULL); // and where it comes from
    CHECK(phys_to_page(0xfee00000) == NULL); // local APIC
    CHECK(phys_to_page(BIT(51)) == NULL);
    CHECK(phys_to_page(BIT(52)) == NULL);
    CHECK(phys_to_page(~0ull) == NULL);
}

TEST(frames, the_kernels_own_have_no_domain)
{
    static char data;
    struct page *page = phys_to_page((uintptr_t)&data - KERNEL_BASE);
    CHECK(page != NULL);
    CHECK(page_domain(page) == NULL);
}

// -------------------------------------------------- Everything, and back again

// Each block held: its frame's number, and in the lowest four bits its order.
#define BLOCKS_MAX 4096
#define BYTES_MAX MIB(32) // more takes too long on an emulator

SCRATCH_ARRAY(uint64_t, held_blocks, BLOCKS_MAX, 0);
static struct {
    unsigned count;
    uint64_t bytes;
} held;

static uint64_t random_next(uint64_t *state)
{
    // xorshift64 (Marsaglia 2003)
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static bool hold(struct domain *domain, unsigned order)
{
    if (held.count == BLOCKS_MAX || held.bytes >= BYTES_MAX) {
        return false;
    }
    struct page *block = alloc_pages(domain, order);
    if (block == NULL) {
        return false;
    }
    held_blocks[held.count++] = page_frame(block) << 4 | order;
    held.bytes += PAGE_SIZE << order;
    return true;
}

static void hold_mixed(struct domain *domain, uint64_t *state)
{
    unsigned order = 10;
    while (order > 0 || hold(domain, 0)) {
        unsigned want = random_next(state) % (order + 1);
        if (!hold(domain, want)) {
            if (want == 0) {
                break;
            }
            order = want - 1;
        }
    }
}

static void free_shuffled(uint64_t *state)
{
    while (held.count > 0) {
        unsigned i = random_next(state) % held.count;
        uint64_t block = held_blocks[i];
        held_blocks[i] = held_blocks[--held.count];
        free_pages(frame_page(block >> 4), block & 15);
    }
    held.bytes = 0;
}

// The largest blocks that can be had at once, by number.
static unsigned largest_count(struct domain *domain, uint64_t *state)
{
    while (hold(domain, 10)) {
    }
    unsigned count = held.count;
    free_shuffled(state);
    return count;
}

TEST(frames, nothing_is_lost)
{
    uint64_t state = test_seed() | 1, free[2];
    unsigned largest[2];
    // The first round sets up sections and splits leaves as need be: both
    // stay. The second must end exactly as it began.
    for (unsigned round = 0; round < 2; round++) {
        struct domain *domain = domain_create("greedy");
        CHECK(domain != NULL);
        largest[round] = largest_count(domain, &state);
        hold_mixed(domain, &state);
        CHECK_EQ(domain_destroy(domain), -EBUSY);
        free_shuffled(&state);
        CHECK_EQ(largest_count(domain, &state), largest[round]);
        CHECK_EQ(domain_destroy(domain), 0);
        free[round] = frames_free_bytes();
    }
    CHECK(largest[0] > 0);
    CHECK_EQ(largest[1], largest[0]);
    CHECK_EQ(free[1], free[0]);
}

// By its name this runs before the tests that use up memory: leaves that were
// split stay so.
TEST(frames, a_domain_keeps_leaves_large)
{
    uint64_t before[PT_LEVELS + 1], after[PT_LEVELS + 1];
    struct domain *domains[4];
    struct page *small[4], *large[4];
    if (frames_free_bytes() < frames_total_bytes() / 2) {
        SKIP("little memory is free: blocks below 2 MiB are in use");
    }
    memory_leaf_bytes(before);
    for (unsigned i = 0; i < 4; i++) {
        domains[i] = domain_create("leaf");
        CHECK(domains[i] != NULL);
        small[i] = alloc_page(domains[i]);
        large[i] = alloc_pages(domains[i], 8); // half a leaf
        CHECK(small[i] != NULL && large[i] != NULL);
    }
    memory_leaf_bytes(after);
    for (unsigned i = 0; i < 4; i++) {
        free_page(small[i]);
        free_pages(large[i], 8);
        CHECK_EQ(domain_destroy(domains[i]), 0);
    }
    CHECK_EQ(after[1], before[1]);
    // Leaves of 1 GiB are cut to 2 MiB for keys of their own.
    CHECK_EQ(after[2] + after[3], before[2] + before[3]);
}

// --------------------------------------------------------------------- Domains

#define MANY 40 // more than there are keys

TEST(frames, more_domains_than_keys)
{
    struct domain *domains[MANY];
    struct page *pages[MANY];
    uint32_t keys = 0;
    for (unsigned i = 0; i < MANY; i++) {
        domains[i] = domain_create("many");
        CHECK(domains[i] != NULL);
        pages[i] = alloc_page(domains[i]);
        CHECK(pages[i] != NULL);
        memset_page(pages[i], 0, (int)i + 1, PAGE_SIZE);
        keys |= 1u << domains[i]->key;
    }
    for (unsigned i = 0; i < MANY; i++) {
        CHECK(block_is(pages[i], 0, (i + 1) * 0x0101010101010101ull));
        CHECK_EQ((uintptr_t)page_domain(pages[i]), (uintptr_t)domains[i]);
        free_page(pages[i]);
        CHECK_EQ(domain_destroy(domains[i]), 0);
    }
    // All that are for domains, and no other.
    CHECK_EQ(keys,
             test_engine()->keys ? 0xffffu & ~((1u << KEY_DOMAINS) - 1) : 1);
}

#define THOUSAND 1000

SCRATCH_ARRAY(struct domain *, domains, THOUSAND, 0);
SCRATCH_ARRAY(struct page *, pages, THOUSAND, THOUSAND * sizeof(void *));

TEST(frames, a_thousand_domains)
{
    // With much RAM a frame for each takes long, and 2 MiB of the emulator's
    // host.
    unsigned step = frames_total_bytes() > MIB(64) ? 4 : 1, got = 0;
    step *= THOUSAND / test_rounds(THOUSAND);
    for (unsigned i = 0; i < THOUSAND; i++) {
        char name[16];
        snprintf(name, sizeof(name), "domain %u", i);
        domains[i] = domain_create(name);
        CHECK(domains[i] != NULL);
        pages[i] = i % step == 0 ? alloc_page(domains[i]) : NULL;
        got += pages[i] != NULL;
        if (pages[i] != NULL && i % 8 == 0) {
            memcpy_to_page(pages[i], 0, &i, sizeof(i));
        }
    }
    // A block of its own for each, and those get small when memory does: with
    // 64 KiB at most, 32 MiB are enough for some hundreds.
    CHECK(got == (THOUSAND + step - 1) / step ||
          got >= frames_total_bytes() / (PAGE_SIZE << 4) / 2);
    for (unsigned i = 0; i < THOUSAND; i++) {
        char name[16];
        unsigned value = i;
        snprintf(name, sizeof(name), "domain %u", i);
        CHECK_EQ(strcmp(domain_name(domains[i]), name), 0);
        if (pages[i] != NULL && i % 8 == 0) {
            memcpy_from_page(&value, pages[i], 0, sizeof(value));
        }
        if (pages[i] != NULL) {
            CHECK_EQ(domain_destroy(domains[i]), -EBUSY);
            free_page(pages[i]);
        }
        CHECK_EQ(value, i);
        CHECK_EQ(domain_destroy(domains[i]), 0);
    }
}

TEST(frames, domain_names)
{
    char name[64] = "a name that is changed after the call, and too long";
    struct domain *domain = domain_create(name);
    struct domain *same = domain_create(name);
    CHECK(domain != NULL && same != NULL && domain != same);
    name[0] = 'X';
    CHECK_EQ(
        strcmp(domain_name(domain), "a name that is changed after the call, "),
        0);
    CHECK_EQ(strlen(domain_name(same)), DOMAIN_NAME_SIZE - 1);
    CHECK_EQ(strcmp(domain_name(domain_ram), "ram"), 0);
    CHECK_EQ(domain_destroy(domain), 0);
    CHECK_EQ(domain_destroy(same), 0);
}

TEST(frames, domain_destroy_refuses)
{
    struct domain *domain = domain_create("busy");
    CHECK(domain != NULL);
    struct page *block = alloc_pages(domain, 2);
    CHECK(block != NULL);
    CHECK_EQ(domain_destroy(domain), -EBUSY);
    CHECK_EQ((uintptr_t)page_domain(block), (uintptr_t)domain);
    memzero_page(block, 0, PAGE_SIZE); // it still works
    free_pages(block, 2);
    CHECK_EQ(domain_destroy(domain), 0);
    CHECK_EQ(domain_destroy(domain), -EINVAL);
    CHECK_EQ(domain_destroy(NULL), -EINVAL);
    CHECK_EQ(domain_destroy(domain_ram), -EINVAL);
}
