// SPDX-License-Identifier: MIT
//
// Wrong use of the calls that map more than one frame or map for longer: each
// is reported with both call sites by function, file and line, and changes
// nothing. One frame's brackets are in the file beside this.
#include "arch/asm.h"
#include "arch/pks.h"
#include "kernel/misuse.h"
#include "kernel/symbols.h"
#include "keyhole.h"
#include "lib/types.h"
#include "mm/bracket.h"
#include "mm/pagetable.h"
#include "tests/engines.h"

static char image; // a frame of the kernel image

static struct page *page_of_image(void)
{
    return phys_to_page((uintptr_t)&image - KERNEL_BASE);
}

// Site `i` of the last report is in this line of this function, here.
static bool site_is(unsigned i, unsigned want_line, const char *want_function)
{
    const char *file = "nowhere";
    unsigned line = 0;
    const struct misuse *misuse = misuse_last();
    if (want_line == 0) {
        return misuse->site[i].what == NULL;
    }
    uintptr_t call = misuse->site[i].ip - 1;
    const char *function = symbol_find(call, NULL);
    if (misuse->site[i].what != NULL && function != NULL &&
        symbol_line(call, &file, &line) && line == want_line &&
        strcmp(file, __FILE__) == 0 && strcmp(function, want_function) == 0) {
        return true;
    }
    printf("# site %u is %s:%u in %s, want line %u in %s\n", i, file, line,
           function != NULL ? function : "nothing", want_line, want_function);
    return false;
}

static bool report_is(const char *what, unsigned line, unsigned other,
                      const char *function)
{
    if (strcmp(misuse_last()->what, what) != 0) {
        printf("# reported \"%s\", want \"%s\"\n", misuse_last()->what, what);
        return false;
    }
    return site_is(0, line, function) && site_is(1, other, function);
}

// `call`, in one line, is reported as `what`; the other site is in line
// `other`, or there is none (0). CHECK_MISUSE() would keep the text of the call
// with its macros expanded, a screenful each.
#define REPORTED(call, what, other)                                            \
    do {                                                                       \
        uint32_t rights_ = pks_rights();                                       \
        unsigned depth_ = brackets_depth();                                    \
        CHECK_CAUGHT_(test_caught_misuse(__FILE__, __LINE__, &catch_, #call),  \
                      true, call);                                             \
        CHECK(report_is(what, __LINE__, other, __func__));                     \
        CHECK_EQ(pks_rights(), rights_);                                       \
        CHECK_EQ(brackets_depth(), depth_);                                    \
    } while (0)

#define NOT_MAPPED "kmap of a frame that is not allocated"
#define NOT_VMAPPED "vmap of a frame that is not allocated"
#define KERNELS "map of a frame of the kernel's own"
#define LEAVES "map of a range that leaves its frames"
#define ALREADY "vunmap of a range that is unmapped already"
#define NOT_GIVEN "vunmap of an address that vmap() did not give"
#define UNKNOWN "vmap with an unknown prot"

// ---------------------------------------------------------------------- Ranges

TEST(misuse_maps, bad_ranges)
{
    NEEDS_ACCOUNT();
    struct page *b = alloc_pages(domain_ram, 2);
    CHECK(b != NULL);
    REPORTED(kmap_local_range(b, 8, 0), "map of a range of length 0", 0);
    REPORTED(kmap_local_range_ro(b, 8, 0), "map of a range of length 0", 0);
    REPORTED(kmap_local_range(b, 0, 1ul << 43), LEAVES, 0);
    REPORTED(kmap_local_range_ro(b, 0, 1ul << 43), LEAVES, 0);
    REPORTED(kmap_local_range(b, 1ul << 43, 1), LEAVES, 0);
    REPORTED(kmap_local_range_ro(b, ~0ul, 2), LEAVES, 0);
    free_pages(b, 2);
}

#define BLOCKS 8
#define BLOCK_FRAMES 512

// Blocks of 2 MiB of two domains by turns; as many as there are.
static unsigned blocks_take(struct domain *const domains[2],
                            struct page *blocks[BLOCKS])
{
    unsigned count = 0;
    while (count < BLOCKS &&
           (blocks[count] = alloc_pages(domains[count % 2], 9)) != NULL) {
        count++;
    }
    return count;
}

// The last frame of a block that one of the other domain follows, or NULL.
static struct page *border_find(struct page *const blocks[], unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        for (unsigned k = 1 - i % 2; k < count; k += 2) {
            if (blocks[k] == blocks[i] + BLOCK_FRAMES) {
                return blocks[k] - 1;
            }
        }
    }
    return NULL;
}

