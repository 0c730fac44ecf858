// SPDX-License-Identifier: MIT
//
// Code in line: reports blame the function that has the line, and know whose
// code it is in.
#include "kernel/symbols.h"
#include "lib/string.h"
#include "tests/engines.h"

static unsigned innermost_line, inner_line, outer_line;

static inline __attribute__((always_inline)) void stop_here(void)
{
    innermost_line = __LINE__ + 1;
    __asm__ volatile("ud2");
}

static inline __attribute__((always_inline)) void stop_in_line(void)
{
    inner_line = __LINE__ + 1;
    stop_here();
}

static __noinline void stop(void *ignored)
{
    (void)ignored;
    outer_line = __LINE__ + 1;
    stop_in_line();
}

static bool frame_is(const struct symbol_frame *frame, const char *function,
                     unsigned line)
{
    printf("# %s (%s:%u)\n", frame->function, frame->file, frame->line);
    return strcmp(frame->function, function) == 0 &&
           strcmp(frame->file, __FILE__) == 0 && frame->line == line;
}

TEST(inlined, functions_of_an_address)
{
    struct symbol_frame frames[SYMBOL_FRAMES_MAX];
    struct fault fault;
    CHECK(!run_protected(stop, NULL, &fault));
    CHECK_EQ(symbol_frames(fault.ip, frames), 3);
    CHECK(frame_is(&frames[0], "stop_here", innermost_line));
    CHECK(frame_is(&frames[1], "stop_in_line", inner_line));
    CHECK(frame_is(&frames[2], "stop", outer_line));
    CHECK_EQ(strcmp(symbol_innermost(fault.ip), "stop_here"), 0);
    CHECK_EQ(strcmp(symbol_find(fault.ip, NULL), "stop"), 0);
    CHECK_EQ(symbol_frames(0, frames), 0);
    CHECK(symbol_innermost(0) == NULL);
}
