// SPDX-License-Identifier: MIT
//
// Made by the boot CPU, in the heap: the CPU itself allocates nothing.
#include "mm/cpu_context.h"

#include "arch/percpu.h"

__init struct cpu_context *cpu_context_create(unsigned number)
{
    struct cpu_context *context = kzalloc(sizeof(*context));
    if (context != NULL && !local_window_make(&context->window, number)) {
        kfree(context);
        context = NULL;
    }
    return context;
}

__init void cpu_context_enter(struct cpu_context *context)
{
    brackets_init_cpu(&context->brackets, &context->handlers);
    percpu.window = &context->window;
}
