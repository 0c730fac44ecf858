// SPDX-License-Identifier: MIT
//
// lib/string against the C library, for all short lengths and alignments.

#include "lib/string.h"

#include <stdlib.h>

#include "tests/host/tap.h"

#define AREA 256
#define LENGTH_MAX 80

static void fill(unsigned char *bytes, size_t size, unsigned seed)
{
    for (size_t i = 0; i < size; i++) {
        seed = seed * 1103515245u + 12345u;
        bytes[i] = (unsigned char)(seed >> 16);
    }
}

HOST_TEST(memcpy_copies_exactly)
{
    unsigned char from[AREA], got[AREA], want[AREA];

    fill(from, AREA, 1);
    for (size_t len = 0; len <= LENGTH_MAX; len++) {
        for (size_t shift = 0; shift < 64; shift++) {
            fill(got, AREA, 2);
            memcpy(want, got, AREA);
            CHECK(keyhole_memcpy(got + shift / 8, from + shift % 8, len) ==
                  got + shift / 8);
            memcpy(want + shift / 8, from + shift % 8, len);
            CHECK(memcmp(got, want, AREA) == 0);
        }
    }
}

HOST_TEST(memmove_moves_over_any_overlap)
{
    unsigned char got[AREA], want[AREA];

    for (size_t len = 0; len <= LENGTH_MAX; len++) {
        for (size_t to = 0; to <= LENGTH_MAX + 2; to++) {
            fill(got, AREA, 3);
            memcpy(want, got, AREA);
            CHECK(keyhole_memmove(got + to, got + 40, len) == got + to);
            memmove(want + to, want + 40, len);
            CHECK(memcmp(got, want, AREA) == 0);
        }
    }
}

HOST_TEST(memset_sets_exactly)
{
    unsigned char got[AREA], want[AREA];

    for (size_t len = 0; len <= LENGTH_MAX; len++) {
        for (size_t shift = 0; shift < 8; shift++) {
            fill(got, AREA, 4);
            memcpy(want, got, AREA);
            CHECK(keyhole_memset(got + shift, 0x1a5, len) == got + shift);
            memset(want + shift, 0xa5, len);
            CHECK(memcmp(got, want, AREA) == 0);
        }
    }
}

static int sign(int value)
{
    return (value > 0) - (value < 0);
}

HOST_TEST(memcmp_finds_the_first_difference)
{
    unsigned char a[AREA], b[AREA];

    fill(a, AREA, 5);
    for (size_t len = 1; len <= LENGTH_MAX; len++) {
        for (size_t at = 0; at < len; at++) {
            memcpy(b, a, AREA);
            CHECK_EQ(keyhole_memcmp(a, b, len), 0);
            b[at] ^= 0x80;
            CHECK(sign(keyhole_memcmp(a, b, len)) == sign(memcmp(a, b, len)));
            // Behind the first difference nothing matters.
            b[len - 1] ^= 0x55;
            CHECK(sign(keyhole_memcmp(a, b, len)) == sign(memcmp(a, b, len)));
        }
    }
}

// In blocks of their exact size, so that ASan sees a read too many.
HOST_TEST(strings_are_read_no_further_than_they_go)
{
    for (size_t len = 0; len < 20; len++) {
        char *s = malloc(len + 1);

        memset(s, 'x', len);
        s[len] = '\0';
        CHECK_EQ(keyhole_strlen(s), len);
        CHECK(keyhole_strchr(s, '\0') == s + len);
        CHECK(keyhole_strchr(s, 'y') == NULL);
        CHECK(keyhole_strchr(s, 'x') == (len > 0 ? s : NULL));
        CHECK_EQ(keyhole_strcmp(s, s), 0);
        CHECK_EQ(keyhole_strncmp(s, s, len + 10), 0);
        free(s);
    }
}

HOST_TEST(strcmp_orders_as_unsigned_bytes)
{
    CHECK(keyhole_strcmp("a", "b") < 0);
    CHECK(keyhole_strcmp("b", "a") > 0);
    CHECK(keyhole_strcmp("a", "ab") < 0);
    CHECK(keyhole_strcmp("ab", "a") > 0);
    CHECK(keyhole_strcmp("\x80", "\x7f") > 0);
    CHECK_EQ(keyhole_strncmp("abc", "abd", 2), 0);
    CHECK(keyhole_strncmp("abc", "abd", 3) < 0);
    CHECK_EQ(keyhole_strncmp("a", "b", 0), 0);
}

HOST_TEST(string_copy_terminates_always)
{
    char to[8];

    memset(to, '#', sizeof(to));
    CHECK_EQ(string_copy(to, 4, "abcdef"), 6);
    CHECK_STR(to, "abc");
    CHECK(to[4] == '#');
    CHECK_EQ(string_copy(to, sizeof(to), "abcdefg"), 7);
    CHECK_STR(to, "abcdefg");
    CHECK_EQ(string_copy(to, 1, "abc"), 3);
    CHECK_STR(to, "");
    to[0] = '#';
    CHECK_EQ(string_copy(to, 0, "abc"), 3);
    CHECK(to[0] == '#');
}
