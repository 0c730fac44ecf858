// SPDX-License-Identifier: MIT
//
// Prints what is left on the heap, with functions and lines.
#include "kernel/heap_leaks.h"

#include "kernel/backtrace.h"
#include "mm/heap.h"

#define SITES_MAX 16

static void line_print(size_t objects, size_t bytes)
{
    printf("%zu object%s of %zu byte%s", objects, objects == 1 ? "" : "s",
           bytes, bytes == 1 ? "" : "s");
}

void heap_leaks_print(uint32_t mark)
{
    struct heap_leak leaks[SITES_MAX];
    size_t count = heap_leaks(mark, leaks, SITES_MAX);
    size_t objects = 0, bytes = 0;
    for (size_t i = 0; i < count; i++) {
        objects += leaks[i].objects;
        bytes += leaks[i].bytes;
    }
    if (count == 0) {
        return;
    }
    printf("# heap: ");
    line_print(objects, bytes);
    printf(" not freed\n");
    for (size_t i = 0; i < count; i++) {
        printf("#   ");
        line_print(leaks[i].objects, leaks[i].bytes);
        printf(" from ");
        print_call_site(leaks[i].site);
        printf("%s\n", i == SITES_MAX - 1 ? " and other calls" : "");
    }
}
