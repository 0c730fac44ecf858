// SPDX-License-Identifier: MIT
//
// What was last reported as a misuse, for tests that look closer.
#pragma once

#include "mm/misuse.h"

// The most recent misuse; its strings are constants. Never NULL.
const struct misuse *misuse_last(void);
