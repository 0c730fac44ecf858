// SPDX-License-Identifier: MIT
//
// What the tests of the history share.
#pragma once

#include "mm/trace.h"
#include "tests/engines.h"

#define NEEDS_HISTORY()                                                        \
    NEEDS_ACCOUNT();                                                           \
    if (!trace_is_on) {                                                        \
        SKIP("needs trace=on");                                                \
    }
