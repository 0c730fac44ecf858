// SPDX-License-Identifier: MIT
//
// Stacks made at run time: guards, reuse, what is left of them, and code that
// runs on them.
#include "mm/stack.h"

#include "arch/pte.h"
#include "arch/trap.h"
#include "kernel/misuse.h"
#include "keyhole.h"
#include "lib/string.h"
#include "mm/audit.h"
#include "mm/frames.h"
#include "mm/layout.h"
#include "mm/lock.h"
#include "mm/pagetable.h"
#include "tests/alias.h"
#include "tests/scratch.h"

static struct audit_report report;

// Give back what destroyed stacks have left.
static void trim(void)
{
    uint64_t lock = mm_lock();
    stacks_trim_locked();
    mm_unlock(lock);
}

// A write must find nothing mapped, at exactly this address.
static bool is_unmapped(void *address)
{
    struct fault fault;
    char byte = 0;
    return !probe_write(address, &byte, 1, &fault) &&
           fault.kind == FAULT_NOT_PRESENT && fault.access == ACCESS_WRITE &&
           fault.address == (uintptr_t)address && fault.error_code == 2 &&
           fault.pkey == -1;
}

// Fill a stack with a value, or see that it holds it.
static void stack_fill(char *top, size_t pages, uint64_t value)
{
    uint64_t *word = (uint64_t *)(top - pages * PAGE_SIZE);
    for (; (char *)word < top; word += 64) {
        *word = value ^ (uintptr_t)word;
    }
}

static bool stack_holds(const char *top, size_t pages, uint64_t value)
{
    const uint64_t *word = (const uint64_t *)(top - pages * PAGE_SIZE);
    for (; (const char *)word < top; word += 64) {
        if (*word != (value ^ (uintptr_t)word)) {
            return false;
        }
    }
    return true;
}

static void size_check(size_t pages)
{
    char *top = stack_create("sized", pages);
    CHECK(top != NULL);
    char *bottom = top - pages * PAGE_SIZE;
    CHECK_EQ((uintptr_t)top % PAGE_SIZE, 0);
    stack_fill(top, pages, pages);
    CHECK(stack_holds(top, pages, pages));
    CHECK(is_unmapped(bottom - 1) && is_unmapped(bottom - PAGE_SIZE));
    CHECK(is_unmapped(top) && is_unmapped(top + PAGE_SIZE - 1));
    *(volatile uint8_t *)bottom = 0xc3; // RET
    CHECK_FAULT(FAULT_NO_EXECUTE, ACCESS_EXECUTE,
                ((void (*)(void))(uintptr_t)bottom)());

    struct pt_walk walk;
    pt_walk((uintptr_t)bottom, &walk);
    CHECK(walk.present && pte_key(walk.entry[walk.level]) == 0);
    uintptr_t found_bottom, found_top;
    CHECK(stack_find((uintptr_t)bottom, &found_bottom, &found_top));
    CHECK_EQ(found_bottom, (uintptr_t)bottom);
    CHECK_EQ(found_top, (uintptr_t)top);
    CHECK(stack_find((uintptr_t)top - 1, &found_bottom, &found_top));
    CHECK(!stack_find((uintptr_t)bottom - 1, &found_bottom, &found_top));
    const char *below = stack_guard_name((uintptr_t)bottom - 1);
    const char *above = stack_guard_name((uintptr_t)top);
    CHECK(below != NULL && strcmp(below, "sized") == 0);
    CHECK(above != NULL); // it is also the next stack's, if that is in use
    CHECK(stack_guard_name((uintptr_t)bottom) == NULL);
    stack_destroy(top);
    CHECK(stack_guard_name((uintptr_t)bottom - 1) == NULL);
    CHECK(!stack_find((uintptr_t)bottom, &found_bottom, &found_top));
}