static void border_is_kept(struct page *last)
{
    const char what[] = "map of a range that mixes domains";
    REPORTED(kmap_local_range(last, PAGE_SIZE - 1, 2), what, 0);
    REPORTED(kmap_local_range_ro(last, 0, 2 * PAGE_SIZE), what, 0);
    kunmap_local(kmap_local_range(last, PAGE_SIZE - 2, 2));
}

TEST(misuse_maps, range_of_two_domains)
{
    NEEDS_ACCOUNT();
    struct domain *domains[] = {domain_create("one"), domain_create("two")};
    struct page *blocks[BLOCKS];
    CHECK(domains[0] != NULL && domains[1] != NULL);
    unsigned count = blocks_take(domains, blocks);
    struct page *last = border_find(blocks, count);
    if (last != NULL) {
        border_is_kept(last);
    }
    while (count-- > 0) {
        free_pages(blocks[count], 9);
    }
    CHECK_EQ(domain_destroy(domains[0]), 0);
    CHECK_EQ(domain_destroy(domains[1]), 0);
    if (last == NULL) {
        SKIP("the allocator gave no neighbours");
    }
}

TEST(misuse_maps, range_freed_while_open)
{
    NEEDS_ACCOUNT();
    struct page *b = alloc_pages(domain_ram, 2);
    CHECK(b != NULL);
    for (unsigned i = 0; i < 4; i++) {
        unsigned mapped = __LINE__ + 1;
        const void *p = kmap_local_range(b, i * PAGE_SIZE + 9, 9);
        const char what[] = "frame freed while a bracket on it is open";
        REPORTED(free_pages(b, 2), what, mapped);
        kunmap_local(p);
    }
    free_pages(b, 2);
}

// ------------------------------------------------------------ Scattered frames

TEST(misuse_maps, bad_lists)
{
    struct domain *other = domain_create("other");
    CHECK(other != NULL);
    struct page *ab[] = {alloc_page(domain_ram), alloc_page(other)};
    CHECK(ab[0] != NULL && ab[1] != NULL);
    const char mixed[] = "map of frames of several domains";
    const char many[] = "map of more than 512 scattered frames";
    REPORTED(kmap_local_pages(ab, 2), mixed, 0);
    REPORTED(kmap_local_pages_ro(ab, 2), mixed, 0);
    REPORTED(kmap_local_pages(ab, 0), "map of no frames", 0);
    REPORTED(kmap_local_pages_ro(ab, 0), "map of no frames", 0);
    REPORTED(kmap_local_pages(ab, 513), many, 0);
    REPORTED(kmap_local_pages_ro(ab, ~0ul), many, 0);
    unsigned freed = __LINE__ + 1;
    free_page(ab[1]);
    const char what[] = "map of a frame that was freed";
    REPORTED(kmap_local_pages(ab, 2), what, freed);
    REPORTED(kmap_local_pages_ro(ab + 1, 1), what, freed);
    free_page(ab[0]);
    CHECK_EQ(domain_destroy(other), 0);
}

TEST(misuse_maps, window_brackets)
{
    NEEDS_ACCOUNT();
    struct page *ab[] = {alloc_page(domain_ram), alloc_page(domain_ram)};
    CHECK(ab[0] != NULL && ab[1] != NULL);
    const void *p = kmap_local_pages(ab, 2);
    unsigned mapped = __LINE__ + 1;
    const void *q = kmap_local_pages_ro(ab, 1);
    REPORTED(kunmap_local(p), "unmap out of order", mapped);
    const char open[] = "frame freed while a bracket on it is open";
    REPORTED(free_page(ab[0]), open, mapped);
    unsigned closed = __LINE__ + 1;
    kunmap_local(q);
    REPORTED(kunmap_local(q), "unmapped twice", closed);
    unsigned outer = __LINE__ + 1;
    kunmap_local(p);
    REPORTED(kunmap_local(p), "unmapped twice", outer);
    free_page(ab[0]);
    free_page(ab[1]);
}

// ------------------------------------------------------------------------ kmap

