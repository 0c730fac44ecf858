// SPDX-License-Identifier: MIT
//
// apps/store/crc32c: by instruction and by table.
#include "apps/store/crc32c.h"

#include "tests/host/tap.h"

static void both(const void *bytes, size_t length, uint32_t want)
{
    CHECK_EQ(store_crc32c(bytes, length), want);
    CHECK_EQ(store_crc32c_by_table(bytes, length), want);
}

// RFC 3720, appendix B.4; the first is in every catalogue.
HOST_TEST(known_values)
{
    uint8_t bytes[32];

    both("123456789", 9, 0xe3069283);
    both("", 0, 0);
    memset(bytes, 0, sizeof(bytes));
    both(bytes, sizeof(bytes), 0x8a9136aa);
    memset(bytes, 0xff, sizeof(bytes));
    both(bytes, sizeof(bytes), 0x62a8ab43);
    for (unsigned i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)i;
    }
    both(bytes, sizeof(bytes), 0x46dd794e);
    for (unsigned i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(31 - i);
    }
    both(bytes, sizeof(bytes), 0x113fdb5c);
}

// Every way that a loop may begin and end.
HOST_TEST(any_length_anywhere)
{
    static uint8_t bytes[1200];

    for (unsigned i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(i * 167 >> 3);
    }
    for (unsigned at = 0; at < 9; at++) {
        for (unsigned length = 0; length < 1100; length++) {
            CHECK_EQ(store_crc32c(bytes + at, length),
                     store_crc32c_by_table(bytes + at, length));
        }
    }
}

HOST_TEST(all_but_the_first_four)
{
    static uint8_t block[16384];

    memset(block, 0x5a, sizeof(block));
    CHECK_EQ(crc32c_rest(block, sizeof(block)),
             store_crc32c_by_table(block + 4, sizeof(block) - 4));
    uint32_t before = crc32c_rest(block, sizeof(block));
    block[3] = 0;
    CHECK_EQ(crc32c_rest(block, sizeof(block)), before);
    block[4] = 0;
    CHECK(crc32c_rest(block, sizeof(block)) != before);
}
