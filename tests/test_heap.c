// SPDX-License-Identifier: MIT
//
// kmalloc(), kzalloc(), kfree(): what they give, and that nobody else has it.
#include "arch/pte.h"
#include "keyhole.h"
#include "lib/types.h"
#include "mm/frames.h"
#include "mm/heap.h"
#include "mm/pagetable.h"
#include "tests/engines.h"
#include "tests/framework.h"
#include "tests/scratch.h"

#define LIVE_MAX 200

// ------------------------------------------------------------------- Contents

struct object {
    uint8_t *at;
    size_t size;
    uint8_t tag;
};

// Large objects are looked at in a few places only.
#define STRIDE(size) ((size) > 64 * PAGE_SIZE ? 509 : 1)

static uint8_t byte_of(const struct object *object, size_t i)
{
    return object->tag + i % 251;
}

static void object_fill(const struct object *object)
{
    for (size_t i = 0; i < object->size; i += STRIDE(object->size)) {
        object->at[i] = byte_of(object, i);
    }
    if (object->size != 0) {
        object->at[object->size - 1] = byte_of(object, object->size - 1);
    }
}

static bool object_holds(const struct object *object)
{
    for (size_t i = 0; i < object->size; i += STRIDE(object->size)) {
        if (object->at[i] != byte_of(object, i)) {
            return false;
        }
    }
    return object->size == 0 ||
           object->at[object->size - 1] == byte_of(object, object->size - 1);
}

static bool is_aligned(const void *at, size_t size)
{
    size_t align = 16;
    if (size > 16 && (size & (size - 1)) == 0) {
        align = MIN(size, PAGE_SIZE);
    }
    return IS_ALIGNED((uintptr_t)at, align);
}

static bool object_make(struct object *object, size_t size, uint8_t tag)
{
    *object = (struct object){.at = kmalloc(size), .size = size, .tag = tag};
    if (object->at != NULL) {
        object_fill(object);
    }
    return object->at != NULL;
}

TEST(heap, sizes_0_to_5000)
{
    struct object ring[64] = {0};
    struct heap_usage before, after;
    heap_usage_read(&before);
    for (size_t size = 0; size <= 5000; size++) {
        if (!test_takes(size)) {
            continue;
        }
        struct object *object = &ring[size % ARRAY_SIZE(ring)];
        CHECK(object_holds(object));
        kfree(object->at);
        CHECK(object_make(object, size, size * 7));
        CHECK(is_aligned(object->at, size));
    }
    for (size_t i = 0; i < ARRAY_SIZE(ring); i++) {
        CHECK(object_holds(&ring[i]));
        kfree(ring[i].at);
    }
    heap_usage_read(&after);
    CHECK_EQ(after.objects, before.objects);
    CHECK_EQ(after.bytes, before.bytes);
}

TEST(heap, every_power_of_two_is_aligned_to_itself)
{
    void *object[16];
    for (size_t size = 8; size <= 65536; size *= 2) {
        for (unsigned i = 0; i < ARRAY_SIZE(object); i++) {
            object[i] = kmalloc(size);
            CHECK(object[i] != NULL && is_aligned(object[i], size));
        }
        for (unsigned i = 0; i < ARRAY_SIZE(object); i++) {
            kfree(object[i]);
        }
    }
}

// What lies behind an object is unmapped, and later the object itself.
static void large_check(const struct object *object)
{
    CHECK(IS_ALIGNED((uintptr_t)object->at, PAGE_SIZE));
    CHECK(object_holds(object));
    volatile uint8_t *at = object->at;
    volatile uint8_t *behind = at + ALIGN_UP(object->size, PAGE_SIZE);
    CHECK_FAULT(FAULT_NOT_PRESENT, ACCESS_WRITE, *behind = 1);
    kfree(object->at);
    CHECK_FAULT(FAULT_NOT_PRESENT, ACCESS_READ, (void)*at);
}

TEST(heap, large_sizes_and_the_page_behind)
{
    static const size_t sizes[] = {
        PAGE_SIZE,  4097,          8191,   65537,      MIB(1),
        MIB(1) + 1, MIB(2) - 4096, MIB(2), MIB(5) + 3, MIB(64)};
    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
        // Neighbours, so that what lies behind one is not just unused.
        struct object a, b;
        if (sizes[i] <= frames_free_bytes() / 3) {
            CHECK(object_make(&a, sizes[i], i));
            CHECK(object_make(&b, sizes[i], i + 1));
            large_check(&a);
            large_check(&b);
        }
    }
}

TEST(heap, size_0_is_unique)
{
    void *a = kmalloc(0), *b = kzalloc(0);
    CHECK(a != NULL && b != NULL && a != b);
    kfree(a);
    kfree(b);
    kfree(NULL);
}

