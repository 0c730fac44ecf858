// SPDX-License-Identifier: MIT
//
// What tests try under effort=brief: a part that is spread evenly.
#include "kernel/config.h"
#include "keyhole.h"
#include "tests/framework.h"

#define NUMBERS 800
#define APART (2 * TEST_SHARE) // at most, from one to the next

TEST(effort, takes_its_share)
{
    unsigned taken = 0, last = 0;
    CHECK_EQ(test_rounds(NUMBERS),
             config.brief ? NUMBERS / TEST_SHARE : NUMBERS);
    CHECK_EQ(test_rounds(1), 1);
    for (unsigned i = 1; i <= NUMBERS; i++) {
        if (test_takes(i)) {
            taken++;
            last = i;
        }
        CHECK(i - last < APART);
    }
    CHECK(taken + 4 > test_rounds(NUMBERS));
    CHECK(taken < test_rounds(NUMBERS) + 4);
}