TEST(misuse_maps, kmap_and_kunmap)
{
    struct page *b = alloc_pages(domain_ram, 1);
    CHECK(b != NULL);
    const char unmapped[] = "kunmap of a frame that is not mapped";
    const char open[] = "frame freed while kmap() has it open";
    REPORTED(kunmap(b), unmapped, 0);
    unsigned mapped = __LINE__ + 1;
    CHECK(kmap_range(b, 2) != NULL);
    REPORTED(free_pages(b, 1), open, mapped);
    unsigned before = __LINE__ + 1;
    kunmap_range(b, 2);
    REPORTED(kunmap(b + 1), unmapped, before);
    REPORTED(kunmap_range(b, 2), unmapped, before);
    REPORTED(kmap_range(b, 0), "kmap of no frames", 0);
    REPORTED(kunmap_range(b, 0), "kunmap of no frames", 0);
    REPORTED(kmap_range(b, 1ul << 40), NOT_MAPPED, 0);
    free_pages(b, 1);
    REPORTED(kmap(b), NOT_MAPPED, 0);
    REPORTED(kunmap(b), "kunmap of a frame that is not allocated", 0);
}

// ------------------------------------------------------------------------ vmap

TEST(misuse_maps, vmap_arguments)
{
    struct page *a = alloc_page(domain_ram);
    CHECK(a != NULL);
    phys_addr_t base = page_to_phys(a);
    REPORTED(vmap(&a, 0, MAP_READ), "vmap of no frames", 0);
    REPORTED(vmap(&a, 1, 0), UNKNOWN, 0);
    REPORTED(vmap(&a, 1, MAP_WRITE), UNKNOWN, 0);
    REPORTED(vmap(&a, 1, MAP_READ | MAP_UNCACHED), UNKNOWN, 0);
    REPORTED(vmap(&a, 1, MAP_READ | 8), UNKNOWN, 0);
    REPORTED(vmap_range(base, 1, 0), UNKNOWN, 0);
    REPORTED(vmap_range(base, 1, MAP_WRITE), UNKNOWN, 0);
    REPORTED(vmap_range(base, 1, MAP_READ | 8), UNKNOWN, 0);
    REPORTED(vmap_range(base, 0, MAP_READ), "vmap_range of length 0", 0);
    const char unaligned[] = "vmap_range of an unaligned base";
    REPORTED(vmap_range(base + 1, 1, MAP_READ), unaligned, 0);
    free_page(a);
}

TEST(misuse_maps, vunmap_of_what_is_not)
{
    struct page *a = alloc_page(domain_ram);
    CHECK(a != NULL);
    unsigned mapped = __LINE__ + 1;
    char *p = vmap(&a, 1, MAP_READ);
    CHECK(p != NULL);
    REPORTED(free_page(a), "frame freed while vmap() has it open", mapped);
    REPORTED(vunmap(p + 1), NOT_GIVEN, 0);
    REPORTED(vunmap(p - PAGE_SIZE), NOT_GIVEN, 0);
    REPORTED(vunmap(NULL), NOT_GIVEN, 0);
    REPORTED(vunmap(&image), NOT_GIVEN, 0);
    REPORTED(vunmap(page_direct_map_address(a)), NOT_GIVEN, 0);
    unsigned before = __LINE__ + 1;
    vunmap(p);
    REPORTED(vunmap(p), ALREADY, before);
    mapped = __LINE__ + 1; // in the same slot again
    p = vmap(&a, 1, MAP_READ);
    REPORTED(free_page(a), "frame freed while vmap() has it open", mapped);
    vunmap(p);
    unsigned ranged = __LINE__ + 1;
    p = vmap_range(page_to_phys(a), 1, MAP_READ);
    CHECK(p != NULL);
    REPORTED(free_page(a), "frame freed while vmap() has it open", ranged);
    before = __LINE__ + 1;
    vunmap(p);
    REPORTED(vunmap(p), ALREADY, before);
    free_page(a);
}

// -------------------------------------------------- Frames that nobody may map

// A frame of the image or of a page table, by every call that maps.
static void every_call_refuses(struct page *k)
{
    phys_addr_t base = page_to_phys(k);
    char byte = 0;
    REPORTED(kmap_local_page(k), KERNELS, 0);
    REPORTED(kmap_local_page_ro(k), KERNELS, 0);
    CHECK_MISUSE(kmap_local_range(k, 1, 1));
    CHECK_MISUSE(kmap_local_range_ro(k, 1, 1));
    REPORTED(kmap_local_pages(&k, 1), KERNELS, 0);
    REPORTED(kmap_local_pages_ro(&k, 1), KERNELS, 0);
    REPORTED(kmap(k), NOT_MAPPED, 0);
    REPORTED(kmap_range(k, 1), NOT_MAPPED, 0);
    REPORTED(vmap(&k, 1, MAP_READ), NOT_VMAPPED, 0);
    CHECK(vmap_range(base, 1, MAP_READ) == NULL);
    CHECK(vmap_range(base, 1, MAP_READ | MAP_UNCACHED) == NULL);
    REPORTED(memcpy_from_page(&byte, k, 0, 1), KERNELS, 0);
    REPORTED(memcpy_to_page(k, 0, &byte, 1), KERNELS, 0);
    REPORTED(memset_page(k, 0, 1, 1), KERNELS, 0);
    REPORTED(memzero_page(k, 0, 1), KERNELS, 0);
    REPORTED(memcpy_page(k, 0, k, 0, 1), KERNELS, 0);
}

