// SPDX-License-Identifier: MIT
//
// The audit, for people.
#pragma once

#include "lib/types.h"

// Look at every invariant (mm/audit.h) and print the verdict, one finding a
// line, each line behind `prefix`. True: nothing was found. Thread context.
bool audit_print(const char *prefix);
