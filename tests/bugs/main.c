// SPDX-License-Identifier: MIT
//
// Does one bug outside of any test, by the name of its test. A bug that is
// caught is a panic then; one that is not passes.
#include "bug.h"

extern const struct test_entry __tests_start[], __tests_end[];

int app_main(int argc, char **argv)
{
    for (const struct test_entry *t = __tests_start; t < __tests_end; t++) {
        if (argc == 2 && strcmp(t->name, argv[1]) == 0) {
            t->run();
            return 0;
        }
    }
    printf("%s: want the name of one of these:\n", argv[0]);
    for (const struct test_entry *t = __tests_start; t < __tests_end; t++) {
        printf("  %s\n", t->name);
    }
    return 1;
}
