// SPDX-License-Identifier: MIT
//
// Bugs, each a test of its own that does nothing but the bug. One that is
// caught ends there with a report, and the test fails; one that is not puts
// things in order and passes. The line that is to blame ends in `// guilty:
// NAME`; where a bug can only be found later, the line that the report then
// names in
// `// late: NAME`. tests/tools/test-bugs compares these with the reports, and
// the outcomes with docs/explanation/what-catches-what.md.
#pragma once

#include <keyhole.h>

// A bug that a test survives; and one that nothing does, for app_main() alone.
#define BUG(name) TEST(escape, name)
#define FATAL_BUG(name) TEST(fatal, name)

// Functions that reports are to name.
#define NOINLINE __attribute__((noinline))

typedef volatile uint64_t word_t;
