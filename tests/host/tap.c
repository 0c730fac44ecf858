// SPDX-License-Identifier: MIT
//
// The host's test harness. Output is flushed line by line, so that what a
// sanitizer kills is seen as far as it came.

#include "tests/host/tap.h"

#include <stdarg.h>

static struct host_test *tests;
static unsigned test_count;
static bool failed;

void host_test_register(struct host_test *test)
{
    struct host_test **end = &tests;

    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = test;
    test_count++;
}

void host_test_fail(const char *file, int line, const char *fmt, ...)
{
    va_list args;

    failed = true;
    printf("# %s:%d: ", file, line);
    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);
    printf("\n");
}

int main(void)
{
    unsigned number = 0;
    unsigned failures = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("1..%u\n", test_count);
    for (struct host_test *test = tests; test != NULL; test = test->next) {
        failed = false;
        test->run();
        failures += failed;
        printf("%s %u - %s\n", failed ? "not ok" : "ok", ++number, test->name);
    }
    return failures == 0 ? 0 : 1;
}
