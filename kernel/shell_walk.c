// SPDX-License-Identifier: MIT
//
// The shell's command that draws how an address is translated: the tables from
// this CPU's root down, as the shell's thread sees them.
#include "arch/pte.h"
#include "kernel/shell_internal.h"
#include "kernel/wrap.h"
#include "keyhole.h"
#include "mm/bracket.h"
#include "mm/engine.h"
#include "mm/keys.h"
#include "mm/pagetable.h"

#define INDENT 3 // of each level

static const char *const sizes[PT_LEVELS + 1] = {
    [1] = "4 KiB", [2] = "2 MiB", [3] = "1 GiB", [4] = "512 GiB"};

static bool is_canonical(uintptr_t address)
{
    return (intptr_t)(address << 16) >> 16 == (intptr_t)address;
}

// ------------------------------------------------------------------ One entry

static void bits_print(struct wrap *wrap, uint64_t entry, bool leaf)
{
    static const struct {
        uint64_t bit;
        const char *name;
        bool leaf_only;
    } bits[] = {
        {PTE_RW, "writable", false},       {PTE_US, "user", false},
        {PTE_PWT, "write-through", false}, {PTE_PCD, "uncached", false},
        {PTE_A, "accessed", false},        {PTE_D, "dirty", true},
        {PTE_G, "global", true},           {PTE_XD, "execute-disable", false},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(bits); i++) {
        if ((entry & bits[i].bit) && (leaf || !bits[i].leaf_only)) {
            wrap_word(wrap, bits[i].name);
        }
    }
}

static void key_print(struct wrap *wrap, uint64_t entry)
{
    char text[64];
    const char *name = key_name(pte_key(entry));
    snprintf(text, sizeof(text), "key %u (%s)", pte_key(entry),
             name != NULL ? name : "unused");
    wrap_word(wrap, text);
}

// What an entry says, on lines of its own.
static void meaning_print(unsigned indent, uint64_t entry, unsigned level,
                          bool leaf)
{
    struct wrap wrap = {indent, indent};
    printf("%*s", (int)indent, "");
    if (!(entry & PTE_P)) {
        wrap_word(&wrap, entry == 0 ? "empty: not present" : "not present");
    } else {
        char page[24];
        snprintf(page, sizeof(page), "a page of %s,", sizes[level]);
        wrap_word(&wrap, leaf ? page : "a table,");
        wrap_word(&wrap, "present");
        bits_print(&wrap, entry, leaf);
        if (leaf) {
            key_print(&wrap, entry);
        }
    }
    printf("\n");
}

static void entry_print(uintptr_t address, const struct pt_walk *walk,
                        unsigned level)
{
    uint64_t entry = walk->entry[level];
    uintptr_t inside = PT_LEVEL_SIZE(level) - 1;
    unsigned indent = 2 + (PT_LEVELS - level) * INDENT;
    printf("%*s`- %3u: 0x%016llx  0x%016lx-0x%016lx\n", (int)indent, "",
           pt_index(address, level), (unsigned long long)entry,
           address & ~inside, address | inside);
    meaning_print(indent + INDENT, entry, level,
                  walk->present && level == walk->level);
}

// ------------------------------------------------------------------ Its end

// The level of the handlers in whose window an address lies, though it be
// hidden from the shell; the leaf there, or 0.
static uint64_t leaf_of_others(uintptr_t address, uint32_t *level)
{
    uint64_t leaf = 0;
    *level = 0;
    while (engine->entry != NULL && *level < 1 + HANDLER_LEVELS &&
           (leaf = engine_leaf(address, *level)) == 0) {
        ++*level;
    }
    return leaf;
}

static void end_print(uintptr_t address, const struct pt_walk *walk)
{
    uint32_t level;
    if (walk->present) {
        uint64_t inside = PT_LEVEL_SIZE(walk->level) - 1;
        uint64_t leaf = walk->entry[walk->level] & PTE_ADDRESS & ~inside;
        uint64_t physical = leaf + (address & inside);
        printf("  physical 0x%llx, in a leaf of %s at 0x%llx\n",
               (unsigned long long)physical, sizes[walk->level],
               (unsigned long long)leaf);
        return;
    }
    printf("  nothing is mapped there: the walk ends at level %u\n",
           walk->level);
    uint64_t leaf = leaf_of_others(address, &level);
    if (leaf != 0) {
        printf("  hidden: 0x%016llx, for trap level %u of this CPU\n",
               (unsigned long long)leaf, level);
    }
}

void shell_walk(int argc, char **argv)
{
    uintptr_t address;
    struct pt_walk walk;
    (void)argc;
    if (!shell_address(argv[1], &address)) {
        return;
    }
    if (!is_canonical(address)) {
        printf("0x%lx is not canonical:\nthe CPU raises #GP, no tables are "
               "read\n",
               address);
        return;
    }
    phys_addr_t root = pt_walk_here(address, &walk);
    printf("  root table at 0x%llx, of %u levels\n", (unsigned long long)root,
           PT_LEVELS);
    for (unsigned level = PT_LEVELS; level >= walk.level; level--) {
        entry_print(address, &walk, level);
    }
    end_print(address, &walk);
}
