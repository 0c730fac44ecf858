// SPDX-License-Identifier: MIT
//
// Random calls of many threads against the owner table of
// tests/model_threads.h. With the same seed each thread makes the same calls,
// as far as the others' turns do not change what it finds.
#include "kernel/timer.h"
#include "mm/audit.h"
#include "tests/framework.h"
#include "tests/model_threads.h"

#define STEPS 250         // of each thread
#define LONGEST_US 900000 // where CPUs are shared with others

TEST(model_threads, random)
{
    static struct audit_report report;
    uint64_t until = clock_now() + clock_ticks(LONGEST_US);
    CHECK(model_threads_run(test_seed(), test_rounds(STEPS), until));
    CHECK(audit_run(&report));
}