TEST(stack, both_ends_are_unmapped)
{
    static const size_t sizes[] = {1, 2, 3, 4, 7, 8, 16, 100, 255};
    uint64_t free = 0;
    // The first round leaves page tables and entries of slots behind.
    for (unsigned i = 0; i < 2 * ARRAY_SIZE(sizes); i++) {
        if (i == ARRAY_SIZE(sizes)) {
            trim();
            free = frames_free_bytes();
        }
        size_check(sizes[i % ARRAY_SIZE(sizes)]);
    }
    CHECK(stack_create("none", 0) == NULL);
    CHECK(stack_create("none", 256) == NULL);
    CHECK(stack_create("none", ~0ul) == NULL);
    trim();
    // Where memory is scarce, other caches may have been emptied meanwhile.
    CHECK(frames_free_bytes() >= free);
    CHECK(audit_run(&report));
}

TEST(stack, gone_when_destroyed)
{
    char *top = stack_create("first", 4);
    CHECK(top != NULL);
    stack_fill(top, 4, 1);
    CHECK(stack_holds(top, 4, 1)); // every page is in the TLB now
    struct map_stats before, after;
    map_stats_read(&before);
    stack_destroy(top);
    map_stats_read(&after);
    // QEMU forgets all translations when the tables' key opens: only the count
    // tells that each page was invalidated.
    CHECK_EQ(after.invlpg - before.invlpg, 4);
    CHECK_EQ(after.pte_writes - before.pte_writes, 4);
    for (unsigned i = 1; i <= 4; i++) {
        CHECK(is_unmapped(top - i * PAGE_SIZE));
    }
    CHECK(audit_run(&report)); // with frames kept for the next
    char *again = stack_create("second", 4);
    CHECK(again == top);
    stack_fill(again, 4, 2);
    CHECK(stack_holds(again, 4, 2));
    stack_destroy(again);
    trim();
    CHECK(is_unmapped(top - 1));
    again = stack_create("third", 4); // with other frames
    CHECK(again == top);
    stack_fill(again, 4, 3);
    CHECK(stack_holds(again, 4, 3));
    stack_destroy(again);
}

// ----------------------------------------------------------------- Many of
// them

#define MANY 64
#define STEPS 4000

static struct {
    char *top;
    size_t pages;
} many[MANY];

static bool many_step(uint64_t random)
{
    unsigned i = random % MANY;
    size_t pages = 1 + (random >> 8) % (random >> 20 & 7 ? 8 : 40);
    if (many[i].top != NULL) {
        bool right = stack_holds(many[i].top, many[i].pages, i);
        stack_destroy(many[i].top);
        right = right && is_unmapped(many[i].top - 1);
        many[i].top = NULL;
        return right;
    }
    many[i].top = stack_create("many", pages);
    many[i].pages = pages;
    if (many[i].top == NULL) {
        return false;
    }
    stack_fill(many[i].top, pages, i);
    return is_unmapped(many[i].top - pages * PAGE_SIZE - 1);
}

TEST(stack, thousands_in_random_order)
{
    uint64_t state = test_seed();
    trim();
    uint64_t free = frames_free_bytes();
    for (unsigned i = 0; i < STEPS; i++) {
        state = state * 6364136223846793005ull + 1442695040888963407ull;
        CHECK(many_step(state >> 24));
    }
    CHECK(audit_run(&report));
    for (unsigned i = 0; i < MANY; i++) {
        if (many[i].top != NULL) {
            CHECK(stack_holds(many[i].top, many[i].pages, i));
            stack_destroy(many[i].top);
            many[i].top = NULL;
        }
    }
    trim();
    // Entries of slots, and page tables.
    CHECK(free - frames_free_bytes() <= MIB(2) + KIB(64));
    CHECK(audit_run(&report));
}

#define TOPS 1024
SCRATCH_ARRAY(char *, tops, TOPS, 0);

