// SPDX-License-Identifier: MIT
//
// The input is a table of symbols, damaged or not. Every look-up ends, and
// reads nothing outside of the table: there is no memory around it.

#include "kernel/symbols.h"

#include <sys/mman.h>

#include "tests/host/fuzz.h"

#define TABLE_SIZE 4096 // a page, and as the assembly has it
#define LOOK_UPS 64

extern uint8_t before_ksyms[TABLE_SIZE];
extern uint8_t __ksyms_start[TABLE_SIZE];
extern uint8_t __ksyms_end[TABLE_SIZE];

__asm__(".bss\n"
        ".balign 4096\n"
        ".globl before_ksyms, __ksyms_start, __ksyms_end\n"
        "before_ksyms: .skip 4096\n"
        "__ksyms_start: .skip 4096\n"
        "__ksyms_end: .skip 4096\n"
        ".text\n");

// Leaks are looked for in all memory, the closed pages too; nothing is
// allocated.
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
    return 1;
}

static __attribute__((constructor)) void close_what_is_around(void)
{
    FUZZ_ASSERT(mprotect(before_ksyms, TABLE_SIZE, PROT_NONE) == 0 &&
                    mprotect(__ksyms_end, TABLE_SIZE, PROT_NONE) == 0,
                "mprotect");
}

static bool is_inside(const char *text)
{
    return strcmp(text, "?") == 0 ||
           (text >= (const char *)__ksyms_start &&
            text + strlen(text) < (const char *)__ksyms_end);
}

static void look_up(uintptr_t address)
{
    struct symbol_frame frames[SYMBOL_FRAMES_MAX];
    const char *name = symbol_find(address, NULL), *file;
    unsigned line, n = symbol_frames(address, frames);

    FUZZ_ASSERT((name == NULL) == (n == 0), "the function");
    FUZZ_ASSERT(n <= SYMBOL_FRAMES_MAX, "the number of frames");
    if (n == 0) {
        FUZZ_ASSERT(!symbol_line(address, &file, &line), "a line of nothing");
        return;
    }
    FUZZ_ASSERT(frames[n - 1].function == name, "the outermost");
    FUZZ_ASSERT(symbol_innermost(address) == frames[0].function, "innermost");
    bool found = symbol_line(address, &file, &line);
    FUZZ_ASSERT(found == (frames[0].line != 0), "the innermost's line");
    FUZZ_ASSERT(!found || line == frames[0].line, "which line that is");
    for (unsigned i = 0; i < n; i++) {
        FUZZ_ASSERT(is_inside(frames[i].function), "a function's name");
        FUZZ_ASSERT((frames[i].file != NULL) == (frames[i].line != 0), "file");
        FUZZ_ASSERT(frames[i].file == NULL || is_inside(frames[i].file),
                    "a file's name");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t base;
    uintptr_t out;

    if (size > TABLE_SIZE) {
        size = TABLE_SIZE;
    }
    memset(__ksyms_start, 0, TABLE_SIZE);
    memcpy(__ksyms_start, data, size);
    memcpy(&base, __ksyms_start, sizeof(base));
    for (unsigned i = 0; i < LOOK_UPS; i++) {
        look_up(base + 3 * i);
    }
    look_up(base - 1);
    symbol_address("inner", &out);
    return 0;
}
