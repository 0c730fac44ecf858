// SPDX-License-Identifier: MIT
//
// The room that tests share.
#include "tests/scratch.h"

char test_scratch[SCRATCH_SIZE] __aligned(64);
