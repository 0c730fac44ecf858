// SPDX-License-Identifier: MIT
//
// The shell's commands about memory. peek and poke are plain accesses with the
// rights that the shell has, which are none: what is closed stays closed.
#include "arch/pte.h"
#include "kernel/guard.h"
#include "kernel/shell_internal.h"
#include "keyhole.h"
#include "mm/domain.h"
#include "mm/frames.h"
#include "mm/keys.h"
#include "mm/layout.h"
#include "mm/pagetable.h"

#define PEEK_DEFAULT 64
#define PEEK_MAX 4096
#define PEEK_LINE 16

// ----------------------------------------------------------------------- walk

static void print_entry_bits(uint64_t entry, bool leaf)
{
    static const struct {
        uint64_t bit;
        const char *name;
        bool leaf_only;
    } bits[] = {
        {PTE_RW, "write", false},   {PTE_US, "user", false},
        {PTE_PWT, "pwt", false},    {PTE_PCD, "uncached", false},
        {PTE_A, "accessed", false}, {PTE_D, "dirty", true},
        {PTE_G, "global", true},    {PTE_XD, "no-execute", false},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(bits); i++) {
        if ((entry & bits[i].bit) && (leaf || !bits[i].leaf_only)) {
            printf(" %s", bits[i].name);
        }
    }
    printf("\n");
}

static void print_leaf(uintptr_t address, uint64_t entry, unsigned level)
{
    static const char *const sizes[] = {"", "4 KiB", "2 MiB", "1 GiB"};
    uint64_t inside = PT_LEVEL_SIZE(level) - 1;
    const char *name = key_name(pte_key(entry));
    printf("  leaf of %s: physical 0x%llx, key %u (%s)\n", sizes[level],
           (unsigned long long)((entry & PTE_ADDRESS & ~inside) |
                                (address & inside)),
           pte_key(entry), name != NULL ? name : "unused");
}

void shell_walk(int argc, char **argv)
{
    uintptr_t address;
    (void)argc;
    if (!shell_address(argv[1], &address)) {
        return;
    }
    if ((intptr_t)(address << 16) >> 16 != (intptr_t)address) {
        printf("0x%lx is not canonical: the CPU raises #GP, no tables are "
               "read\n",
               address);
        return;
    }
    struct pt_walk walk;
    pt_walk(address, &walk);
    printf("  level index entry\n");
    for (unsigned level = PT_LEVELS; level >= walk.level; level--) {
        uint64_t entry = walk.entry[level];
        bool leaf = walk.present && level == walk.level;
        printf("  %5u %5u 0x%016llx %s", level, pt_index(address, level),
               (unsigned long long)entry,
               !(entry & PTE_P) ? "absent"
               : leaf           ? "leaf"
                                : "table");
        print_entry_bits(entry, leaf);
    }
    if (walk.present) {
        print_leaf(address, walk.entry[walk.level], walk.level);
    } else {
        printf("  nothing is mapped there\n");
    }
}

// -------------------------------------------------------------- peek and poke

struct peek {
    const volatile uint8_t *from;
    size_t length;
    uint8_t bytes[PEEK_LINE];
};

static void peek_bytes(void *context)
{
    struct peek *peek = context;
    for (size_t i = 0; i < peek->length; i++) {
        peek->bytes[i] = peek->from[i];
    }
}

static void print_peek(const struct peek *peek)
{
    printf("  %016lx ", (uintptr_t)peek->from);
    for (size_t i = 0; i < PEEK_LINE; i++) {
        if (i < peek->length) {
            printf(" %02x", peek->bytes[i]);
        } else {
            printf("   ");
        }
    }
    printf("  ");
    for (size_t i = 0; i < peek->length; i++) {
        uint8_t byte = peek->bytes[i];
        printf("%c", byte >= ' ' && byte <= '~' ? byte : '.');
    }
    printf("\n");
}

void shell_peek(int argc, char **argv)
{
    uintptr_t address;
    uint64_t length = PEEK_DEFAULT;
    if (!shell_address(argv[1], &address) ||
        (argc > 2 && !shell_number(argv[2], PEEK_MAX, &length))) {
        return;
    }
    while (length > 0) {
        struct peek peek = {
            .from = (const volatile uint8_t *)address,
            .length = MIN(length, PEEK_LINE),
        };
        if (!run_reported(peek_bytes, &peek, NULL)) {
            return;
        }
        print_peek(&peek);
        address += peek.length;
        length -= peek.length;
    }
}

struct poke {
    volatile uint8_t *to;
    uint8_t value;
};

static void poke_byte(void *context)
{
    const struct poke *poke = context;
    *poke->to = poke->value;
}

void shell_poke(int argc, char **argv)
{
    uintptr_t address;
    uint64_t value;
    (void)argc;
    if (!shell_address(argv[1], &address) ||
        !shell_number(argv[2], UINT8_MAX, &value)) {
        return;
    }
    struct poke poke = {(volatile uint8_t *)address, (uint8_t)value};
    if (run_reported(poke_byte, &poke, NULL)) {
        printf("  %016lx  %02x\n", address, poke.value);
    }
}

// ------------------------------------------------------------- alloc and free

static struct domain *domain_find(const char *name)
{
    for (struct domain *d = domain_next(DOMAIN_NONE); d != NULL;
         d = domain_next(d->id)) {
        if (strcmp(d->name, name) == 0) {
            return d;
        }
    }
    return domain_create(name);
}

void shell_alloc(int argc, char **argv)
{
    uint64_t order = 0;
    if (argc > 2 && !shell_number(argv[2], FRAME_ORDERS - 1, &order)) {
        return;
    }
    struct domain *domain = argc > 1 ? domain_find(argv[1]) : domain_ram;
    if (domain == NULL) {
        printf("no memory for another domain\n");
        return;
    }
    struct page *page = alloc_pages(domain, (unsigned)order);
    if (page == NULL) {
        printf("no %llu free frames in a row\n", 1ull << order);
        return;
    }
    printf("  frame 0x%llx, order %llu, domain %s, key %u\n",
           (unsigned long long)page_to_phys(page), (unsigned long long)order,
           domain_name(domain), domain->key);
    printf("  closed, at %p in the direct map\n",
           page_direct_map_address(page));
}

void shell_free(int argc, char **argv)
{
    uintptr_t address;
    (void)argc;
    if (!shell_address(argv[1], &address)) {
        return;
    }
    if (address - DIRECT_MAP_BASE < DIRECT_MAP_SIZE) {
        address -= DIRECT_MAP_BASE;
    }
    struct page *page = phys_to_page(address);
    if (page == NULL || !IS_ALIGNED(address, PAGE_SIZE)) {
        printf("0x%lx: no frame starts there\n", address);
        return;
    }
    unsigned order = page->private_order;
    free_pages(page, order);
    printf("  freed and poisoned: %llu KiB at 0x%lx\n",
           (unsigned long long)(PAGE_SIZE << order) / 1024, address);
}
