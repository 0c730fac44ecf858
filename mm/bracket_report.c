// SPDX-License-Identifier: MIT
//
// Looking at brackets, for those who report or abandon them. Not for hot paths.
#include "arch/pks.h"
#include "arch/tlb.h"
#include "mm/bracket_internal.h"
#include "mm/context.h"
#include "mm/domain.h"
#include "mm/engine.h"
#include "mm/frames.h"
#include "mm/local_window.h"
#include "mm/pt_window.h"
#include "mm/trace.h"

unsigned brackets_depth(void)
{
    unsigned depth = 0;
    for (const struct bracket *b = percpu.bracket_top;
         !bracket_is_sentinel(b - 1); b--) {
        depth++;
    }
    return depth;
}

const struct bracket *bracket_innermost(void)
{
    const struct bracket *bracket = percpu.bracket_top - 1;
    return bracket_is_sentinel(bracket) ? NULL : bracket;
}

// A map call that is abandoned half-way may have taken room in the window. In a
// handler that has none of its own it may be the interrupted code's, which goes
// on.
static void window_trim(void)
{
    for (const struct bracket *b = percpu.bracket_top;
         !bracket_is_sentinel(b - 1); b--) {
        if (bracket_is_special(b - 1)) {
            local_window_trim(ALIGN_DOWN(bracket_address(b - 1), PAGE_SIZE),
                              bracket_frames(b - 1));
            return;
        }
    }
    local_window_trim(0, 0);
}

static void bracket_abandon(struct bracket *bracket)
{
    percpu_count(brackets_abandoned);
    uintptr_t address = ALIGN_DOWN(bracket_address(bracket), PAGE_SIZE);
    size_t count = bracket_frames(bracket);
    if (!bracket_is_special(bracket)) {
        if (engine->bracket_abandon != NULL) {
            engine->bracket_abandon(bracket);
        }
        trace_bracket(TRACE_LEFT, bracket, trace_frame(bracket),
                      bracket_address(bracket), bracket->map_site);
        return;
    }
    uint32_t rights = window_open(WINDOW_WRITE);
    trace_bracket(TRACE_LEFT, bracket,
                  local_window_first((uint64_t *)bracket->backing, count),
                  bracket_address(bracket), bracket->map_site);
    local_window_unmap((uint64_t *)bracket->backing, address, count);
    if (local_window_spans(local_window(), address, count)) {
        local_window_give(address);
    }
    window_close(rights);
    local_window_forget_moved(address, count);
}

static struct bracket *sentinel_of(struct bracket *top)
{
    do {
        top--;
    } while (!bracket_is_sentinel(top));
    return top;
}

// What the thread was filling goes with a handler's abandoned call: rights in
// `slot`, where the catch had them as `before`. One frame is filled with
// interrupts off, in place of anything else on this CPU.
static void fill_abandon(struct bracket *slot, uint32_t before)
{
    struct mm_context *context = mm_context_of_thread();
    if (percpu.frame_filling != DOMAIN_NONE) {
        if (domain_fill_[percpu.frame_filling] != 0) {
            slot->rights |= before & ~domain_fill_[percpu.frame_filling];
        }
        percpu.frame_filling = DOMAIN_NONE;
    }
    if (context->filling != NULL && engine->fill_abandon != NULL) {
        engine->fill_abandon(context->filling, slot);
    }
    context->filling = NULL;
}

// Rights first, while the brackets still count as open; then their entries;
// then the top. What a slot says may have been changed for a few stores to the
// tables. Code that is abandoned may have closed brackets that were there
// before it: they stay closed, and the one below them knows the rights without
// them.
void brackets_abandon(struct bracket *top, uint32_t before)
{
    struct bracket *b = percpu.bracket_top;
    const struct bracket *context = sentinel_of(top);
    while (sentinel_of(b) != context) {
        b = bracket_interrupted_top(sentinel_of(b));
    }
    if (percpu.trap_level == 0) {
        fill_abandon(b - 1, before);
    }
    top = b < top ? b : top;
    uint32_t rights =
        (top[-1].rights & ~WINDOW_WRITE) | (before & WINDOW_WRITE);
    pks_change_rights(percpu.bracket_top - 1, rights);
    // Innermost first, and through handlers that are abandoned with the rest.
    for (b = percpu.bracket_top; sentinel_of(b) != context;
         b = bracket_interrupted_top(b - 1)) {
        for (; !bracket_is_sentinel(b - 1); b--) {
            bracket_abandon(b - 1);
        }
    }
    for (; b > top; b--) {
        bracket_abandon(b - 1);
    }
    top[-1].rights = rights;
    cpu_compiler_barrier();
    percpu.bracket_top = top;
    if (engine->abandon_above != NULL) {
        engine->abandon_above(percpu.trap_level);
    }
    if (percpu.trap_level == 0 || engine->abandon_above != NULL) {
        window_trim();
    }
}

