// SPDX-License-Identifier: MIT
//
// The table of contexts, and what a switch between two threads does to brackets
// and rights (docs/TRICKS.md, "A switch inside a handler").
#include "mm/context.h"

#include "arch/cpu.h"
#include "arch/pks.h"
#include "lib/panic.h"
#include "mm/engine.h"
#include "mm/kernel_pages.h"
#include "mm/layout.h"
#include "mm/lock.h"
#include "mm/pagetable.h"
#include "mm/watch.h"

// Of the boot CPU's boot thread and idle thread: there before there is memory
// to map.
enum { NUMBER_BOOT, NUMBER_IDLE, NUMBERS_IN_IMAGE };
static struct mm_context in_image[NUMBERS_IN_IMAGE];

uint32_t mm_contexts_holding;

static uint32_t used; // numbers below were used once
static uint32_t free_list;

struct mm_context *mm_context_at(uint32_t number)
{
    return number < NUMBERS_IN_IMAGE
               ? &in_image[number]
               : (struct mm_context *)MM_CONTEXTS_BASE + number;
}

uint32_t mm_contexts_used(void)
{
    return __atomic_load_n(&used, __ATOMIC_ACQUIRE);
}

struct mm_context *mm_context_next(const struct mm_context *context)
{
    uint32_t number = context == NULL ? 0 : context->number + 1;
    uint32_t end = mm_contexts_used();
    while (number < end && !mm_context_at(number)->in_use) {
        number++;
    }
    return number < end ? mm_context_at(number) : NULL;
}

__init void mm_context_init_boot(void)
{
    struct mm_context *context = &in_image[NUMBER_BOOT];
    // All rights until pks_init_cpu(): there is nothing to refuse before it.
    bracket_stack_init(&context->brackets, 0);
    context->in_use = context->running = true;
    used = 1;
    percpu.bracket_top = context->brackets.thread.bracket;
    percpu.window = &context->window;
}

struct mm_context *mm_context_of_thread(void)
{
    return CONTAINER_OF(bracket_thread_level(), struct mm_context,
                        brackets.thread);
}

static void context_init(struct mm_context *context)
{
    bracket_stack_init(&context->brackets, PKRS_CLOSED);
    context->top = context->brackets.thread.bracket;
    context->gave_up = 0;
    context->in_use = true;
}

// The idle thread's is for handlers alone.
__init void mm_context_init_boot_windows(void)
{
    in_image[NUMBER_IDLE].number = NUMBER_IDLE;
    uint64_t lock = mm_lock();
    bool made = engine->window_make_locked(&in_image[NUMBER_BOOT],
                                           LOCAL_WINDOW_TABLES) &&
                engine->window_make_locked(&in_image[NUMBER_IDLE], 1);
    mm_unlock(lock);
    if (!made) {
        refuse("no page tables for local mappings; give the machine at least "
               "32 MiB (qemu -m 32M)");
    }
    if (engine->windows_begin != NULL) {
        engine->windows_begin();
    }
}

__init struct mm_context *mm_context_idle_boot(void)
{
    struct mm_context *context = &in_image[NUMBER_IDLE];
    context_init(context);
    used = NUMBERS_IN_IMAGE;
    return context;
}

// A number that was never used, with memory and a window.
static struct mm_context *context_grow_locked(void)
{
    struct mm_context *context = mm_context_at(used);
    if (used == MM_CONTEXTS_SIZE / sizeof(*context) ||
        !kernel_page_ensure_locked((uintptr_t)context) ||
        !kernel_page_ensure_locked((uintptr_t)(context + 1) - 1)) {
        return NULL;
    }
    context->number = used;
    if (!engine->window_make_locked(context, LOCAL_WINDOW_TABLES)) {
        return NULL;
    }
    __atomic_store_n(&used, used + 1, __ATOMIC_RELEASE);
    return context;
}

