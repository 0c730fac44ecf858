// SPDX-License-Identifier: MIT
//
// Frames for page tables: more of them when they run out, behind the tables'
// key before they are used, and given back when they are empty.
#include "arch/pks.h"
#include "arch/pte.h"
#include "keyhole.h"
#include "mm/audit.h"
#include "mm/bracket.h"
#include "mm/frames.h"
#include "mm/keys.h"
#include "mm/layout.h"
#include "mm/lock.h"
#include "mm/pagetable.h"
#include "mm/tables.h"
#include "tests/alias.h"
#include "tests/engines.h"

#define STRIDE PT_LEVEL_SIZE(3) // each mapping has two tables to itself
#define MAPPINGS 384            // 768 tables: more than one block of 512

static struct audit_report report;

static uintptr_t place(unsigned i)
{
    return TEST_REGION_BASE + i * STRIDE;
}

// Every table on the way to an address is a table's frame behind its key.
static bool tables_are_closed(uintptr_t address)
{
    struct pt_walk walk;
    pt_walk(address, &walk);
    for (unsigned level = PT_LEVELS; level > walk.level; level--) {
        struct fault fault;
        uint64_t word = 0;
        phys_addr_t table = walk.entry[level] & PTE_ADDRESS;
        char *at = (char *)engine->tables_base + table;
        bool keys = test_engine()->keys;
        if (frame_page(table / PAGE_SIZE)->private_state != FRAME_TABLE ||
            // Or the write would do harm.
            probe_read(at, &word, 8, NULL) == keys) {
            return false;
        }
        if (engine_refuses() &&
            (probe_write(at, &word, 8, &fault) ||
             fault.kind != (keys ? FAULT_PKEY : FAULT_WRITE_PROTECT) ||
             fault.pkey != (keys ? KEY_TABLES : KEY_KERNEL))) {
            return false;
        }
    }
    return walk.present;
}

TEST(tables, more_when_they_run_out)
{
    struct page *page = alloc_page(domain_ram);
    size_t used = tables_used(), total = tables_total();
    CHECK(page != NULL);
    unsigned made = 0;
    bool closed = true;
    while (made < MAPPINGS &&
           alias_map(place(made), page, 1, ALIAS_DATA) != NULL) {
        closed = tables_are_closed(place(made++)) && closed;
    }
    size_t used_now = tables_used(), total_now = tables_total();
    // Each new block's leaf may be cut out of a larger one, for good.
    size_t splits = (total_now - total) >> TABLES_LEAST_ORDER;
    for (unsigned i = 0; i < made; i++) {
        alias_unmap(place(i), 1);
    }
    free_page(page);
    CHECK_EQ(made, MAPPINGS);
    CHECK(closed);
    CHECK(used_now >= used + 2 * MAPPINGS);
    CHECK(used_now <= used + 2 * MAPPINGS + 1 + splits);
    CHECK(total_now > total || total >= used + 2 * MAPPINGS + TABLES_RESERVE);
    CHECK(tables_used() >= used && tables_used() <= used + splits); // went back
    CHECK(audit_run(&report));
}

// Whatever a bracket opens, the tables, such as those of this stack, are not
// part of it.
TEST(tables, closed_inside_brackets)
{
    struct page *block = alloc_pages(domain_ram, 4);
    CHECK(block != NULL);
    struct page *const list[] = {block + 3, block, block + 7};
    bool closed = true;
    for (unsigned way = 0; way < 8; way++) {
        const void *at =
            way == 0   ? kmap_local_page(block)
            : way == 1 ? kmap_local_page_ro(block)
            : way == 2 ? kmap_local_range(block, 0, 4 * PAGE_SIZE)
            : way == 3 ? kmap_local_range_ro(block, 1, 4 * PAGE_SIZE)
            : way == 4 ? kmap_local_range(block, 0, 16 * PAGE_SIZE)
            : way == 5 ? kmap_local_pages(list, 1)
            : way == 6 ? kmap_local_pages(list, ARRAY_SIZE(list))
                       : kmap_local_pages_ro(list, ARRAY_SIZE(list));
        closed = tables_are_closed((uintptr_t)&block) && closed;
        const void *inner = kmap_local_pages(list, ARRAY_SIZE(list));
        closed = tables_are_closed((uintptr_t)&block) && closed;
        kunmap_local(inner);
        closed = tables_are_closed((uintptr_t)&block) && closed;
        kunmap_local(at);
    }
    free_pages(block, 4);
    CHECK(closed);
}

// Frames on a list by their headers, of one order each.
static uint32_t orders_take(unsigned order)
{
    uint32_t list = 0;
    for (phys_addr_t at; (at = pool_take_locked(order)) != 0;) {
        frame_page(at / PAGE_SIZE)->private_next = list;
        list = at / PAGE_SIZE;
    }
    return list;
}

