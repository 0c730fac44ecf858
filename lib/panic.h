// SPDX-License-Identifier: MIT
//
// The end of the road: broken invariants and impossible boots. Every layer may
// call these; the kernel layer supplies panic() (the host tests their own).
#pragma once

#include "lib/types.h"

// Print "Bail out! " and the reason with a backtrace, and end the run with the
// exit status "panic". Say what is wrong, which value, and what the user can
// do. Any context.
__noreturn __cold void panic(const char *format, ...) __printf(1, 2);

// The same for what only the user can mend (a boot word, a missing feature, too
// little memory): no backtrace, which would only hide the message.
__noreturn __cold void refuse(const char *format, ...) __printf(1, 2);

// An invariant that the code around it relies on; on in every build.
#define ASSERT(condition)                                                      \
    do {                                                                       \
        if (unlikely(!(condition))) {                                          \
            panic("%s:%d: assertion failed: %s", __FILE__, __LINE__,           \
                  #condition);                                                 \
        }                                                                      \
    } while (0)

// The same where the check costs too much for a release build.
#ifdef KEYHOLE_DEBUG
#define DEBUG_ASSERT(condition) ASSERT(condition)
#else
#define DEBUG_ASSERT(condition) ((void)0)
#endif
