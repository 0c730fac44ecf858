// SPDX-License-Identifier: MIT
//
// mm/pmem_find: which of what firmware calls persistent memory becomes a
// region, and what is said of the rest.

#include <stdlib.h>

#include "tests/host/pmem_report.h"
#include "tests/host/tap.h"

#define BACKWARDS "its end is before its beginning"
#define BEYOND "it lies beyond what this CPU, or the direct map, can reach"
#define NOT_FREE "the memory map has RAM or tables there"
#define OVERLAPS "it overlaps a region that was found before"
#define TOO_SMALL "there is not one aligned 2 MiB of it"
#define TOO_MANY "there are more regions than the kernel has room for"

HOST_TEST(nothing_reported)
{
    report_begin();
    CHECK(answer(0, 0));
    report_map(0, GIB(1), MEMORY_USABLE);
    report_map(GIB(1), GIB(1), MEMORY_RESERVED);
    CHECK(answer(0, 0));
}

HOST_TEST(as_qemu_has_it)
{
    report_begin();
    report_map(0, MIB(512), MEMORY_USABLE);
    report_nfit(GIB(4), MIB(64));
    CHECK(answer(1, 0));
    CHECK(is_region(0, GIB(4), MIB(64), true));
    CHECK_EQ(answer_region(0)->reported_base, GIB(4));
    CHECK_EQ(answer_region(0)->reported_length, MIB(64));
    CHECK_EQ(answer_region(0)->alignment, MIB(2));
    CHECK_EQ(answer_region(0)->handle, 1);
    CHECK(answer_region(0)->identified);
    CHECK_EQ(answer_region(0)->serial, 0x1001);
    CHECK_EQ(answer_region(0)->vendor, 0x101);
    CHECK_EQ(answer_region(0)->device, 0x201);
}

HOST_TEST(the_map_alone)
{
    report_begin();
    report_map(0, MIB(512), MEMORY_USABLE);
    report_map(GIB(6), MIB(8), MEMORY_PERSISTENT);
    report_map(GIB(4), MIB(4), MEMORY_PERSISTENT);
    CHECK(answer(2, 0));
    CHECK(is_region(0, GIB(4), MIB(4), false));
    CHECK(is_region(1, GIB(6), MIB(8), false));
    CHECK_EQ(answer_region(1)->alignment, MIB(2));
    CHECK_EQ(answer_region(1)->handle, 0);
    CHECK(!answer_region(1)->identified);
    CHECK_EQ(answer_region(1)->serial, 0);
    CHECK_EQ(answer_region(1)->vendor, 0);
    CHECK_EQ(answer_region(1)->device, 0);
}

HOST_TEST(the_nfit_goes_before_the_map)
{
    report_begin();
    report_map(GIB(4), MIB(4), MEMORY_PERSISTENT);
    report_map(GIB(8), MIB(4), MEMORY_PERSISTENT);
    report_nfit(GIB(8), MIB(4));
    CHECK(answer(2, 0));
    CHECK(is_region(0, GIB(8), MIB(4), true));
    CHECK(is_region(1, GIB(4), MIB(4), false));
}

// GRUB has no word for persistent memory.
HOST_TEST(in_reserved_memory)
{
    report_begin();
    report_map(GIB(4), MIB(8), MEMORY_RESERVED);
    report_nfit(GIB(4) + MIB(2), MIB(8));
    CHECK(answer(1, 0));
    CHECK(is_region(0, GIB(4) + MIB(2), MIB(8), true));
}

// ----------------------------------------------------------------- Unaligned

HOST_TEST(ends_are_left_out)
{
    report_begin();
    report_nfit(GIB(4) + 4096, MIB(8));
    report_map(GIB(8) - MIB(1), MIB(4), MEMORY_PERSISTENT);
    CHECK(answer(2, 0));
    CHECK(is_region(0, GIB(4) + MIB(2), MIB(6), true));
    CHECK_EQ(answer_region(0)->reported_base, GIB(4) + 4096);
    CHECK_EQ(answer_region(0)->reported_length, MIB(8));
    CHECK(is_region(1, GIB(8), MIB(2), false));
    CHECK_EQ(answer_region(1)->reported_base, GIB(8) - MIB(1));
    CHECK_EQ(answer_region(1)->reported_length, MIB(4));
}

