// SPDX-License-Identifier: MIT
//
// Looking at brackets, for those who report or abandon them. Not for hot paths.
#include "arch/pks.h"
#include "mm/bracket_internal.h"
#include "mm/domain.h"
#include "mm/frames.h"
#include "mm/local_window.h"

// The open brackets of the context below a sentinel end here; NULL: there is
// none.
static const struct bracket *interrupted_top(const struct bracket *sentinel)
{
    return (const struct bracket *)(sentinel->interrupted &
                                    ~(uintptr_t)BRACKET_SPECIAL);
}

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
// handler it may be the interrupted code's, which goes on.
static void window_trim(void)
{
    for (const struct bracket *b = percpu.bracket_top;
         !bracket_is_sentinel(b - 1); b--) {
        if (local_window_has(b[-1].address)) {
            local_window_trim(ALIGN_DOWN(b[-1].address, PAGE_SIZE),
                              -(int64_t)b[-1].minus_frames);
            return;
        }
    }
    local_window_trim(0, 0);
}

void brackets_abandon(struct bracket *top, uint32_t rights)
{
    // Innermost first, and through handlers that are abandoned with the rest.
    struct bracket *b = percpu.bracket_top;
    while (b > top) {
        if (bracket_is_sentinel(b - 1)) {
            b = (struct bracket *)interrupted_top(b - 1);
            continue;
        }
        b--;
        if (local_window_has(b->address)) {
            local_window_close(ALIGN_DOWN(b->address, PAGE_SIZE),
                               -(int64_t)b->minus_frames, pks_rights());
        }
    }
    // What is abandoned may have closed brackets that were there before it.
    // They stay closed: the lowest of them knows the rights that were without
    // it.
    if (b < top) {
        top = b;
        rights = b->rights & ~BRACKET_SPECIAL;
    }
    pks_set_rights(rights);
    percpu.bracket_top = top;
    if (percpu.trap_level == 0) {
        window_trim();
    }
}

static bool bracket_holds(const struct bracket *bracket,
                          const struct page *page, size_t count)
{
    if (local_window_has(bracket->address)) {
        return bracket->map_site != 0 &&
               local_window_holds(bracket->address,
                                  -(int64_t)bracket->minus_frames, page, count);
    }
    uintptr_t first = page_direct_address(page);
    uintptr_t base = ALIGN_DOWN(bracket->address, PAGE_SIZE);
    uint64_t size = PAGE_SIZE * (uint64_t) - (int64_t)bracket->minus_frames;
    return bracket->map_site != 0 && base < first + count * PAGE_SIZE &&
           first < base + size;
}

const struct bracket *bracket_find_open(const struct page *page, size_t count)
{
    const struct bracket *b = percpu.bracket_top;
    while (b != NULL) {
        for (; !bracket_is_sentinel(b - 1); b--) {
            if (bracket_holds(b - 1, page, count)) {
                return b - 1;
            }
        }
        b = interrupted_top(b - 1);
    }
    return NULL;
}

uint32_t brackets_busy_keys(void)
{
    uint32_t busy = 0;
    const struct bracket *b = percpu.bracket_top;
    for (; b != NULL; b = interrupted_top(b - 1)) {
        for (; !bracket_is_sentinel(b - 1); b--) {
            uintptr_t address = b[-1].address;
            const struct page *page =
                local_window_has(address)
                    ? local_window_page(address)
                    : frame_page((address - DIRECT_MAP_BASE) / PAGE_SIZE);
            if (page != NULL && page_domain(page) != NULL) {
                busy |= 1u << page_domain(page)->key;
            }
        }
    }
    return busy;
}

// The thread's own brackets, and in *top where the open ones end.
static const struct bracket_stack *thread_brackets(const struct bracket **top)
{
    const struct bracket *b = percpu.bracket_top;
    for (;;) {
        *top = b;
        while (!bracket_is_sentinel(b - 1)) {
            b--;
        }
        if (interrupted_top(b - 1) == NULL) {
            return CONTAINER_OF(b - 1, const struct bracket_stack, sentinel);
        }
        b = interrupted_top(b - 1);
    }
}

const struct bracket *bracket_recall(const struct page *page, unsigned *cursor,
                                     bool *open)
{
    const struct bracket *top;
    const struct bracket_stack *stack = thread_brackets(&top);
    while (*cursor < BRACKETS_MAX) {
        const struct bracket *bracket = &stack->bracket[(*cursor)++];
        if (bracket_holds(bracket, page, 1)) {
            *open = bracket < top;
            return bracket;
        }
    }
    return NULL;
}

const struct bracket *bracket_find(uintptr_t address, enum bracket_where *where)
{
    const struct bracket *top;
    const struct bracket_stack *stack = thread_brackets(&top);
    const struct bracket *b = percpu.bracket_top;
    for (; !bracket_is_sentinel(b - 1); b--) {
        if (b[-1].address == address) {
            *where = BRACKET_OPEN;
            return b - 1;
        }
    }
    for (unsigned i = 0; i < BRACKETS_MAX; i++) {
        b = &stack->bracket[i];
        if (b->address == address && b->map_site != 0) {
            *where = b < top ? BRACKET_OTHERS : BRACKET_CLOSED;
            return b;
        }
    }
    return NULL;
}