static void orders_give(uint32_t list, unsigned order)
{
    while (list != 0) {
        uint32_t next = frame_page(list)->private_next;
        pool_give_locked((phys_addr_t)list * PAGE_SIZE, order);
        list = next;
    }
}

static uint32_t tables_take_to(size_t left)
{
    uint32_t list = 0;
    while (tables_total() - tables_used() > left) {
        phys_addr_t at = table_take();
        frame_page(at / PAGE_SIZE)->private_next = list;
        list = at / PAGE_SIZE;
    }
    return list;
}

// Memory is there, but no 2 MiB of it side by side.
TEST(tables, more_from_memory_in_pieces)
{
    enum { LARGEST = TABLES_LEAST_ORDER + 1 };
    uint32_t larger[FRAME_ORDERS] = {0};
    uint64_t lock = mm_lock();
    for (unsigned order = FRAME_ORDERS - 1; order > LARGEST; order--) {
        larger[order] = orders_take(order);
    }
    uint32_t taken = tables_take_to(TABLES_RESERVE - 1);
    size_t total = tables_total(), used = tables_used();
    int status = tables_prepare_locked();
    size_t more = tables_total() - total, split = tables_used() - used;
    phys_addr_t table = table_take();
    unsigned state = frame_page(table / PAGE_SIZE)->private_state;
    while (taken != 0) {
        uint32_t next = frame_page(taken)->private_next;
        table_give((phys_addr_t)taken * PAGE_SIZE);
        taken = next;
    }
    table_give(table);
    for (unsigned order = LARGEST + 1; order < FRAME_ORDERS; order++) {
        orders_give(larger[order], order);
    }
    mm_unlock(lock);
    CHECK_EQ(status, 0);
    CHECK(more == (size_t)1 << LARGEST || more == (size_t)1 << (LARGEST - 1));
    CHECK(split <= 2); // of the block's leaf, and of its neighbours'
    CHECK_EQ(state, FRAME_TABLE);
    CHECK(audit_run(&report));
}

// A table with one leaf left stays; with none, it goes, and so does what was
// above it.
TEST(tables, empty_ones_go_back)
{
    struct page *page = alloc_page(domain_ram);
    struct map_stats before, after;
    CHECK(page != NULL);
    size_t used = tables_used();
    void *a = alias_map(place(0), page, 1, ALIAS_DATA);
    void *b = alias_map(place(0) + 5 * PAGE_SIZE, page, 1, ALIAS_DATA);
    size_t both = tables_used();
    alias_unmap(place(0), 1);
    size_t one = tables_used();
    char byte;
    bool still = probe_read(b, &byte, 1, NULL);
    map_stats_read(&before);
    alias_unmap(place(0) + 5 * PAGE_SIZE, 1);
    map_stats_read(&after);
    free_page(page);
    CHECK(a != NULL && b != NULL);
    CHECK(still);
    CHECK_EQ(one, both);
    CHECK(both > used);
    CHECK_EQ(tables_used(), used);
    // The leaf's page, and once for each table that went.
    CHECK_EQ(after.invlpg - before.invlpg, 1 + both - used);
}

// Leaves are as large as address, size and level allow, and no larger.
TEST(tables, leaves_fit)
{
    static const struct {
        uint64_t offset, size;
        unsigned max, level; // of the first leaf
    } cases[] = {
        {0, MIB(2), 2, 2},          {0, MIB(2), 1, 1},
        {0, MIB(2) - KIB(4), 2, 1}, {KIB(4), MIB(2), 2, 1},
        {MIB(2), MIB(4), 3, 2},
    };
    struct page *block = alloc_pages(domain_ram, 10);
    if (block == NULL) {
        SKIP("no 4 MiB of contiguous memory");
    }
    phys_addr_t base = page_to_phys(block);
    size_t used = tables_used();
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        uintptr_t at = place(1) + cases[i].offset;
        struct pt_walk walk, last;
        CHECK_EQ(pt_map(at, base + (cases[i].offset & (MIB(2) - 1)),
                        MIN(cases[i].size, MIB(4)), PTE_P | PTE_A | PTE_XD,
                        cases[i].max),
                 0);
        pt_walk(at, &walk);
        pt_walk(at + cases[i].size - 1, &last);
        CHECK_EQ(pt_unmap(at, cases[i].size), 0);
        CHECK(walk.present && last.present);
        CHECK_EQ(walk.level, cases[i].level);
    }
    CHECK_EQ(tables_used(), used);
    free_pages(block, 10);
}

