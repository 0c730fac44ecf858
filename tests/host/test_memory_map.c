// SPDX-License-Identifier: MIT
//
// lib/memory_map, with the maps that firmware should not make and does. Each
// map goes through the model as well, frame by frame.

#include <stdlib.h>

#include "tests/host/memory_model.h"
#include "tests/host/tap.h"

static struct memory_map map;
static struct memory_model model;

static void begin(uint64_t origin)
{
    memory_map_init(&map);
    memory_model_init(&model, origin);
}

static void add(uint64_t base, uint64_t length, enum memory_type type)
{
    memory_map_add(&map, base, length, type);
    memory_model_add(&model, base, length, type);
}

static void check_range(unsigned index, uint64_t base, uint64_t end,
                        enum memory_type type)
{
    CHECK(index < map.count);
    CHECK_EQ(map.ranges[index].base, base);
    CHECK_EQ(map.ranges[index].end, end);
    CHECK_STR(memory_type_name(map.ranges[index].type), memory_type_name(type));
}

#define CHECK_MODEL()                                                          \
    do {                                                                       \
        const char *problem = memory_model_compare(&model, &map);              \
        if (problem != NULL) {                                                 \
            host_test_fail(__FILE__, __LINE__, "the map has %s", problem);     \
            return;                                                            \
        }                                                                      \
    } while (0)

HOST_TEST(nothing_is_no_memory)
{
    begin(0);
    CHECK_EQ(map.count, 0);
    CHECK(memory_map_find(&map, 0) == NULL);
    CHECK(memory_map_find(&map, UINT64_MAX) == NULL);
    CHECK_EQ(memory_map_total(&map, MEMORY_USABLE), 0);
}

HOST_TEST(a_pc)
{
    begin(0);
    add(0, 0x9fc00, MEMORY_USABLE);
    add(0x9fc00, 0x400, MEMORY_RESERVED);
    add(0xf0000, 0x10000, MEMORY_RESERVED);
    add(0x100000, 0x1fee0000, MEMORY_USABLE);
    add(0x1ffe0000, 0x20000, MEMORY_ACPI);
    add(0xfffc0000, 0x40000, MEMORY_RESERVED);
    CHECK_EQ(map.count, 6);
    check_range(0, 0, 0x9f000, MEMORY_USABLE);
    check_range(1, 0x9f000, 0xa0000, MEMORY_RESERVED);
    check_range(2, 0xf0000, 0x100000, MEMORY_RESERVED);
    check_range(3, 0x100000, 0x1ffe0000, MEMORY_USABLE);
    check_range(4, 0x1ffe0000, 0x20000000, MEMORY_ACPI);
    check_range(5, 0xfffc0000, 0x100000000, MEMORY_RESERVED);
}

HOST_TEST(edges_of_find)
{
    begin(0);
    add(0x2000, 0x2000, MEMORY_USABLE);
    add(0x6000, 0x1000, MEMORY_RESERVED);
    CHECK(memory_map_find(&map, 0x1fff) == NULL);
    CHECK(memory_map_find(&map, 0x2000) == &map.ranges[0]);
    CHECK(memory_map_find(&map, 0x3fff) == &map.ranges[0]);
    CHECK(memory_map_find(&map, 0x4000) == NULL);
    CHECK(memory_map_find(&map, 0x6000) == &map.ranges[1]);
    CHECK(memory_map_find(&map, 0x7000) == NULL);
}

HOST_TEST(zero_length_is_nothing)
{
    begin(0);
    add(0x5000, 0, MEMORY_USABLE);
    add(0x5000, 0, MEMORY_RESERVED);
    add(0x5800, 0, MEMORY_RESERVED);
    add(UINT64_MAX, 0, MEMORY_RESERVED);
    CHECK_EQ(map.count, 0);
}

HOST_TEST(usable_shrinks_and_reserved_grows)
{
    begin(0);
    add(0x1001, 0x2fff, MEMORY_USABLE); // up to 0x4000
    add(0x8fff, 2, MEMORY_RESERVED);
    add(0xa001, 0xffe, MEMORY_USABLE); // no whole frame
    CHECK_EQ(map.count, 2);
    check_range(0, 0x2000, 0x4000, MEMORY_USABLE);
    check_range(1, 0x8000, 0xa000, MEMORY_RESERVED);
    CHECK_MODEL();
}

HOST_TEST(overlaps_take_the_stronger_in_any_order)
{
    for (unsigned order = 0; order < 2; order++) {
        begin(0);
        if (order == 0) {
            add(0x1000, 0x9000, MEMORY_USABLE);
            add(0x4000, 0x2000, MEMORY_RESERVED);
        } else {
            add(0x4000, 0x2000, MEMORY_RESERVED);
            add(0x1000, 0x9000, MEMORY_USABLE);
        }
        CHECK_EQ(map.count, 3);
        check_range(0, 0x1000, 0x4000, MEMORY_USABLE);
        check_range(1, 0x4000, 0x6000, MEMORY_RESERVED);
        check_range(2, 0x6000, 0xa000, MEMORY_USABLE);
        CHECK_MODEL();
    }
}

HOST_TEST(one_report_over_many)
{
    begin(0);
    for (unsigned i = 0; i < 100; i++) {
        add(i * 0x4000, 0x1000, i % 2 == 0 ? MEMORY_USABLE : MEMORY_BAD);
    }
    add(0x1000, 0x180000, MEMORY_RESERVED);
    CHECK_MODEL();
    add(0, 0x400000, MEMORY_BAD);
    CHECK_EQ(map.count, 1);
    CHECK_MODEL();
}

