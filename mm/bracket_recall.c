// SPDX-License-Identifier: MIT
//
// What the slots of this thread still know of brackets that are closed. For
// reports.
#include "mm/bracket_internal.h"
#include "mm/frames.h"
#include "mm/local_window.h"

// The thread's own brackets, and in *top where the open ones end.
static const struct bracket_level *thread_brackets(const struct bracket **top)
{
    const struct bracket *b = percpu.bracket_top;
    for (;;) {
        *top = b;
        while (!bracket_is_sentinel(b - 1)) {
            b--;
        }
        if (bracket_interrupted_top(b - 1) == NULL) {
            return CONTAINER_OF(b - 1, const struct bracket_level, sentinel);
        }
        b = bracket_interrupted_top(b - 1);
    }
}

struct bracket_level *bracket_thread_level(void)
{
    const struct bracket *top;
    return (struct bracket_level *)thread_brackets(&top);
}

const struct bracket *bracket_recall(const struct page *page, unsigned *cursor,
                                     bool *open)
{
    const struct bracket *top;
    const struct bracket_level *stack = thread_brackets(&top);
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
    const struct bracket_level *stack = thread_brackets(&top);
    const struct bracket *b = percpu.bracket_top;
    for (; !bracket_is_sentinel(b - 1); b--) {
        if (bracket_address(b - 1) == address) {
            *where = BRACKET_OPEN;
            return b - 1;
        }
    }
    for (unsigned i = 0; i < BRACKETS_MAX; i++) {
        b = &stack->bracket[i];
        if (bracket_address(b) == address && b->map_site != 0) {
            *where = b < top ? BRACKET_OTHERS : BRACKET_CLOSED;
            return b;
        }
    }
    return NULL;
}

const struct page *bracket_page_once(uintptr_t address)
{
    const struct bracket *top;
    const struct bracket_level *stack = thread_brackets(&top);
    for (unsigned i = 0; i < BRACKETS_MAX; i++) {
        const struct bracket *b = &stack->bracket[i];
        uintptr_t base = ALIGN_DOWN(b->address, PAGE_SIZE);
        uintptr_t direct = b->backing - DIRECT_MAP_BASE;
        if (b->map_site != 0 && !bracket_is_special(b) &&
            local_window_has(base) && direct < DIRECT_MAP_SIZE &&
            address - base < bracket_frames(b) * PAGE_SIZE) {
            return frame_page(direct / PAGE_SIZE +
                              (address - base) / PAGE_SIZE);
        }
    }
    return NULL;
}
