// SPDX-License-Identifier: MIT
//
// Stray writes of handlers. What they interrupt may have the store open, for
// writing too: that is none of their rights. The pointers they use are what
// such code would have at hand.
#include "apps/chaos/chaos.h"
#include "arch/percpu.h"
#include "kernel/timer.h"
#include "mm/bracket.h"
#include "mm/frames.h"
#include "mm/watch.h"

#define TIMER_US 300
#define CALLS_IN_A_ROW 4
#define CALLS_FOR_A_MOVE 16

// The timer's; it is on one CPU at a time.
static struct culprit timer_culprit;

struct order {
    enum stray kind;
    struct culprit *culprit;
};

// ---------------------------------------------------------- What was
// interrupted

// The innermost bracket of what was interrupted; NULL: it has none.
static const struct bracket *bracket_interrupted(void)
{
    const struct bracket *bracket = percpu.bracket_top - 1;

    while (!bracket_is_sentinel(bracket)) {
        bracket--;
    }
    if (bracket->interrupted == NULL) {
        return NULL;
    }
    bracket = bracket->interrupted - 1;
    return bracket_is_sentinel(bracket) ? NULL : bracket;
}

// Whether it is to frames of the store, and to which: then the stray goes
// there, by its address.
static bool aim_at_bracket(struct aim *aim)
{
    const struct bracket *bracket = bracket_interrupted();
    size_t offset = (uintptr_t)aim->address % PAGE_SIZE;

    if (bracket == NULL || bracket_is_special(bracket)) {
        return false;
    }
    size_t at = bracket_direct_address(bracket) - (uintptr_t)chaos_direct(0);
    if (at >= chaos.frames * PAGE_SIZE) {
        return false;
    }
    aim->address =
        (uint8_t *)ALIGN_DOWN(bracket_address(bracket), PAGE_SIZE) + offset;
    aim->length = MIN(aim->length, PAGE_SIZE - offset);
    aim->page = chaos.first + at / PAGE_SIZE;
    return true;
}

// A frame that the interrupted thread has frozen in a commit; NULL: there is
// none. It cannot thaw it before this handler is over, and it began and ends
// with interrupts off, so it is frozen whole.
static struct page *frame_frozen(void)
{
    const struct watch *watch = NULL;

    while ((watch = watch_next(watch)) != NULL) {
        if (watch->frozen && watch->thread == percpu.thread &&
            (size_t)(watch->first - chaos.first) < chaos.frames) {
            return watch->first;
        }
    }
    return NULL;
}

// ------------------------------------------------------------------ The strays

static void stray_in_bracket(struct culprit *culprit, struct page *page)
{
    struct aim aim;
    uint8_t *frame = kmap_local_page(page);

    stray_aim(culprit, &aim);
    size_t offset = (uintptr_t)aim.address % PAGE_SIZE;
    aim.address = frame + offset;
    aim.length = MIN(aim.length, PAGE_SIZE - offset);
    aim.page = page;
    stray_write(STRAY_FROZEN, culprit, &aim);
    kunmap_local(frame);
}

static void stray_as_handler(void *arg)
{
    const struct order *order = arg;
    struct culprit *culprit = order->culprit;
    struct aim aim;

    if (order->kind != STRAY_NMI) {
        struct page *frozen = frame_frozen();
        if (frozen != NULL) {
            stray_in_bracket(culprit, frozen);
            return;
        }
    }
    stray_aim(culprit, &aim);
    chaos_count(&chaos.inside, aim_at_bracket(&aim));
    stray_write(order->kind, culprit, &aim);
}

static void timer_handler(void)
{
    struct order order = {STRAY_TIMER, &timer_culprit};

    if (stray_take()) {
        stray_as_handler(&order);
    }
}

// --------------------------------------------------------------------- Threads

static unsigned some_cpu(struct culprit *culprit)
{
    return (unsigned)(chaos_random(&culprit->random) % cpus_online());
}

// The timer goes with it from CPU to CPU.
int caller_run(void *arg)
{
    struct order order = {STRAY_CALL, arg};

    timer_culprit.random = chaos_seed(300);
    for (unsigned i = 0; stray_take(); i++) {
        if (i % CALLS_FOR_A_MOVE == 0) {
            (void)thread_pin(i / CALLS_FOR_A_MOVE % cpus_online());
            (void)timer_start(TIMER_US, timer_handler);
        }
        cpu_call(some_cpu(arg), stray_as_handler, &order);
        if (i % CALLS_IN_A_ROW == 0) {
            thread_sleep_ms(1);
        }
    }
    timer_stop();
    return 0;
}

int nmi_sender_run(void *arg)
{
    struct order order = {STRAY_NMI, arg};

    for (unsigned i = 0; stray_take(); i++) {
        cpu_nmi(some_cpu(arg), stray_as_handler, &order);
        if (i % CALLS_IN_A_ROW == 0) {
            thread_sleep_ms(1);
        }
    }
    return 0;
}
