// SPDX-License-Identifier: MIT
//
// Coming back from code that faulted. Places to come back to form a chain,
// innermost first; each belongs to the trap level at which it was entered, and
// catches what is thrown at that level. One with `report` set, as the test
// runner's, also catches what a handler throws and does not catch.
#pragma once

#include "keyhole.h"
#include "lib/types.h"

// Who catches what is thrown at this trap level; NULL: nobody. Any context.
struct catch_frame *catch_find(uint32_t level);

// Abandon this context and go on where `frame` was entered: brackets opened
// since are closed, the rights of then are back.
__noreturn void catch_throw(struct catch_frame *frame);

// The C half of catch_enter().
void catch_push(struct catch_frame *frame);