TEST(stack, out_of_memory_or_addresses)
{
    unsigned count = 0, addresses = STACKS_SIZE / 8 / MIB(1);
    while (count < TOPS) {
        tops[count] = stack_create("many", STACK_PAGES_MAX);
        if (tops[count] == NULL) {
            break;
        }
        count++;
    }
    bool failed = count < TOPS, right = true;
    struct page *page = alloc_page(domain_ram); // others still get some, or not
    if (page != NULL) {
        free_page(page);
    }
    for (unsigned i = 0; i < count; i++) {
        *(volatile char *)(tops[i] - STACK_PAGES_MAX * PAGE_SIZE) = 1;
        stack_destroy(tops[i]);
    }
    right = right && audit_run(&report);
    char *top = stack_create("after", STACK_PAGES_MAX);
    right = right && top != NULL;
    if (top != NULL) {
        stack_destroy(top);
    }
    trim();
    CHECK(failed && count <= addresses && count > 0);
    CHECK(right);
    CHECK(audit_run(&report));
}

static void reclaim(void)
{
    uint64_t lock = mm_lock();
    memory_reclaim_locked();
    mm_unlock(lock);
}

// What destroyed stacks keep is there for others.
TEST(stack, kept_frames_go_back_when_memory_is_wanted)
{
    char *top = stack_create("kept", 100);
    CHECK(top != NULL);
    reclaim(); // what others keep
    uint64_t free = frames_free_bytes();
    stack_destroy(top);
    CHECK_EQ(frames_free_bytes(), free);
    reclaim();
    CHECK_EQ(frames_free_bytes(), free + 100 * PAGE_SIZE);
}

// ---------------------------------------------------------------------- Misuse

static void destroy_here(void *top)
{
    CHECK_MISUSE(stack_destroy(top));
    CHECK_EQ(strcmp(misuse_last()->what, "destroy of the stack that is in use"),
             0);
    CHECK(misuse_last()->site[1].ip != 0);
}

TEST(stack, wrong_destroys)
{
    char *top = stack_create("wrong", 4);
    CHECK(top != NULL);
    stack_call(destroy_here, top, top);
    CHECK_MISUSE(stack_destroy(top - PAGE_SIZE));
    CHECK_EQ(strcmp(misuse_last()->what,
                    "destroy of an address that is no stack's top"),
             0);
    CHECK_MISUSE(stack_destroy(NULL));
    CHECK_MISUSE(stack_destroy((void *)(STACKS_BASE + STACKS_SIZE)));
    CHECK_MISUSE(stack_destroy(&report));
    stack_destroy(top);
    CHECK_MISUSE(stack_destroy(top));
    CHECK_EQ(strcmp(misuse_last()->what, "stack destroyed twice"), 0);
    CHECK(misuse_last()->site[1].ip != 0);
}

static bool planted_is_found(uintptr_t at, phys_addr_t frame, uint64_t flags,
                             enum audit_rule rule)
{
    if (pt_map(at, frame, PAGE_SIZE, PTE_P | PTE_A | flags, 1) != 0) {
        return false;
    }
    audit_run(&report);
    bool found = audit_found(&report, rule);
    pt_unmap(at, PAGE_SIZE);
    return found;
}

TEST(stack, audit_finds_what_is_wrong)
{
    struct page *page = alloc_page(domain_ram);
    char *top = stack_create("audit", 4);
    CHECK(page != NULL && top != NULL);
    uintptr_t bottom = (uintptr_t)top - 4 * PAGE_SIZE;
    phys_addr_t frame = page_to_phys(page);
    bool found =
        planted_is_found(bottom - PAGE_SIZE, frame, ALIAS_DATA, AUDIT_GUARD) &&
        planted_is_found((uintptr_t)top, frame, ALIAS_DATA, AUDIT_GUARD) &&
        planted_is_found((uintptr_t)top, frame, PTE_RW, AUDIT_EXECUTABLE) &&
        planted_is_found((uintptr_t)top, frame, ALIAS_DATA | PTE_KEY(4),
                         AUDIT_ALIAS_KEY);
    pt_change(bottom, PAGE_SIZE, PTE_RW, 0);
    audit_run(&report);
    found = found && audit_found(&report, AUDIT_OWN);
    pt_change(bottom, PAGE_SIZE, PTE_RW, PTE_RW);
    stack_destroy(top);
    free_page(page);
    CHECK(found);
    CHECK(audit_run(&report));
}

BENCH(stack, pair_4)
{
    BENCH_LOOP (n) {
        stack_destroy(stack_create("bench", 4));
    }
}
