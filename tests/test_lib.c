// SPDX-License-Identifier: MIT
//
// The C library's names as the freestanding build has them. Their corners are
// tested on the host (tests/host); this is that they are there and ours.
#include "keyhole.h"
#include "lib/string.h"

TEST(lib, snprintf_formats)
{
    char text[128];
    int length = snprintf(text, sizeof(text),
                          "%c %s %d %i %u %x %04x|%-5d|%5d %llu %lx %zu %%",
                          'c', "string", -12, 34, 56u, 0xbeefu, 0x7fu, 8, 9,
                          1ull << 63, ~0ul, sizeof(text));
    const char *want = "c string -12 34 56 beef 007f|8    |    9 "
                       "9223372036854775808 ffffffffffffffff 128 %";
    CHECK_EQ(strcmp(text, want), 0);
    CHECK_EQ(length, strlen(want));
    snprintf(text, sizeof(text), "%p", (void *)0xffff800000001000);
    CHECK_EQ(strcmp(text, "0xffff800000001000"), 0);
}

TEST(lib, snprintf_shortens)
{
    char text[8];
    memset(text, 'x', sizeof(text));
    CHECK_EQ(snprintf(text, 4, "%d", 123456), 6);
    CHECK_EQ(memcmp(text, "123\0xxxx", 8), 0);
    CHECK_EQ(snprintf(text, 0, "%s", "long"), 4);
    CHECK_EQ(text[0], '1');
    CHECK_EQ(snprintf(text, 1, "%s", "long"), 4);
    CHECK_EQ(text[0], 0);
}

TEST(lib, printf_counts)
{
    CHECK_EQ(printf("# printf %s\n", "speaks"), 16);
}

TEST(lib, memory_moves)
{
    char from[300], to[300];
    for (unsigned i = 0; i < sizeof(from); i++) {
        from[i] = (char)(i * 3);
    }
    for (unsigned length = 0; length < sizeof(to); length += 7) {
        memset(to, 0x55, sizeof(to));
        CHECK_EQ((uintptr_t)memcpy(to, from, length), (uintptr_t)to);
        CHECK_EQ(memcmp(to, from, length), 0);
        CHECK_EQ(to[length], 0x55);
    }
    memcpy(to, from, sizeof(to));
    memmove(to + 3, to, 290);
    CHECK_EQ(memcmp(to + 3, from, 290), 0);
    memmove(to, to + 3, 290);
    CHECK_EQ(memcmp(to, from, 290), 0);
    const char low[] = "a\x7f", high[] = "b\x80";
    CHECK(memcmp(low, high, 1) < 0);
    CHECK(memcmp(high, low, 1) > 0);
    CHECK(memcmp(high + 1, low + 1, 1) > 0); // bytes have no sign
}

TEST(lib, strings)
{
    const char ab[] = "ab", again[] = "ab", b[] = "b", empty[] = "";
    CHECK_EQ(strlen(empty), 0);
    CHECK_EQ(strlen(ab), 2);
    CHECK_EQ(strcmp(ab, again), 0);
    CHECK(strcmp(empty, ab) < 0);
    CHECK(strcmp(ab, empty) > 0);
    CHECK(strcmp(b, ab) > 0);
    CHECK(strcmp(ab, b) < 0);
}
