// SPDX-License-Identifier: MIT
//
// What the memory manager keeps for each CPU beside the boot CPU: the brackets
// of its handlers, and brackets and window of its idle context.
#pragma once

#include "keyhole.h"
#include "mm/bracket.h"
#include "mm/local_window.h"

struct cpu_context {
    struct bracket_stack brackets;
    struct bracket_handlers handlers;
    struct local_window window;
};

// Make one; `number` is different for each and not 0. Boot. NULL: out of
// memory.
struct cpu_context *cpu_context_create(unsigned number);

// Use it on the CPU that runs this, whose percpu data is set up. All rights are
// open until pks_init_cpu(). Boot, there, before any trap.
void cpu_context_enter(struct cpu_context *context);
