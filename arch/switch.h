// SPDX-License-Identifier: MIT
//
// From one stack to another.
#pragma once

#include "lib/types.h"

// Save this context's registers on its stack and its stack pointer in *save,
// and go on where the context that saved `load` was. Returns when somebody
// switches back. Interrupts off. Clobbers what a call clobbers.
void context_switch(uintptr_t *save, uintptr_t load);

// The stack pointer of a context that has not run yet and begins with `fn`,
// which does not return, on the stack that ends at `top`.
uintptr_t context_make(void *top, void (*fn)(void));

// The frame pointer of a context that was saved with this stack pointer: the
// innermost of the calls that led to context_switch().
static inline uintptr_t context_frame(uintptr_t sp)
{
    return sp + 5 * sizeof(uint64_t);
}