TEST(misuse_maps, kernel_image_in_every_call)
{
    NEEDS_ACCOUNT();
    every_call_refuses(page_of_image());
}

TEST(misuse_maps, page_table_in_every_call)
{
    NEEDS_ACCOUNT();
    every_call_refuses(phys_to_page(pt_root()));
}

TEST(misuse_maps, free_frame_in_every_call)
{
    NEEDS_ACCOUNT();
    struct page *a = alloc_page(domain_ram), *good = alloc_page(domain_ram);
    CHECK(a != NULL && good != NULL);
    char byte = 0;
    unsigned freed = __LINE__ + 1;
    free_page(a);
    const char what[] = "map of a frame that was freed";
    CHECK_MISUSE(kmap_local_range(a, 1, 1));
    CHECK_MISUSE(kmap_local_range_ro(a, 1, 1));
    REPORTED(kmap_local_page_ro(a), what, freed);
    REPORTED(kmap_local_pages(&a, 1), what, freed);
    REPORTED(kmap(a), NOT_MAPPED, 0);
    REPORTED(kmap_range(a, 1), NOT_MAPPED, 0);
    REPORTED(vmap(&a, 1, MAP_READ), NOT_VMAPPED, 0);
    CHECK(vmap_range(page_to_phys(a), 1, MAP_READ) == NULL);
    REPORTED(memcpy_from_page(&byte, a, 0, 1), what, freed);
    REPORTED(memcpy_to_page(a, 0, &byte, 1), what, freed);
    REPORTED(memset_page(a, 0, 1, 1), what, freed);
    REPORTED(memzero_page(a, 0, 1), what, freed);
    REPORTED(memcpy_page(a, 0, good, 0, 1), what, freed);
    REPORTED(memcpy_page(good, 0, a, 0, 1), what, freed);
    CHECK_EQ(pks_rights(), PKRS_CLOSED);
    free_page(good);
}

// -------------------------------------------------------------------- Handlers

static const void *threads_bracket;

static void unmap_threads_bracket(void *line)
{
    *(unsigned *)line = __LINE__ + 1;
    kunmap_local(threads_bracket);
}

TEST(misuse_maps, unmap_by_a_handler)
{
    NEEDS_ACCOUNT();
    struct page *a = alloc_page(domain_ram);
    CHECK(a != NULL);
    const char what[] = "unmap in a handler of a bracket that is not its own";
    static void (*const senders[])(unsigned cpu, void (*fn)(void *),
                                   void *arg) = {cpu_call, cpu_nmi};
    for (unsigned i = 0; i < ARRAY_SIZE(senders); i++) {
        unsigned line, mapped = __LINE__ + 1;
        threads_bracket = kmap_local_page(a);
        CHECK_MISUSE(senders[i](cpu_id(), unmap_threads_bracket, &line));
        CHECK_EQ(strcmp(misuse_last()->what, what), 0);
        CHECK(site_is(0, line, "unmap_threads_bracket"));
        CHECK(site_is(1, mapped, __func__));
        kunmap_local(threads_bracket);
    }
    free_page(a);
}

static void leave_open(void *page)
{
    (void)kmap_local_page(page);
}

static const unsigned leave_open_line = __LINE__ - 3;

TEST(misuse_maps, handler_ends_open)
{
    NEEDS_ACCOUNT();
    struct page *a = alloc_page(domain_ram);
    CHECK(a != NULL);
    CHECK_MISUSE(cpu_call(cpu_id(), leave_open, a));
    CHECK_EQ(strcmp(misuse_last()->what, "handler ends with a bracket open"),
             0);
    CHECK(site_is(0, leave_open_line, "leave_open"));
    CHECK(misuse_last()->site[1].ip != 0); // what it interrupted
    CHECK_MISUSE(cpu_nmi(cpu_id(), leave_open, a));
    CHECK(site_is(0, leave_open_line, "leave_open"));
    free_page(a);
}