HOST_TEST(not_one_aligned_leaf)
{
    report_begin();
    report_nfit(GIB(4) + 4096, MIB(4) - 8192);
    report_nfit(GIB(5), MIB(2) - 4096);
    report_map(GIB(6) + 4096, MIB(2), MEMORY_PERSISTENT);
    CHECK(answer(0, 3));
    CHECK(is_refusal(0, GIB(4) + 4096, MIB(4) - 8192, TOO_SMALL));
    CHECK(is_refusal(1, GIB(5), MIB(2) - 4096, TOO_SMALL));
    CHECK(is_refusal(2, GIB(6) + 4096, MIB(2), TOO_SMALL));
    report_begin();
    report_nfit(GIB(4) + 4096, MIB(4) - 4096);
    CHECK(answer(1, 0));
    CHECK(is_region(0, GIB(4) + MIB(2), MIB(2), true));
}

// -------------------------------------------------------------------- Limits

HOST_TEST(ends_that_wrap)
{
    report_begin();
    report_nfit(GIB(4), 0);
    report_nfit(GIB(4), UINT64_MAX - GIB(4) + 1); // ends at 2^64
    report_nfit(UINT64_MAX - MIB(4) + 1, MIB(16));
    report_nfit(UINT64_MAX - MIB(1), UINT64_MAX);
    CHECK(answer(0, 4));
    CHECK(is_refusal(0, GIB(4), 0, BACKWARDS));
    CHECK(is_refusal(1, GIB(4), UINT64_MAX - GIB(4) + 1, BACKWARDS));
    CHECK(is_refusal(2, UINT64_MAX - MIB(4) + 1, MIB(16), BACKWARDS));
    CHECK(is_refusal(3, UINT64_MAX - MIB(1), UINT64_MAX, BACKWARDS));
}

// Rounding up must not go round either.
HOST_TEST(no_limit_is_no_way_round)
{
    report_begin();
    report_nfit(UINT64_MAX - MIB(1), MIB(1));
    report_nfit(UINT64_MAX - MIB(8) + 1, MIB(4));
    report_map(UINT64_MAX - MIB(2), MIB(2), MEMORY_PERSISTENT);
    CHECK(answer_below(UINT64_MAX, 1, 2));
    CHECK(is_region(0, UINT64_MAX - MIB(8) + 1, MIB(4), true));
    CHECK(is_refusal(0, UINT64_MAX - MIB(1), MIB(1), BEYOND));
    CHECK(is_refusal(1, UINT64_MAX - MIB(2) - 4095, MIB(2), BEYOND));
}

HOST_TEST(beyond_the_limit)
{
    report_begin();
    report_nfit(GIB(64) - MIB(4), MIB(4));
    report_nfit(GIB(64), MIB(4));
    report_map(GIB(60) - MIB(2), GIB(1), MEMORY_PERSISTENT);
    CHECK(answer(3, 0));
    CHECK(answer_below(GIB(64), 2, 1));
    CHECK(is_refusal(0, GIB(64), MIB(4), BEYOND));
    CHECK(answer_below(GIB(64) - 4096, 1, 2));
    CHECK(answer_below(GIB(60), 0, 3));
    CHECK(is_refusal(2, GIB(60) - MIB(2), GIB(1), BEYOND));
}

HOST_TEST(more_than_there_is_room_for)
{
    report_begin();
    for (unsigned i = 0; i < PMEM_REGIONS_MAX - 1; i++) {
        report_nfit(GIB(4 + i), MIB(2));
    }
    report_map(GIB(20), MIB(2), MEMORY_PERSISTENT);
    report_map(GIB(21), MIB(2), MEMORY_PERSISTENT);
    report_map(GIB(22), MIB(2), MEMORY_PERSISTENT);
    CHECK(answer(PMEM_REGIONS_MAX, 2));
    CHECK(is_region(PMEM_REGIONS_MAX - 1, GIB(20), MIB(2), false));
    CHECK(is_refusal(0, GIB(21), MIB(2), TOO_MANY));
    CHECK(is_refusal(1, GIB(22), MIB(2), TOO_MANY));
    for (unsigned i = PMEM_REGIONS_MAX - 1; i < ACPI_PMEM_MAX; i++) {
        report_nfit(GIB(30 + i), MIB(2));
    }
    CHECK(answer(PMEM_REGIONS_MAX, ACPI_PMEM_MAX - PMEM_REGIONS_MAX + 3));
    CHECK(is_refusal(0, GIB(30 + PMEM_REGIONS_MAX), MIB(2), TOO_MANY));
}

