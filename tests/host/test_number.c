// SPDX-License-Identifier: MIT
//
// lib/number.

#include "lib/number.h"

#include "tests/host/tap.h"

static void accept(const char *s, uint64_t want)
{
    uint64_t got = ~want;

    if (!number_parse(s, &got) || got != want) {
        host_test_fail(__FILE__, __LINE__, "%s: got 0x%llx, want 0x%llx", s,
                       (unsigned long long)got, (unsigned long long)want);
    }
}

static void refuse(const char *s)
{
    uint64_t got = 0x5a5a;

    if (number_parse(s, &got) || got != 0x5a5a) {
        host_test_fail(__FILE__, __LINE__, "\"%s\" is accepted", s);
    }
}

HOST_TEST(decimal_and_hexadecimal)
{
    accept("0", 0);
    accept("42", 42);
    accept("007", 7);
    accept("0x0", 0);
    accept("0xdeadBEEF", 0xdeadbeef);
    accept("0Xf", 15);
    accept("18446744073709551615", UINT64_MAX);
    accept("0xffffffffffffffff", UINT64_MAX);
    accept("0x00000000000000000001", 1);
}

HOST_TEST(suffixes)
{
    accept("1K", 1024);
    accept("64k", 65536);
    accept("3M", 3ull << 20);
    accept("4G", 4ull << 30);
    accept("0x10M", 16ull << 20);
    accept("0K", 0);
    accept("17179869183G", 17179869183ull << 30);
}

HOST_TEST(overflow_is_refused)
{
    refuse("18446744073709551616");
    refuse("99999999999999999999");
    refuse("0x10000000000000000");
    refuse("17179869184G");
    refuse("18446744073709551615K");
}

HOST_TEST(garbage_is_refused)
{
    refuse("");
    refuse(" 1");
    refuse("1 ");
    refuse("-1");
    refuse("+1");
    refuse("0x");
    refuse("0xg");
    refuse("x1");
    refuse("K");
    refuse("1KK");
    refuse("1T");
    refuse("12a");
    refuse("0b1");
    refuse("0x K");
}
