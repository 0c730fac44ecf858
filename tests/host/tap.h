// SPDX-License-Identifier: MIT
//
// The host's test harness: tests register themselves, the program runs them all
// and prints TAP. One program for each subject; its main() is in tap.c.
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct host_test {
    const char *name;
    void (*run)(void);
    struct host_test *next;
};

void host_test_register(struct host_test *test);

// Print a diagnostic and mark the running test as failed.
void host_test_fail(const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

// Define a test. The checks below return from it when they fail; in a function
// that it calls, from that function.
#define HOST_TEST(test_name)                                                   \
    static void test_name(void);                                               \
    __attribute__((constructor)) static void register_##test_name(void)        \
    {                                                                          \
        static struct host_test test = {#test_name, test_name, NULL};          \
        host_test_register(&test);                                             \
    }                                                                          \
    static void test_name(void)

// The public header has checks of the same names, for tests in the kernel.
#undef CHECK
#undef CHECK_EQ

#define CHECK(condition)                                                       \
    do {                                                                       \
        if (!(condition)) {                                                    \
            host_test_fail(__FILE__, __LINE__, "CHECK failed: %s",             \
                           #condition);                                        \
            return;                                                            \
        }                                                                      \
    } while (0)

#define CHECK_EQ(got, want)                                                    \
    do {                                                                       \
        unsigned long long got_value = (unsigned long long)(got);              \
        unsigned long long want_value = (unsigned long long)(want);            \
        if (got_value != want_value) {                                         \
            host_test_fail(__FILE__, __LINE__,                                 \
                           "CHECK_EQ failed: %s: got 0x%llx, want 0x%llx",     \
                           #got, got_value, want_value);                       \
            return;                                                            \
        }                                                                      \
    } while (0)

#define CHECK_STR(got, want)                                                   \
    do {                                                                       \
        const char *got_text = (got);                                          \
        const char *want_text = (want);                                        \
        if (got_text == NULL || strcmp(got_text, want_text) != 0) {            \
            host_test_fail(__FILE__, __LINE__,                                 \
                           "CHECK_STR failed: %s: got \"%s\", want \"%s\"",    \
                           #got, got_text == NULL ? "(NULL)" : got_text,       \
                           want_text);                                         \
            return;                                                            \
        }                                                                      \
    } while (0)
