// SPDX-License-Identifier: MIT
//
// What the test framework offers to tests that change how it works.
#pragma once

#include "kernel/config.h"
#include "kernel/thread.h"

// Something nobody caught ended a thread that the test had made: fail the test.
// For thread_failures_to(), where it is set while tests run.
void test_thread_failed(const struct thread *thread);

// For what is no test and uses checks: forget the verdict; whether a check has
// failed since then; and why SKIP() left, or NULL.
void test_verdict_reset(void);
bool test_verdict_failed(void);
const char *test_verdict_skip(void);

// Of what a test tries, as much as this run is to try (boot word effort=): all
// of it, or a part, one at least. test_takes() picks the items of such a part
// by their numbers, one in TEST_SHARE, spread evenly, others with each seed.
// Any context.
#define TEST_SHARE 8
unsigned test_rounds(unsigned all);
bool test_takes(unsigned number);

// For a test that ends the run, or never ends: it wants a run of its own.
#define ONLY_WHEN_ASKED_FOR(name)                                              \
    do {                                                                       \
        if (config.test_globs == NULL ||                                       \
            strcmp(config.test_globs, name) != 0) {                            \
            SKIP("ends the run; ask for it by its name");                      \
        }                                                                      \
    } while (0)
