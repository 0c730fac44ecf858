// SPDX-License-Identifier: MIT
//
// Looking at threads from outside. What one that runs on another CPU has on its
// stack, that CPU is asked for.
#include "kernel/thread_look.h"

#include "arch/trap.h"

static size_t stack_size_of(uintptr_t sp, uintptr_t *top)
{
    uintptr_t bottom;
    return stack_find(sp, &bottom, top) ? *top - bottom : 0;
}

static void stack_look(struct thread_look *look, uintptr_t sp)
{
    uintptr_t top;
    look->stack_size = stack_size_of(sp, &top);
    look->stack = look->stack_size != 0 ? top - sp : 0;
}

static void thread_look(const struct thread *thread, struct thread_look *look)
{
    memcpy(look->name, thread->name, sizeof(look->name));
    look->state = thread->state;
    look->cpu = thread->cpu;
    look->running = cpu_data_of(thread->cpu)->thread == thread;
    look->ran = thread->ran - thread->ran_before;
    look->brackets = brackets_open_in(&thread->context->brackets);
    look->which = thread;
    look->stack = look->stack_size = 0;
    if (!look->running && thread->state != THREAD_ENDED) {
        stack_look(look, thread->sp);
    }
}

// In an interrupt of the CPU that runs the thread, on its stack.
static void running_look(void *context)
{
    struct thread_look *look = context;
    if (percpu.thread == look->which) {
        stack_look(look, (uintptr_t)__builtin_frame_address(0));
    }
}

// Where a thread that ran for so long belongs among those that are kept.
static size_t place_find(const struct thread_look *looks, size_t kept,
                         uint64_t ran)
{
    size_t place = kept;
    while (place > 0 && looks[place - 1].ran < ran) {
        place--;
    }
    return place;
}

size_t thread_look_all(struct thread_look *looks, size_t room)
{
    size_t count = 0, kept = 0;
    uint64_t lock = threads_lock();
    for (const struct thread *at = thread_next(NULL); at != NULL;
         at = thread_next(at)) {
        struct thread *thread = (struct thread *)at;
        size_t place = place_find(looks, kept, at->ran - at->ran_before);
        count++;
        if (place < room) {
            kept += kept < room;
            memmove(&looks[place + 1], &looks[place],
                    (kept - 1 - place) * sizeof(*looks));
            thread_look(at, &looks[place]);
        }
        thread->ran_before = thread->ran;
    }
    threads_unlock(lock);
    for (size_t i = 0; i < kept; i++) {
        if (looks[i].running) {
            cpu_call(looks[i].cpu, running_look, &looks[i]);
        }
    }
    return count;
}
