// SPDX-License-Identifier: MIT
//
// Which brackets were open longest, and how many each operation takes.
#pragma once

#include "lib/types.h"

// The `count` call sites whose brackets were open longest, and all operations.
// False: there is no history to know it from.
bool profile_print(unsigned count);
