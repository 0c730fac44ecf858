// SPDX-License-Identifier: MIT
//
// Threads that wait for something to become true, woken in the order in which
// they came. Whoever makes it true wakes one or all of them afterwards. A
// waiter reads the count of wakes, looks, and waits only if none has come
// since: so none is lost, and looking may take locks, wait or fault. Waiting
// allocates nothing; local brackets may be open.
//
//     wait_event(&queue, ready != 0);
//
//     ready = 1;
//     wake_one(&queue);
#pragma once

#include "arch/spinlock.h"
#include "kernel/thread.h"
#include "lib/types.h"

struct wait_queue {
    struct spinlock lock; // guards the rest
    uint32_t wakes;
    struct thread *first, *last; // linked by wait_next
    const char *name;            // for reports; a constant
};

#define WAIT_QUEUE(queue_name)                                                 \
    {                                                                          \
        .lock = SPINLOCK("wait queue"), .name = (queue_name)                   \
    }

void wait_queue_init(struct wait_queue *queue, const char *name);

// Let the first that waits go on, or all. Any context but NMI.
void wake_one(struct wait_queue *queue);
void wake_all(struct wait_queue *queue);

// Wait until `condition`, an expression, is true. Thread context.
#define wait_event(queue, condition)                                           \
    do {                                                                       \
        bool again_ = false;                                                   \
        for (;;) {                                                             \
            uint32_t wakes_ = wait_begin(queue);                               \
            if (condition) {                                                   \
                break;                                                         \
            }                                                                  \
            again_ = wait_sleep(queue, wakes_, again_) || again_;              \
        }                                                                      \
    } while (0)

// The same, until a time (ticks of the TSC) at the most. Whether the condition
// was true when it was looked at last.
#define wait_event_until(queue, condition, wake_at)                            \
    ({                                                                         \
        bool again_ = false, true_;                                            \
        for (;;) {                                                             \
            uint32_t wakes_ = wait_begin(queue);                               \
            bool late_ = cpu_read_tsc() >= (wake_at);                          \
            true_ = (condition);                                               \
            if (true_ || late_) {                                              \
                break;                                                         \
            }                                                                  \
            again_ =                                                           \
                wait_sleep_until(queue, wakes_, again_, wake_at) || again_;    \
        }                                                                      \
        true_;                                                                 \
    })

// The parts of these. The first gives the count of wakes, the others wait if it
// is still that, and tell whether they did; `again`: before those who have not
// been woken yet.
uint32_t wait_begin(const struct wait_queue *queue);
bool wait_sleep(struct wait_queue *queue, uint32_t wakes, bool again);
bool wait_sleep_until(struct wait_queue *queue, uint32_t wakes, bool again,
                      uint64_t wake_at);

// ---- For those who build on it (kernel/mutex.c), with the lock held.

// The calling thread waits until wait_take_locked() has taken it; the lock is
// given back meanwhile. What for is for reports.
void wait_locked(struct wait_queue *queue, enum wait_kind kind,
                 const void *what);

// Wake the first. Returns its thread; NULL: nobody waits.
struct thread *wait_take_locked(struct wait_queue *queue);
