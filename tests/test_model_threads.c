// SPDX-License-Identifier: MIT
//
// Random calls of many threads against the owner table of
// tests/model_threads.h. With the same seed each thread makes the same calls,
// as far as the others' turns do not change what it finds.
#include "mm/audit.h"
#include "tests/model_threads.h"

#define STEPS 250 // of each thread

TEST(model_threads, random)
{
    static struct audit_report report;
    CHECK(model_threads_run(test_seed(), STEPS, 0));
    CHECK(audit_run(&report));
}