struct mm_context *mm_context_create(void)
{
    uint64_t lock = mm_lock();
    struct mm_context *context;
    if (free_list != 0) {
        context = mm_context_at(free_list - 1);
        free_list = context->next_free;
    } else {
        context = context_grow_locked();
    }
    if (context != NULL) {
        context_init(context);
    }
    mm_unlock(lock);
    return context;
}

__init void mm_context_enter(struct mm_context *context)
{
    context->running = true;
    percpu.bracket_top = context->top;
    percpu.window = &context->window;
    __atomic_fetch_add(&mm_contexts_holding, 1, __ATOMIC_RELAXED);
}

void mm_context_destroy(struct mm_context *context)
{
    uint64_t lock = mm_lock();
    ASSERT(context->in_use && !context->running &&
           context->top == context->brackets.thread.bracket);
    context->in_use = false;
    key_unpin_relaxed_locked(context->relaxed);
    context->relaxed = 0;
    watch_forget_context_locked(context);
    context->next_free = free_list;
    free_list = context->number + 1;
    mm_unlock(lock);
}

// ---------------------------------------------------------------- The switch

static inline bool holds_bracket(const struct mm_context *context)
{
    return context->top != context->brackets.thread.bracket;
}

// An NMI may come between any two of these stores. It takes the slots that
// percpu.handler_next says and remembers percpu.bracket_top in their sentinel.
// So the top is always that of the thread before the first handler's slots are
// free to take, and only after they are taken that of the handler. And at any
// moment the brackets of each thread are found with the CPU, or with a context
// that no CPU runs, or with both.
static inline __attribute__((always_inline)) void
contexts_switch(struct mm_context *from, struct mm_context *to, bool to_in_trap)
{
    struct bracket *first = percpu.handler_first;
    bool in_trap = percpu.trap_level != 0;
    uint32_t rights = pks_rights();
    from->top = in_trap ? first->interrupted : percpu.bracket_top;
    if (unlikely(holds_bracket(from))) {
        from->cpu = percpu.cpu;
        if (!in_trap) {
            from->gave_up = (uint32_t)(cpu_read_tsc() / BRACKET_TIME_UNIT);
        }
        __atomic_fetch_add(&mm_contexts_holding, 1, __ATOMIC_RELAXED);
    }
    if (unlikely(holds_bracket(to))) {
        __atomic_fetch_sub(&mm_contexts_holding, 1, __ATOMIC_RELAXED);
        if (to->cpu != percpu.cpu && percpu.exact == NULL &&
            local_window_is_known(&to->window)) {
            __asm__ volatile("call local_window_arrive_saved"
                             :
                             : "D"(&to->window), "S"((uint64_t)to->cpu)
                             : "cc", "memory");
        }
    }
    from->running = false;
    percpu.window = &to->window;
    if (!to_in_trap) {
        percpu.bracket_top = to->top;
        percpu.handler_next = first;
        percpu.trap_level = 0;
    } else {
        percpu.trap_level = 1;
        percpu.handler_next = first + BRACKET_LEVEL_SLOTS;
        first->interrupted = to->top;
        first->rights = PKRS_CLOSED;
        percpu.bracket_top = first + 1;
    }
    to->running = true;
    if (unlikely(pks_rights() != rights)) {
        pks_load_rights();
    }
}

// Where windows move with their threads. Apart, so that the other form calls
// nothing and saves nothing.
static __noinline void windows_switch(struct mm_context *from,
                                      struct mm_context *to, bool to_in_trap)
{
    engine->switch_from(to);
    contexts_switch(from, to, to_in_trap);
    engine->switch_to(to, to_in_trap);
}

void mm_context_switch(struct mm_context *from, struct mm_context *to,
                       bool to_in_trap)
{
    if (unlikely(percpu.exact != NULL)) {
        windows_switch(from, to, to_in_trap);
    } else {
        contexts_switch(from, to, to_in_trap);
    }
}
