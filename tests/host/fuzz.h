// SPDX-License-Identifier: MIT
//
// What the fuzz targets have in common.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// libFuzzer's entry point.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Stop the fuzzer, which then keeps the input.
#define FUZZ_ASSERT(condition, what)                                           \
    do {                                                                       \
        if (!(condition)) {                                                    \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, what);          \
            abort();                                                           \
        }                                                                      \
    } while (0)

// The input as a string in a block of its exact size.
static inline char *fuzz_string(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    FUZZ_ASSERT(text != NULL, "out of memory");
    memcpy(text, data, size);
    text[size] = '\0';
    return text;
}
