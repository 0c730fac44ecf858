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

// For a test that ends the run, or never ends: it wants a run of its own.
#define ONLY_WHEN_ASKED_FOR(name)                                              \
    do {                                                                       \
        if (config.test_globs == NULL ||                                       \
            strcmp(config.test_globs, name) != 0) {                            \
            SKIP("ends the run; ask for it by its name");                      \
        }                                                                      \
    } while (0)