HOST_TEST(touching_ranges_join)
{
    begin(0);
    add(0x3000, 0x1000, MEMORY_USABLE);
    add(0x1000, 0x1000, MEMORY_USABLE);
    add(0x2000, 0x1000, MEMORY_USABLE);
    CHECK_EQ(map.count, 1);
    check_range(0, 0x1000, 0x4000, MEMORY_USABLE);
    add(0x4000, 0x1000, MEMORY_ACPI);
    add(0x5000, 0x1000, MEMORY_NVS);
    CHECK_EQ(map.count, 3);
    CHECK_MODEL();
}

HOST_TEST(a_length_that_wraps_ends_at_the_top)
{
    begin(MODEL_TOP);
    add(UINT64_MAX - 0x4fff, UINT64_MAX, MEMORY_RESERVED);
    add(UINT64_MAX - 0x7fff, UINT64_MAX, MEMORY_USABLE);
    CHECK_EQ(map.count, 2);
    CHECK_EQ(map.ranges[1].end, UINT64_MAX - 0xfff);
    CHECK(memory_map_find(&map, 0) == NULL);
    CHECK_MODEL();
    add(UINT64_MAX, 1, MEMORY_USABLE);
    add(UINT64_MAX, 1, MEMORY_BAD);
    add(UINT64_MAX, UINT64_MAX, MEMORY_USABLE);
    CHECK_MODEL();
}

HOST_TEST(everything_reserved_leaves_nothing)
{
    begin(0);
    add(0, UINT64_MAX, MEMORY_RESERVED);
    add(0x100000, 0x100000, MEMORY_USABLE);
    CHECK_EQ(memory_map_total(&map, MEMORY_USABLE), 0);
    CHECK_MODEL();
}

HOST_TEST(holes_of_4_gib)
{
    begin(0);
    for (uint64_t i = 0; i < 64; i++) {
        add(((63 - i) << 33) + 0x1000, 1ull << 32, MEMORY_USABLE);
    }
    CHECK_EQ(map.count, 64);
    CHECK_EQ(memory_map_total(&map, MEMORY_USABLE), 64ull << 32);
    CHECK(memory_map_find(&map, (5ull << 33) + (1ull << 32) + 0x1000) == NULL);
    CHECK(memory_map_find(&map, (5ull << 33) + (1ull << 32)) != NULL);
    CHECK_EQ(map.dropped, 0);
}

HOST_TEST(loader_data_inside_ram)
{
    begin(0);
    add(0x100000, 0x200000, MEMORY_USABLE);
    // The kernel, the command line in the middle of a frame, a module.
    add(0x100000, 0x54321, MEMORY_RESERVED);
    add(0x201234, 0x10, MEMORY_RESERVED);
    add(0x2ff000, 0x1000, MEMORY_RESERVED);
    CHECK_EQ(map.count, 5);
    check_range(1, 0x155000, 0x201000, MEMORY_USABLE);
    check_range(3, 0x202000, 0x2ff000, MEMORY_USABLE);
    CHECK_MODEL();
}

HOST_TEST(unknown_types_are_no_ram)
{
    begin(0);
    memory_map_add(&map, 0x1000, 0x1000, (enum memory_type)99);
    CHECK_EQ(map.count, 1);
    check_range(0, 0x1000, 0x2000, MEMORY_RESERVED);
    memory_map_add(&map, 0x5000, 0x1000, MEMORY_NONE);
    CHECK_EQ(map.count, 1);
    CHECK_STR(memory_type_name((enum memory_type)99), "unknown");
}

// The types turn after turn, each of one frame, with a hole behind every third.
HOST_TEST(thousands_of_entries)
{
    begin(0);
    for (unsigned i = 0; i < MODEL_FRAMES; i++) {
        add((uint64_t)i * 0x1000, i % 3 == 2 ? 0x800 : 0x1000,
            i % 2 == 0 ? MEMORY_USABLE : MEMORY_RESERVED);
        CHECK_MODEL();
    }
    CHECK(!model.exact);
    CHECK(map.dropped > 0);
    // Frames were lost, but not most of what the array could hold.
    CHECK(memory_map_total(&map, MEMORY_USABLE) >= 100 * 0x1000);
}

HOST_TEST(thousands_of_reservations_keep_the_large_ram)
{
    begin(0);
    memory_map_add(&map, GIB(1), GIB(4), MEMORY_USABLE);
    for (uint64_t i = 0; i < 5000; i++) {
        memory_map_add(&map, MIB(1) + i * 0x3000, 0x1000, MEMORY_RESERVED);
    }
    for (uint64_t i = 0; i < 5000; i++) {
        const struct memory_range *range =
            memory_map_find(&map, MIB(1) + i * 0x3000);

        CHECK(range != NULL && range->type == MEMORY_RESERVED);
    }
    CHECK_EQ(memory_map_total(&map, MEMORY_USABLE), GIB(4));
    CHECK_EQ(map.dropped, 0);
}

HOST_TEST(random_maps_against_the_model)
{
    srand(20240229);
    for (unsigned round = 0; round < 200; round++) {
        unsigned entries = 1 + (unsigned)rand() % 600;
        unsigned longest = 1 + (unsigned)rand() % 0x8000;

        begin(round % 2 == 0 ? 0 : MODEL_TOP);
        for (unsigned i = 0; i < entries; i++) {
            uint64_t base = model.origin + (uint64_t)(rand() % 0x3fffff);
            uint64_t room = model.origin + 0x400000 - base;
            uint64_t length = (uint64_t)rand() % longest;

            add(base, MIN(length, room),
                (enum memory_type)(1 + rand() % MEMORY_BAD));
        }
        CHECK_MODEL();
    }
}
