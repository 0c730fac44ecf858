// SPDX-License-Identifier: MIT
//
// A page-table editor: a radix tree of four levels in frames of a domain of its
// own, as a hypervisor or an IOMMU driver keeps one. Each step walks it through
// read-only brackets and sets or clears one entry; a bitmap knows what is
// there.
#include "tests/bench.h"
#include "tests/workload.h"

#define LEVELS 4
#define ENTRIES (PAGE_SIZE / sizeof(uint64_t))
#define PRESENT 1ull
#define BATCH 64

// The entries in use at each level, from the root's: 32768 leaves in all.
static const unsigned width[LEVELS] = {2, 4, 8, ENTRIES};
#define LEAVES (2u * 4 * 8 * ENTRIES)

struct editor {
    struct domain *domain;
    struct page *root;
    uint8_t *present; // a bit for each leaf
    uint64_t random;
    unsigned wrong; // entries that had something else
};

// What the entry of a leaf has when it is there: a number that nobody else has.
static uint64_t leaf_entry(unsigned leaf)
{
    return (uint64_t)leaf << 12 | PRESENT;
}

static uint64_t entry_read(struct page *table, unsigned i)
{
    const uint64_t *entries = kmap_local_page_ro(table);
    uint64_t entry = entries[i];
    kunmap_local(entries);
    return entry;
}

static uint64_t entry_exchange(struct page *table, unsigned i, uint64_t entry)
{
    uint64_t *entries = kmap_local_page(table);
    uint64_t old = entries[i];
    entries[i] = entry;
    kunmap_local(entries);
    return old;
}

// The table below entry `i`, made if it is not there. NULL: out of memory.
static struct page *table_below(struct editor *editor, struct page *table,
                                unsigned i)
{
    uint64_t entry = entry_read(table, i);
    if (entry & PRESENT) {
        return phys_to_page(entry & ~PRESENT);
    }
    struct page *below = alloc_page(editor->domain);
    if (below != NULL) {
        entry_exchange(table, i, page_to_phys(below) | PRESENT);
    }
    return below;
}

// The last table for a leaf, and which entry is its.
static struct page *walk(struct editor *editor, unsigned leaf, unsigned *i)
{
    struct page *table = editor->root;
    unsigned below = LEAVES;
    for (unsigned level = 0; level < LEVELS && table != NULL; level++) {
        below /= width[level];
        *i = leaf / below % width[level];
        if (level < LEVELS - 1) {
            table = table_below(editor, table, *i);
        }
    }
    return table;
}

// Set the leaf if it is not there, and clear it if it is.
static void leaf_toggle(struct editor *editor, unsigned leaf)
{
    unsigned i;
    struct page *table = walk(editor, leaf, &i);
    bool there = editor->present[leaf / 8] >> leaf % 8 & 1;
    if (table == NULL ||
        entry_exchange(table, i, there ? 0 : leaf_entry(leaf)) !=
            (there ? leaf_entry(leaf) : 0)) {
        editor->wrong++;
    }
    editor->present[leaf / 8] ^= 1u << leaf % 8;
}

static bool editor_is_right(struct editor *editor)
{
    for (unsigned leaf = 0; leaf < LEAVES; leaf += 7) {
        unsigned i;
        struct page *table = walk(editor, leaf, &i);
        bool there = editor->present[leaf / 8] >> leaf % 8 & 1;
        if (table == NULL ||
            entry_read(table, i) != (there ? leaf_entry(leaf) : 0)) {
            return false;
        }
    }
    return editor->wrong == 0;
}

static void tables_free(struct page *table, unsigned level)
{
    for (unsigned i = 0; level < LEVELS - 1 && i < width[level]; i++) {
        uint64_t entry = entry_read(table, i);
        if (entry & PRESENT) {
            tables_free(phys_to_page(entry & ~PRESENT), level + 1);
        }
    }
    free_page(table);
}

BENCH(workload, table_editor)
{
    struct editor editor = {.domain = domain_create("editor"), .random = 3};
    CHECK(editor.domain != NULL);
    editor.root = alloc_page(editor.domain);
    editor.present = kzalloc(LEAVES / 8);
    CHECK(editor.root != NULL && editor.present != NULL);
    bench_batch(BATCH);
    BENCH_LOOP (n) {
        leaf_toggle(&editor, (unsigned)workload_random(&editor.random, LEAVES));
    }
    CHECK(editor_is_right(&editor));
    tables_free(editor.root, 0);
    kfree(editor.present);
    CHECK_EQ(domain_destroy(editor.domain), 0);
}