// Give page `n` of a leaf of 2 MiB another key: all others keep theirs.
static bool cut_keeps_the_rest(struct page *block, unsigned n)
{
    uintptr_t at = place(2);
    struct map_stats before, after;
    bool good = pt_map(at, page_to_phys(block), MIB(2),
                       PTE_P | PTE_A | PTE_XD | PTE_KEY(9), 2) == 0;
    map_stats_read(&before);
    good = good && pt_change(at + n * PAGE_SIZE, PAGE_SIZE, PTE_KEY_MASK,
                             PTE_KEY(10)) == 0;
    map_stats_read(&after);
    for (unsigned i = 0; i < PT_ENTRIES && good; i++) {
        struct pt_walk walk;
        pt_walk(at + i * PAGE_SIZE, &walk);
        uint64_t want = (page_to_phys(block) + i * PAGE_SIZE) | PTE_P | PTE_A |
                        PTE_XD | PTE_KEY(i == n ? 10 : 9);
        good = walk.level == 1 && walk.entry[1] == want;
    }
    pt_unmap(at, MIB(2));
    // One for each CPU that does not sleep: one page of a whole leaf.
    uint64_t invalidated = after.invlpg - before.invlpg;
    return good && invalidated >= 1 && invalidated <= cpus_online();
}

// A leaf that is cut says the same in all its parts, key included.
TEST(tables, a_cut_leaf_keeps_its_key)
{
    static const unsigned places[] = {0, 16, PT_ENTRIES - 1};
    struct page *block = alloc_pages(domain_ram, 9);
    if (block == NULL) {
        SKIP("no 2 MiB of contiguous memory");
    }
    bool good = true;
    for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
        good = cut_keeps_the_rest(block, places[i]) && good;
    }
    free_pages(block, 9);
    CHECK(good);
}

// ----------------------------------------------------------- Large, and small

// One leaf of 2 MiB where small ones were: their table goes, and what the CPU
// knows of them.
TEST(tables, a_large_leaf_takes_the_place_of_small_ones)
{
    struct page *block = alloc_pages(domain_ram, 9);
    if (block == NULL) {
        SKIP("no 2 MiB of contiguous memory");
    }
    uintptr_t at = place(3);
    uint64_t flags = PTE_P | PTE_A | PTE_XD | PTE_KEY(9);
    struct map_stats before, after;
    struct pt_walk small, large;
    size_t used = tables_used();
    bool mapped = pt_map(at, page_to_phys(block), MIB(2), flags, 1) == 0;
    size_t used_small = tables_used();
    pt_walk(at, &small);
    map_stats_read(&before);
    uint64_t lock = mm_lock();
    bool joined =
        mapped && pt_join_locked(at, page_to_phys(block) | flags) == 0;
    mm_unlock(lock);
    map_stats_read(&after);
    size_t used_large = tables_used();
    pt_walk(at, &large);
    pt_unmap(at, MIB(2));
    free_pages(block, 9);
    CHECK(mapped && joined);
    CHECK(small.present && small.level == 1);
    CHECK(large.present && large.level == 2);
    CHECK_EQ(large.entry[2], page_to_phys(block) | flags | PTE_PS);
    CHECK_EQ(used_large, used_small - 1);
    // CPUs that idled may have had to forget something else, too.
    CHECK(after.full_flushes - before.full_flushes >= cpus_online());
    CHECK(cpus_online() > 1 || after.full_flushes - before.full_flushes == 1);
    CHECK_EQ(tables_used(), used);
}

// ----------------------------------------------------------------- The window

static bool opened_for_reading, opened_for_writing;

// In the handler of one instruction: what the interrupted thread may do.
static void look_at_rights(void *unused)
{
    (void)unused;
    const struct bracket *top = percpu.bracket_top[-1].interrupted;
    opened_for_reading |= !(top[-1].rights & PKRS_AD(KEY_TABLES));
    opened_for_writing |= !(top[-1].rights & PKRS_WD(KEY_TABLES));
}

static void walk(void *unused)
{
    (void)unused;
    struct pt_walk walk;
    pt_walk(DIRECT_MAP_BASE, &walk);
}

static void leaf(void *unused)
{
    (void)unused;
    uint64_t size;
    (void)pt_leaf(DIRECT_MAP_BASE, &size);
}

static void change(void *unused)
{
    (void)unused;
    (void)pt_change(TEST_REGION_BASE, PAGE_SIZE, PTE_A, PTE_A);
}

// They open for writing where they are written, and nowhere else.
TEST(tables, walks_only_read)
{
    static void (*const readers[])(void *) = {walk, leaf};
    for (unsigned i = 0; i < ARRAY_SIZE(readers); i++) {
        opened_for_reading = opened_for_writing = false;
        step_through(readers[i], NULL, look_at_rights, NULL);
        CHECK(opened_for_reading);
        CHECK(!opened_for_writing);
    }
    step_through(change, NULL, look_at_rights, NULL);
    CHECK(opened_for_writing);
    CHECK_EQ(pks_rights(), PKRS_CLOSED);
}
