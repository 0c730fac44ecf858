// SPDX-License-Identifier: MIT
//
// Whose name a thread's address was at some time: those that ended are
// remembered for a while, since what they did may be reported later.
#include "arch/cpu.h"
#include "kernel/thread.h"

#define REMEMBERED 128

static struct ended {
    const struct thread *thread; // its address may be another's by now
    uint64_t born;
    char name[THREAD_NAME_SIZE];
} ended[REMEMBERED];
static unsigned newest; // one behind it
static struct thread *idle_threads;

void thread_names_keep(const struct thread *thread)
{
    struct ended *at = &ended[newest++ % REMEMBERED];
    at->thread = NULL; // not while it is half written
    cpu_compiler_barrier();
    at->born = thread->born;
    __builtin_memcpy(at->name, thread->name, sizeof(at->name)); // in line
    cpu_compiler_barrier();
    at->thread = thread;
}

void thread_names_add_idle(struct thread *thread)
{
    thread->older = idle_threads;
    idle_threads = thread;
}

// The one with this address in a list that did not begin later, or NULL.
static const struct thread *find(const struct thread *list,
                                 const struct thread *thread, uint64_t time)
{
    while (list != NULL && list != thread) {
        list = list->older;
    }
    return list != NULL && list->born <= time ? list : NULL;
}

const char *thread_name_at(const struct thread *thread, uint64_t time,
                           uint64_t *born)
{
    uint64_t unused;
    born = born != NULL ? born : &unused;
    *born = 0;
    if (thread == NULL) {
        return "boot";
    }
    const struct thread *at = find(thread_next(NULL), thread, time);
    at = at != NULL ? at : find(idle_threads, thread, time);
    if (at != NULL) {
        *born = at->born;
        return at->name;
    }
    for (unsigned i = 1; i <= REMEMBERED; i++) {
        const struct ended *one = &ended[(newest - i) % REMEMBERED];
        if (one->thread == thread && one->born <= time) {
            *born = one->born;
            return one->name;
        }
    }
    return "(ended)";
}