void brackets_relax(struct bracket *top, uint32_t bits)
{
    struct bracket *b = top;
    do {
        b--;
        b->rights &= ~bits;
    } while (!bracket_is_sentinel(b));
}

// The frames of a bracket lie side by side, or are known by entries of a
// window. Between the two, and under engines that have no `backing`, by the
// address.
bool bracket_holds(const struct bracket *bracket, const struct page *page,
                   size_t count)
{
    size_t frames = bracket_frames(bracket);
    if (bracket->map_site == 0) {
        return false;
    }
    if (bracket_is_special(bracket)) {
        return local_window_holds((const uint64_t *)bracket->backing, frames,
                                  page, count);
    }
    uintptr_t first = page_direct_address(page);
    uintptr_t base = ALIGN_DOWN(bracket_direct_address(bracket), PAGE_SIZE);
    return base < first + count * PAGE_SIZE &&
           first < base + frames * PAGE_SIZE;
}

// The next of the other CPUs. False: no more.
static bool walk_to_cpu(struct bracket_walk *walk)
{
    if (walk->cpus + 1 >= cpus_count) {
        return false;
    }
    unsigned number = walk->cpus < percpu.cpu ? walk->cpus : walk->cpus + 1;
    const volatile struct cpu_data *cpu = cpu_data_of(number);
    walk->cpus++;
    walk->next = cpu->bracket_top;
    return true;
}

// Go on to the context that is below, or to the next thread.
static void walk_descend(struct bracket_walk *walk)
{
    walk->next = bracket_interrupted_top(walk->next - 1);
    while (walk->next == NULL && !walk_to_cpu(walk)) {
        walk->context = mm_context_next(walk->context);
        if (walk->context == NULL) {
            walk->over = true;
            return;
        }
        if (!walk->context->running) {
            walk->next = walk->context->top;
        }
    }
}

const struct bracket *bracket_walk_on(struct bracket_walk *walk)
{
    if (walk->next == NULL) {
        walk->next = percpu.bracket_top;
    }
    while (!walk->over && bracket_is_sentinel(walk->next - 1)) {
        walk_descend(walk);
    }
    return walk->over ? NULL : --walk->next;
}

static const struct bracket *find_open(const struct page *page, size_t count)
{
    struct bracket_walk walk = {0};
    const struct bracket *bracket;
    while ((bracket = bracket_walk_on(&walk)) != NULL &&
           !bracket_holds(bracket, page, count)) {
    }
    return bracket;
}

const struct bracket *bracket_find_open(const struct page *page, size_t count)
{
    const struct bracket *bracket = find_open(page, count);
    if (unlikely(bracket != NULL && cpus_count > 1) && percpu.nmi_level == 0) {
        uint64_t flags = cpu_interrupts_off();
        tlb_park();
        bracket = find_open(page, count);
        tlb_release(NULL);
        cpu_interrupts_restore(flags);
    }
    return bracket;
}

const struct bracket *bracket_find_elsewhere(uintptr_t address)
{
    struct bracket_walk walk = {0};
    const struct bracket *bracket;
    while ((bracket = bracket_walk_on(&walk)) != NULL &&
           ((walk.context == NULL && walk.cpus == 0) ||
            bracket_address(bracket) != address)) {
    }
    return bracket;
}

uint32_t brackets_busy_keys(void)
{
    uint32_t busy = 0;
    struct bracket_walk walk = {0};
    const struct bracket *bracket;
    while ((bracket = bracket_walk_on(&walk)) != NULL) {
        const struct page *page =
            bracket_is_special(bracket)
                ? local_window_page((const uint64_t *)bracket->backing)
                : frame_page(
                      (bracket_direct_address(bracket) - DIRECT_MAP_BASE) /
                      PAGE_SIZE);
        if (page != NULL && page_domain(page) != NULL) {
            busy |= 1u << page_domain(page)->key;
        }
    }
    return busy;
}

void brackets_count(uint64_t *outermost, uint64_t *open)
{
    struct bracket_walk walk = {0};
    *outermost = handler_brackets_outermost();
    for (uint32_t i = 0; i < mm_contexts_used(); i++) { // of ended threads too
        *outermost += mm_context_at(i)->brackets.thread.bracket[0].count;
    }
    for (*open = 0; bracket_walk_on(&walk) != NULL; ++*open) {
    }
}

unsigned brackets_open_in(const struct bracket_stack *stack)
{
    struct bracket_walk walk = {0};
    const struct bracket *bracket, *first = stack->thread.bracket;
    unsigned open = 0;
    while ((bracket = bracket_walk_on(&walk)) != NULL) {
        open += bracket >= first && bracket < first + BRACKETS_MAX;
    }
    return open;
}

size_t brackets_frames(void)
{
    struct bracket_walk walk = {0};
    const struct bracket *bracket;
    size_t frames = 0;
    while ((bracket = bracket_walk_on(&walk)) != NULL) {
        frames += bracket_frames(bracket);
    }
    return frames;
}
