// SPDX-License-Identifier: MIT
//
// Strict or relaxed, for everybody, for a domain, or for a watch.
#include "kernel/fault_mode.h"

#include "arch/percpu.h"
#include "arch/pks.h"
#include "kernel/backtrace.h"
#include "kernel/config.h"
#include "kernel/fault.h"
#include "kernel/pass.h"
#include "mm/bracket.h"
#include "mm/context.h"
#include "mm/domain.h"
#include "mm/frames.h"
#include "mm/keys.h"
#include "mm/misuse.h"
#include "mm/watch.h"

// Relaxed prints once for each place in the code, which of memcpy() and its
// like is their caller, and once more for each watch; older ones are forgotten
// and may print again.
struct seen {
    uintptr_t place;
    enum fault_access access;
    uint64_t watch_time; // when the watch began; 0: there is none
};

static struct seen seen[64];

static bool is_new(const struct trap_frame *trap, const struct fault *fault)
{
    static unsigned next;
    uintptr_t helper, caller = code_culprit(trap, &helper);
    const struct watch *watch = watch_of(fault->page);
    struct seen now = {
        .place = caller != 0 ? caller : fault->ip,
        .access = fault->access,
        .watch_time = watch != NULL ? watch->time : 0,
    };
    for (unsigned i = 0; i < ARRAY_SIZE(seen); i++) {
        if (seen[i].place == now.place && seen[i].access == now.access &&
            seen[i].watch_time == now.watch_time) {
            return false;
        }
    }
    seen[next++ % ARRAY_SIZE(seen)] = now;
    return true;
}

// ------------------------------------------------------------------ Callbacks

// One that faults itself is not called for that.
static enum fault_answer callback_ask(const struct domain *domain,
                                      const struct fault *fault)
{
    const struct fault_callback *callback =
        __atomic_load_n(&domain->callback, __ATOMIC_ACQUIRE);
    if (callback == NULL || percpu.callback_level != 0) {
        return FAULT_ANSWER_MODE;
    }
    percpu.callback_level = percpu.trap_level;
    enum fault_answer answer = callback->fn(fault, callback->arg);
    percpu.callback_level = 0;
    return answer;
}

static bool mode_is_relaxed(const struct watch *watch,
                            const struct domain *domain)
{
    enum fault_mode mode = watch != NULL ? watch->mode : FAULT_MODE_DEFAULT;
    if (mode == FAULT_MODE_DEFAULT) {
        mode = domain->fault_mode;
    }
    return mode == FAULT_MODE_DEFAULT ? config.fault_relaxed
                                      : mode == FAULT_MODE_RELAXED;
}

// ------------------------------------------------------------------- Going on

// The domain opens to this thread, and to no other, until it ends.
static bool thread_open(struct trap_frame *trap, const struct fault *fault,
                        struct domain *domain)
{
    struct mm_context *context = mm_context_of_thread();
    if (percpu.trap_level != 1 || fault->kind != FAULT_PKEY ||
        !key_pin_relaxed(domain, &context->relaxed)) {
        return false;
    }
    if (is_new(trap, fault)) {
        fault_report(trap, fault);
    }
    uint32_t open =
        fault->access == ACCESS_WRITE ? domain->open_write : domain->open_read;
    trap->rights &= ~(uint64_t)open;
    brackets_relax(trap->bracket_top, open);
    return true;
}

// This access alone: where the domain is not the thread's to open.
static bool access_pass(struct trap_frame *trap, const struct fault *fault)
{
    if (!pass_can(fault)) {
        return false;
    }
    if (is_new(trap, fault)) {
        fault_report(trap, fault);
    }
    return pass_begin(trap, fault, true);
}

bool fault_go_on(struct trap_frame *trap, const struct fault *fault)
{
    struct domain *domain =
        fault->page != NULL ? page_domain(fault->page) : NULL;
    if (domain == NULL || fault->access == ACCESS_EXECUTE) {
        return false;
    }
    const struct watch *watch = watch_of(fault->page);
    switch (callback_ask(domain, fault)) {
    case FAULT_ANSWER_RETRY:
        return true;
    case FAULT_ANSWER_STRICT:
        return false;
    case FAULT_ANSWER_RELAXED:
        break;
    default:
        if (!mode_is_relaxed(watch, domain)) {
            return false;
        }
        break;
    }
    return (watch == NULL && thread_open(trap, fault, domain)) ||
           access_pass(trap, fault);
}

// -------------------------------------------------------------------- Watches

// The interrupted context's own open bracket that has the frame, or NULL.
static struct bracket *own_bracket(const struct trap_frame *trap,
                                   const struct page *page)
{
    struct bracket *bracket = trap->bracket_top;
    while (!bracket_is_sentinel(--bracket)) {
        if (bracket_holds(bracket, page, 1)) {
            return bracket;
        }
    }
    return NULL;
}

// With the watch's own key: the rest of the bracket goes on without a fault.
static bool bracket_grant(struct trap_frame *trap, const struct fault *fault,
                          const struct watch *watch, bool own)
{
    const struct domain *domain = page_domain(fault->page);
    struct bracket *bracket = own_bracket(trap, fault->page);
    bool writes = fault->access == ACCESS_WRITE;
    uint32_t needed = writes ? domain->open_write : domain->open_read;
    if (bracket == NULL || needed == 0 || (trap->rights & needed) != 0 ||
        (!own && (writes || watch->access == ACCESS_READ))) {
        return false;
    }
    uint32_t open = writes ? PKRS_KEY_MASK(fault->pkey) : PKRS_AD(fault->pkey);
    trap->rights &= ~(uint64_t)open;
    for (; bracket < trap->bracket_top; bracket++) {
        bracket->rights &= ~open;
    }
    return true;
}

// Where brackets leave no trace, the thread is all that is known.
static bool is_inside(const struct trap_frame *trap, const struct page *page)
{
#ifdef KEYHOLE_OPEN
    (void)trap;
    (void)page;
    return true;
#else
    return own_bracket(trap, page) != NULL;
#endif
}

bool fault_is_let_through(struct trap_frame *trap)
{
    struct fault fault;
    if (trap->vector != TRAP_PF) {
        return false;
    }
    fault_describe(trap, &fault);
    struct watch *watch = fault.page != NULL ? watch_of(fault.page) : NULL;
    if (watch == NULL || fault.access == ACCESS_EXECUTE) {
        return false;
    }
    bool own = !watch->frozen && percpu.trap_level == 1 &&
               watch->context == mm_context_of_thread();
    bool by_key = watch->own != NULL && fault.kind == FAULT_PKEY &&
                  fault.pkey == watch->own->key;
    if (by_key ? bracket_grant(trap, &fault, watch, own)
               : own && is_inside(trap, fault.page) && pass_can(&fault) &&
                     pass_begin(trap, &fault, false)) {
        return true;
    }
    __atomic_fetch_add(&watch->hits, 1, __ATOMIC_RELAXED);
    return false;
}

// ------------------------------------------------------------ Public contract

void domain_set_fault_mode(struct domain *domain, enum fault_mode mode)
{
    domain->fault_mode = (uint8_t)mode;
}

int domain_set_fault_callback(struct domain *domain, fault_callback_fn *fn,
                              void *arg)
{
    struct fault_callback *callback = NULL;
    if (fn != NULL) {
        callback = kmalloc(sizeof(*callback));
        if (callback == NULL) {
            return -ENOMEM;
        }
        *callback = (struct fault_callback){.fn = fn, .arg = arg};
    }
    domain_callback_swap(domain, callback);
    return 0;
}