// ------------------------------------------------------------------ Overlaps

HOST_TEST(over_what_is_not_free)
{
    static const enum memory_type types[] = {MEMORY_USABLE, MEMORY_ACPI,
                                             MEMORY_NVS, MEMORY_BAD};
    for (unsigned i = 0; i < ARRAY_SIZE(types); i++) {
        report_begin();
        report_map(GIB(4), 4096, types[i]);
        report_nfit(GIB(4) - MIB(8), MIB(8) + 4096); // by one frame
        report_nfit(GIB(4), MIB(8));
        report_nfit(GIB(4) - MIB(8), MIB(8)); // up to it
        report_nfit(GIB(4) + 4096, MIB(8));   // from behind it on
        CHECK(answer(2, 2));
        CHECK(is_refusal(0, GIB(4) - MIB(8), MIB(8) + 4096, NOT_FREE));
        CHECK(is_refusal(1, GIB(4), MIB(8), NOT_FREE));
        CHECK(is_region(0, GIB(4) - MIB(8), MIB(8), true));
        CHECK(is_region(1, GIB(4) + MIB(2), MIB(6), true));
    }
}

// What is around RAM is not spoilt by a table that claims the RAM too.
HOST_TEST(the_map_in_place_of_a_refused_range)
{
    report_begin();
    report_map(GIB(4), MIB(16), MEMORY_PERSISTENT);
    report_map(GIB(4) + MIB(8), 4096, MEMORY_ACPI);
    report_nfit(GIB(4), MIB(16));
    CHECK(answer(2, 1));
    CHECK(is_refusal(0, GIB(4), MIB(16), NOT_FREE));
    CHECK(is_region(0, GIB(4), MIB(8), false));
    CHECK(is_region(1, GIB(4) + MIB(10), MIB(6), false));
}

HOST_TEST(two_of_the_nfit)
{
    report_begin();
    report_nfit(GIB(4), MIB(8));
    report_nfit(GIB(4) + MIB(8), MIB(8)); // touches
    report_nfit(GIB(4) + MIB(4), MIB(2)); // inside
    report_nfit(GIB(4) - MIB(4), MIB(4) + 4096);
    report_nfit(GIB(4) + MIB(16) - 4096, MIB(4));
    report_nfit(GIB(4) - MIB(8), MIB(64)); // around
    report_nfit(GIB(4) - MIB(4), MIB(4));
    CHECK(answer(3, 4));
    CHECK(is_refusal(0, GIB(4) + MIB(4), MIB(2), OVERLAPS));
    CHECK(is_refusal(1, GIB(4) - MIB(4), MIB(4) + 4096, OVERLAPS));
    CHECK(is_refusal(2, GIB(4) + MIB(16) - 4096, MIB(4), OVERLAPS));
    CHECK(is_refusal(3, GIB(4) - MIB(8), MIB(64), OVERLAPS));
    CHECK(is_region(2, GIB(4) - MIB(4), MIB(4), true));
}

// The end that a region lost is not another one's.
HOST_TEST(lost_ends_are_taken_too)
{
    report_begin();
    report_nfit(GIB(4), MIB(3));
    report_nfit(GIB(4) + MIB(2), MIB(8));
    CHECK(answer(1, 1));
    CHECK(is_refusal(0, GIB(4) + MIB(2), MIB(8), OVERLAPS));
}

// ----------------------------------------- A range of the map, covered in part

