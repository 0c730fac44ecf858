// SPDX-License-Identifier: MIT
//
// Wrong use of the heap is caught and reported with both call sites; what was
// caught has changed nothing.
#include "kernel/misuse.h"
#include "kernel/symbols.h"
#include "keyhole.h"
#include "lib/string.h"
#include "lib/types.h"
#include "mm/heap.h"

// Site `i` of the last report is a call in this line of this file.
static bool site_is(unsigned i, unsigned want_line)
{
    const char *file;
    unsigned line;
    const struct misuse *misuse = misuse_last();
    if (misuse->site[i].what == NULL ||
        !symbol_line(misuse->site[i].ip - 1, &file, &line)) {
        return false;
    }
    return strcmp(file, __FILE__) == 0 && line == want_line;
}

static bool report_is(const char *want, const void *address)
{
    const struct misuse *misuse = misuse_last();
    if (strcmp(misuse->what, want) != 0 || misuse->address != address) {
        printf("# reported \"%s\" at %p, want \"%s\" at %p\n", misuse->what,
               misuse->address, want, address);
        return false;
    }
    return true;
}

// So that the compiler does not see what is done to the object.
static void *hidden(void *object)
{
    __asm__("" : "+r"(object));
    return object;
}

static void free_twice(size_t size)
{
    void *object = kmalloc(size);
    CHECK(object != NULL);
    void *again = hidden(object);
    unsigned before = __LINE__ + 1;
    kfree(object);
    unsigned line = __LINE__ + 1;
    CHECK_MISUSE(kfree(again));
    CHECK(report_is("heap object freed twice", again));
    CHECK(site_is(0, line) && site_is(1, before));
    // It is on no list twice.
    void *a = kmalloc(size), *b = kmalloc(size);
    CHECK(a != NULL && b != NULL && a != b);
    kfree(a);
    kfree(b);
}

TEST(heap_misuse, freed_twice)
{
    free_twice(1);
    free_twice(64);
    free_twice(3000);
    free_twice(PAGE_SIZE);
    free_twice(100000);
}

// The slab went back, and the report does without its contents.
TEST(heap_misuse, freed_twice_after_trim)
{
    heap_trim();
    void *object = kmalloc(700);
    CHECK(object != NULL);
    void *again = hidden(object);
    kfree(object);
    heap_trim();
    unsigned line = __LINE__ + 1;
    CHECK_MISUSE(kfree(again));
    CHECK(report_is("heap object freed twice", again));
    CHECK(site_is(0, line) && misuse_last()->site[1].what == NULL);
}

static void free_inside(size_t size, size_t offset)
{
    unsigned made = __LINE__ + 1;
    char *object = kmalloc(size);
    CHECK(object != NULL);
    char *inside = (char *)hidden(object) + offset;
    unsigned line = __LINE__ + 1;
    CHECK_MISUSE(kfree(inside));
    CHECK(report_is("free of an address inside a heap object", inside));
    CHECK(site_is(0, line));
#ifdef KEYHOLE_DEBUG
    CHECK(site_is(1, made));
#else
    (void)made;
#endif
    kfree(object);
}

TEST(heap_misuse, free_inside_an_object)
{
    free_inside(64, 16);
    free_inside(64, 1);
    free_inside(100, 8);
    free_inside(2000, 1024);
    free_inside(PAGE_SIZE, 16);
    free_inside(100000, 65536);
}

static void free_foreign(void *address)
{
    unsigned line = __LINE__ + 1;
    CHECK_MISUSE(kfree(address));
    CHECK(report_is("free of an address that the heap did not give", address));
    CHECK(site_is(0, line) && misuse_last()->site[1].what == NULL);
}

TEST(heap_misuse, free_of_what_is_not_ours)
{
    static uint64_t global;
    uint64_t local;
    struct page *page = alloc_page(domain_ram);
    CHECK(page != NULL);
    char *large = kmalloc(PAGE_SIZE);
    char *small = kmalloc(64);
    CHECK(large != NULL && small != NULL);
    free_foreign(hidden(&global));
    free_foreign(hidden(&local));
    free_foreign(hidden(page_direct_map_address(page)));
    free_foreign((void *)1);
    free_foreign((void *)~0ul);
    free_foreign((void *)0x800000000000ul);          // not canonical
    free_foreign((char *)hidden(large) + PAGE_SIZE); // the page behind
    free_foreign((char *)hidden(small) + GIB(16));   // an unused slab
    free_foreign((char *)hidden(large) + MIB(512));  // an unused slot
    kfree(large);
    kfree(small);
    free_page(page);
}

#ifdef KEYHOLE_DEBUG

static void overflow(size_t size, size_t offset)
{
    unsigned made = __LINE__ + 1;
    volatile uint8_t *object = kmalloc(size);
    CHECK(object != NULL);
    volatile uint8_t *past = (uint8_t *)hidden((void *)object) + offset;
    uint8_t was = *past;
    *past = was ^ 1;
    unsigned line = __LINE__ + 1;
    CHECK_MISUSE(kfree((void *)object));
    CHECK(report_is("heap object written past its end", (void *)past));
    CHECK(site_is(0, line) && site_is(1, made));
    *past = was;
    kfree((void *)object);
}

TEST(heap_misuse, written_past_its_end)
{
    static const size_t sizes[] = {0,   1,    15,   16,   17,   64,  100,
                                   255, 2047, 2048, 3000, 3071, 5000};
    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
        overflow(sizes[i], sizes[i]);
        overflow(sizes[i], sizes[i] + 15);
    }
}

static void use_after_free(size_t size, size_t offset)
{
    volatile uint8_t *object = kmalloc(size);
    CHECK(object != NULL);
    volatile uint8_t *stale = (uint8_t *)hidden((void *)object) + offset;
    unsigned freed = __LINE__ + 1;
    kfree((void *)object);
    *stale = 1;
    unsigned line = __LINE__ + 1;
    CHECK_MISUSE(kmalloc(size));
    CHECK(
        report_is("heap object written to after it was freed", (void *)stale));
    CHECK(site_is(0, line) && site_is(1, freed));
    void *next = kmalloc(size); // reported once
    CHECK(next == (void *)object);
    kfree(next);
}

TEST(heap_misuse, written_to_after_free)
{
    use_after_free(1, 0);
    use_after_free(64, 0);
    use_after_free(64, 63);
    use_after_free(100, 57);
    use_after_free(3000, 2999);
}

// A freed object keeps no secret, and a new one holds no promise.
TEST(heap_misuse, contents_are_overwritten)
{
    uint8_t *object = kmalloc(200);
    CHECK(object != NULL);
    memset(object, 0x11, 200);
    const volatile uint8_t *stale = hidden(object);
    kfree(object);
    uint8_t freed = *stale;
    CHECK(freed != 0 && freed != 0x11);
    for (unsigned i = 0; i < 200; i++) {
        CHECK_EQ(stale[i], freed);
    }
    object = kmalloc(200);
    CHECK(object == stale);
    uint8_t fresh = *object;
    CHECK(fresh != 0 && fresh != freed);
    for (unsigned i = 0; i < 200; i++) {
        CHECK_EQ(object[i], fresh);
    }
    kfree(object);
}

#endif
