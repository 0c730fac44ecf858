// SPDX-License-Identifier: MIT
//
// What the heap takes comes back: slabs, large objects, all of memory.
#include "kernel/symbols.h"
#include "keyhole.h"
#include "lib/types.h"
#include "mm/frames.h"
#include "mm/heap.h"
#include "tests/framework.h"

struct node {
    struct node *next;
};

// Allocate objects of a size until `count` or none is left.
static size_t chain_make(struct node **chain, size_t size, size_t count)
{
    size_t made = 0;
    struct node *node;
    while (made < count && (node = kmalloc(size)) != NULL) {
        node->next = *chain;
        *chain = node;
        made++;
    }
    return made;
}

static void chain_free(struct node **chain)
{
    while (*chain != NULL) {
        struct node *node = *chain;
        *chain = node->next;
        kfree(node);
    }
}

// What a round leaves used: the heap's own tables, which stay, may grow in the
// first. Small objects would keep a stack and a slab without the trim.
static uint64_t free_after_round(size_t size)
{
    struct node *chain = NULL;
    chain_make(&chain, size, MIB(4) / size);
    chain_free(&chain);
    heap_trim();
    return frames_free_bytes();
}

TEST(heap, slabs_come_back)
{
    static const size_t sizes[] = {16, 48, 64, 192, 1000, 3000, 5000, MIB(1)};
    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
        if (test_takes(i)) {
            uint64_t first = free_after_round(sizes[i]);
            CHECK_EQ(free_after_round(sizes[i]), first);
        }
    }
    // A slab goes when its last object does, all but one: no trim needed. What
    // is known of slabs stays where it was needed once.
    struct node *chain = NULL;
    CHECK_EQ(chain_make(&chain, 128, 8192), 8192);
    chain_free(&chain);
    heap_trim();
    uint64_t idle = frames_free_bytes();
    CHECK_EQ(chain_make(&chain, 128, 8192), 8192);
    CHECK(idle - frames_free_bytes() >= MIB(1));
    chain_free(&chain);
    CHECK(idle - frames_free_bytes() <= KIB(64));
    heap_trim();
}

TEST(heap, waste_is_small)
{
    struct node *chain = NULL;
    free_after_round(1000);
    uint64_t idle = frames_free_bytes();
    CHECK_EQ(chain_make(&chain, 1000, 2048), 2048);
    uint64_t used = idle - frames_free_bytes();
    chain_free(&chain);
    heap_trim();
    CHECK(used < 2048 * 1000 * 5 / 4);
}

static size_t exhaust(struct node **chain)
{
    size_t bytes = 0;
    for (size_t size = MIB(32); size >= 64; size /= 8) {
        bytes += size * chain_make(chain, size, ~0ul);
    }
    return bytes;
}

TEST(heap, exhaustion_and_recovery)
{
    if (frames_total_bytes() > GIB(1)) {
        SKIP("more memory than there is time for");
    }
    struct node *chain = NULL;
    struct domain *domain = domain_create("idle");
    CHECK(domain != NULL);
    free_page(alloc_page(domain)); // now it keeps a block
    uint64_t free_before = frames_free_bytes();
    size_t first = exhaust(&chain);
    bool all_gone = kmalloc(64) == NULL && kmalloc(MIB(1)) == NULL;
    bool block_gone = alloc_pages(domain, 3) == NULL;
    chain_free(&chain);
    heap_trim();
    uint64_t free_after = frames_free_bytes();
    size_t second = exhaust(&chain);
    chain_free(&chain);
    heap_trim();
    CHECK(first >= free_before / 4 * 3);
    CHECK(all_gone);
    CHECK(block_gone);
    CHECK(free_after + MIB(5) >= free_before); // tables, heap headers
    CHECK_EQ(frames_free_bytes(), free_after);
    CHECK(second + MIB(1) >= first && first + MIB(1) >= second);
    struct page *page = alloc_pages(domain_ram, 9);
    CHECK(page != NULL);
    free_pages(page, 9);
    CHECK_EQ(domain_destroy(domain), 0);
}

// What the heap and domains keep unused gives way to what somebody needs.
TEST(heap, kept_memory_is_given_back_in_need)
{
    if (frames_total_bytes() > GIB(1)) {
        SKIP("more memory than there is time for");
    }
    struct node *chain = NULL, *kept = NULL;
    CHECK_EQ(chain_make(&kept, 3000, 5), 5);
    struct page *block = alloc_pages(domain_ram, 3);
    CHECK(block != NULL);
    exhaust(&chain);
    void *none = kmalloc(2000);
    chain_free(&kept); // a stack keeps them, and so their slab
    void *one = kmalloc(2000);
    void *none_again = kmalloc(1500);
    free_pages(block, 3); // the domain keeps them
    void *two = kmalloc(1500);
    chain_free(&chain);
    kfree(one);
    kfree(two);
    heap_trim();
    CHECK(none == NULL && one != NULL);
    CHECK(none_again == NULL && two != NULL);
}

#ifdef KEYHOLE_DEBUG
static unsigned leaky_line;

__noinline static void *leaky(size_t size)
{
    leaky_line = __LINE__ + 1;
    void *object = kmalloc(size);
    __asm__ volatile("" : "+r"(object)); // so the call has a line of its own
    return object;
}
#endif

TEST(heap, leaks_by_call_site)
{
#ifdef KEYHOLE_DEBUG
    struct heap_leak leaks[4];
    void *earlier = leaky(50);
    uint32_t mark = heap_mark();
    CHECK_EQ(heap_leaks(mark, leaks, ARRAY_SIZE(leaks)), 0);
    void *objects[3];
    for (unsigned i = 0; i < 3; i++) {
        objects[i] = leaky(100 + i);
    }
    void *large = kzalloc(10000);
    CHECK_EQ(heap_leaks(mark, leaks, ARRAY_SIZE(leaks)), 2);
    CHECK_EQ(leaks[0].objects, 3);
    CHECK_EQ(leaks[0].bytes, 303);
    CHECK_EQ(leaks[1].bytes, 10000);
    const char *file;
    unsigned found;
    CHECK(symbol_line(leaks[0].site - 1, &file, &found));
    CHECK(strcmp(file, __FILE__) == 0 && found == leaky_line);
    for (unsigned i = 0; i < 3; i++) {
        kfree(objects[i]);
    }
    kfree(large);
    CHECK_EQ(heap_leaks(mark, leaks, ARRAY_SIZE(leaks)), 0);
    kfree(earlier);
#else
    SKIP("release builds do not record who allocates");
#endif
}
