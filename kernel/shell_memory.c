// SPDX-License-Identifier: MIT
//
// The shell's commands about memory. peek and poke are plain accesses with the
// rights that the shell has, which are none: what is closed stays closed.
#include "kernel/guard.h"
#include "kernel/shell_internal.h"
#include "keyhole.h"
#include "mm/domain.h"
#include "mm/frames.h"

#define PEEK_DEFAULT 64
#define PEEK_MAX 4096
#define PEEK_LINE 16

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
        const char *gap = i % 2 == 0 ? " " : ""; // else it is too wide
        if (i < peek->length) {
            printf("%s%02x", gap, peek->bytes[i]);
        } else {
            printf("%s  ", gap);
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
        shell_error("no memory for another domain");
        return;
    }
    struct page *page = alloc_pages(domain, (unsigned)order);
    if (page == NULL) {
        shell_error("no %llu free frames in a row", 1ull << order);
        return;
    }
    printf("  frame 0x%llx, order %llu, domain %s",
           (unsigned long long)page_to_phys(page), (unsigned long long)order,
           domain_name(domain));
    if (domain->key != 0) { // the engine has keys, and the domain has one
        printf(", key %u", domain->key);
    }
    printf("\n  %s, at %p in the direct map\n",
           protect_engine() == PROTECT_OPEN ? "open to all" : "closed",
           page_direct_map_address(page));
}

void shell_free(int argc, char **argv)
{
    uintptr_t address;
    (void)argc;
    if (!shell_address(argv[1], &address)) {
        return;
    }
    address = shell_physical(address);
    struct page *page = phys_to_page(address);
    if (page == NULL || !IS_ALIGNED(address, PAGE_SIZE)) {
        shell_error("0x%lx: no frame starts there", address);
        return;
    }
    unsigned order = page->private_order;
    free_pages(page, order);
    printf("  freed and poisoned: %llu KiB at 0x%lx\n",
           (unsigned long long)(PAGE_SIZE << order) / 1024, address);
}