HOST_TEST(all_of_it)
{
    report_begin();
    report_map(GIB(4), MIB(16), MEMORY_PERSISTENT);
    report_nfit(GIB(4) + MIB(8), MIB(8));
    report_nfit(GIB(4), MIB(8));
    CHECK(answer(2, 0));
    report_begin();
    report_map(GIB(4), MIB(16), MEMORY_PERSISTENT);
    report_nfit(GIB(4) - MIB(8), MIB(64));
    CHECK(answer(1, 0));
}

HOST_TEST(the_rest_is_a_region)
{
    report_begin();
    report_map(GIB(4), MIB(64), MEMORY_PERSISTENT);
    report_nfit(GIB(4) + MIB(32), MIB(8));
    report_nfit(GIB(4) - MIB(4), MIB(8));
    report_nfit(GIB(4) + MIB(40), MIB(2));
    CHECK(answer(5, 0));
    CHECK(is_region(3, GIB(4) + MIB(4), MIB(28), false));
    CHECK(is_region(4, GIB(4) + MIB(42), MIB(22), false));
    CHECK_EQ(answer_region(4)->handle, 0);
}

HOST_TEST(a_rest_that_is_too_small)
{
    report_begin();
    report_map(GIB(4), MIB(16), MEMORY_PERSISTENT);
    report_nfit(GIB(4) + 4096, MIB(12));
    CHECK(answer(2, 1));
    CHECK(is_region(0, GIB(4) + MIB(2), MIB(10), true));
    CHECK(is_refusal(0, GIB(4), 4096, TOO_SMALL));
    CHECK(is_region(1, GIB(4) + MIB(14), MIB(2), false));
    CHECK_EQ(answer_region(1)->reported_base, GIB(4) + MIB(12) + 4096);
}

HOST_TEST(a_rest_without_room)
{
    report_begin();
    report_map(GIB(4), MIB(64), MEMORY_PERSISTENT);
    for (unsigned i = 0; i < PMEM_REGIONS_MAX; i++) {
        report_nfit(GIB(4) + MIB(8) * i, MIB(8));
    }
    CHECK(answer(PMEM_REGIONS_MAX, 0));
    report_map(GIB(4), MIB(66), MEMORY_PERSISTENT);
    CHECK(answer(PMEM_REGIONS_MAX, 1));
    CHECK(is_refusal(0, GIB(4) + MIB(64), MIB(2), TOO_MANY));
}

// -------------------------------------------------------------------- Random

// Somewhere in 64 MiB, aligned more or less, as tables are.
static void random_range(uint64_t *base, uint64_t *length)
{
    static const uint64_t units[] = {1, 4096, MIB(1), MIB(2)};
    uint64_t unit = units[(unsigned)rand() % ARRAY_SIZE(units)];
    uint64_t longest = MIB(1) << (unsigned)rand() % 6;
    *base = ALIGN_DOWN(GIB(4) + (uint64_t)rand() % MIB(64), unit);
    *length = ALIGN_UP((uint64_t)rand() % longest, unit);
    if (rand() % 64 == 0) {
        *length = UINT64_MAX - (uint64_t)rand();
    }
}

HOST_TEST(random_reports)
{
    unsigned of_map = 0, of_nfit = 0;
    srand(20240301);
    for (unsigned round = 0; round < 2000; round++) {
        uint64_t base, length;
        report_begin();
        for (int i = rand() % 12; i > 0; i--) {
            random_range(&base, &length);
            report_map(base, MIN(length, MIB(64)),
                       rand() % 3 != 0
                           ? MEMORY_PERSISTENT
                           : (enum memory_type)(1 + rand() % MEMORY_BAD));
        }
        for (int i = rand() % (ACPI_PMEM_MAX + 1); i > 0; i--) {
            random_range(&base, &length);
            report_nfit(base, length);
        }
        CHECK(answer_below(GIB(4) + MIB(120), ANY, 0));
        for (unsigned i = 0; answer_region(i) != NULL; i++) {
            of_nfit += answer_region(i)->from_nfit;
            of_map += !answer_region(i)->from_nfit;
        }
    }
    CHECK(of_nfit > 2000 && of_map > 2000);
}
