// SPDX-License-Identifier: MIT
//
// What the test framework offers to tests that change how it works.
#pragma once

#include "kernel/thread.h"

// Something nobody caught ended a thread that the test had made: fail the test.
// For thread_failures_to(), where it is set while tests run.
void test_thread_failed(const struct thread *thread);