TEST(heap, impossible_sizes)
{
    // Not known when compiling, or the compiler complains.
    static const size_t sizes[] = {~0ul,    ~0ul - 15,   ~0ul - 4095,
                                   BIT(63), BIT(63) - 1, BIT(48),
                                   GIB(4),  GIB(4) + 1,  GIB(4) - 4095};
    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
        CHECK(kmalloc(sizes[i]) == NULL);
        CHECK(kzalloc(sizes[i]) == NULL);
    }
    if (frames_total_bytes() < GIB(4) - MIB(4)) {
        CHECK(kmalloc(frames_total_bytes()) == NULL);
    }
}

TEST(heap, kzalloc_is_zero)
{
    static const size_t sizes[] = {1, 16, 64, 100, 2048, 3000, 4096, 100000};
    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
        uint8_t *object = kmalloc(sizes[i]);
        CHECK(object != NULL);
        memset(object, 0xff, sizes[i]);
        kfree(object);
        object = kzalloc(sizes[i]);
        CHECK(object != NULL);
        for (size_t j = 0; j < sizes[i]; j++) {
            CHECK_EQ(object[j], 0);
        }
        kfree(object);
    }
}

// ----------------------------------------------------------------- Protection

static void protection_check(size_t size)
{
    uint8_t *object = kmalloc(size);
    CHECK(object != NULL);
    struct pt_walk walk;
    pt_walk((uintptr_t)object, &walk);
    CHECK(walk.present);
    uint64_t leaf = walk.entry[walk.level];
    CHECK_EQ(pte_key(leaf), 0);
    CHECK((leaf & PTE_XD) && (leaf & PTE_RW) && !(leaf & PTE_US));
    *object = 0xc3; // RET
    CHECK_FAULT(FAULT_NO_EXECUTE, ACCESS_EXECUTE, ((void (*)(void))object)());

    // Its frame is nobody's, and closed in the direct map.
    uint64_t offset = (uintptr_t)object & (PT_LEVEL_SIZE(walk.level) - 1);
    struct page *page = phys_to_page((leaf & PTE_ADDRESS) + offset);
    CHECK(page != NULL && page_domain(page) == NULL);
    volatile uint8_t *direct = page_direct_map_address(page);
    CHECK_REFUSED(ACCESS_READ, (void)*direct);
    CHECK_MISUSE(kmap_local_page(page));
    kfree(object);
}

TEST(heap, key_0_never_executable)
{
    NEEDS_ACCOUNT();
    protection_check(64);
    protection_check(3000);
    protection_check(PAGE_SIZE);
    protection_check(MIB(2));
}

// ---------------------------------------------------------------- Random model

static uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static size_t random_size(uint64_t *state)
{
    uint64_t pick = random_next(state);
    switch (pick % 16) {
    case 0:
        return random_next(state) % 200000;
    case 1:
    case 2:
        return random_next(state) % 10000;
    case 3:
        return BIT(random_next(state) % 16);
    default:
        return random_next(state) % 700;
    }
}

SCRATCH_ARRAY(struct object, objects, LIVE_MAX, 0);

// No two live objects share a byte: each keeps its contents.
TEST(heap, random_model)
{
    struct heap_usage before, usage;
    uint64_t state = test_seed() * 2 + 1;
    size_t live = 0;
    memset(objects, 0, LIVE_MAX * sizeof(*objects));
    heap_usage_read(&before);
    for (unsigned step = 0; step < test_rounds(8000); step++) {
        struct object *object = &objects[random_next(&state) % LIVE_MAX];
        if (object->at != NULL) {
            CHECK(object_holds(object));
            kfree(object->at);
            object->at = NULL;
            live--;
        } else {
            size_t size = random_size(&state);
            CHECK(object_make(object, size, random_next(&state)));
            CHECK(is_aligned(object->at, size));
            live++;
        }
        if (step % 1024 == 0) {
            heap_usage_read(&usage);
            CHECK_EQ(usage.objects - before.objects, live);
        }
        if (step % 2000 == 1999) {
            heap_trim();
        }
    }
    for (unsigned i = 0; i < LIVE_MAX; i++) {
        CHECK(objects[i].at == NULL || object_holds(&objects[i]));
        kfree(objects[i].at);
    }
    heap_usage_read(&usage);
    CHECK_EQ(usage.objects, before.objects);
    CHECK_EQ(usage.bytes, before.bytes);
}

BENCH(heap, pair_64)
{
    BENCH_LOOP (n) {
        kfree(kmalloc(64));
    }
}

BENCH(heap, pair_4096)
{
    BENCH_LOOP (n) {
        kfree(kmalloc(PAGE_SIZE));
    }
}
