// SPDX-License-Identifier: MIT
//
// What a local bracket means: a frame opens for this thread, rights of nested
// brackets add up, and closing one takes back only what it gave.
//
// Order of stores, for a trap at any instruction (docs/TRICKS.md): a slot is
// filled before the top is raised over it, and the rights go back before the
// top does. A trap leaves the slot at the top alone.
#include "mm/bracket.h"

#include "arch/cpu.h"
#include "arch/pks.h"
#include "lib/panic.h"
#include "mm/bracket_misuse.h"
#include "mm/domain.h"
#include "mm/frames.h"
#include "mm/misuse.h"

static struct bracket_stack boot_brackets;

__init void brackets_init_boot(void)
{
    struct bracket_stack *stack = &boot_brackets;
    stack->sentinel.address = BRACKET_SENTINEL;
    stack->end.address = BRACKET_END;
    for (unsigned i = 0; i < ARRAY_SIZE(stack->end_in_handlers); i++) {
        stack->end_in_handlers[i].address = BRACKET_END;
    }
    percpu.bracket_top = stack->bracket;
    percpu.bracket_limit = stack->in_handlers;
}

// Call a function that does not return, in a way that lets the compiler take
// the caller for a leaf: it then keeps no frame pointer, which is a tenth of a
// bracket's instructions.
#define COLD_CALL(function, a, b)                                              \
    do {                                                                       \
        __asm__ volatile("call " #function : : "D"(a), "S"(b) : "memory");     \
        __builtin_unreachable();                                               \
    } while (0)

static inline __attribute__((always_inline)) bool
is_sentinel(const struct bracket *bracket)
{
    return bracket->address == BRACKET_SENTINEL;
}

// What debug builds remember on top.
static inline void bracket_stamp(struct bracket *bracket)
{
#ifdef KEYHOLE_DEBUG
    bracket->map_time = (uint32_t)(cpu_read_tsc() / BRACKET_TIME_UNIT);
#else
    (void)bracket;
#endif
}

// Open a bracket at `address` on frames of the domain that `page` is of; the
// slot is filled but for that. The checks stand where they cost least: rights
// of 0 mean that the frame has no domain, and the first bracket of a context
// always writes the register.
static inline __attribute__((always_inline)) void *
bracket_open(struct bracket *bracket, const struct page *page,
             uintptr_t address, bool writable, uintptr_t site)
{
    const struct domain_keep *keep = &domain_keep[page->private_domain];
    uint32_t rights = pks_rights();
    uint32_t open =
        pks_rights_kept(rights, writable ? keep->write : keep->read);

    bracket->address = address;
    bracket->rights = rights;
    bracket->sequence = (uint32_t)percpu.brackets_opened;
    bracket_stamp(bracket);
    cpu_compiler_barrier();
    percpu_add(bracket_top, sizeof(*bracket));

    percpu_count(brackets_opened);
    if (likely(open != rights)) {
        if (unlikely(open == 0)) {
            COLD_CALL(bracket_misuse_frame, address, site);
        }
        if (likely(is_sentinel(bracket - 1))) {
            percpu_count(brackets_outermost);
        }
        pks_write_rights(open);
    } else {
        percpu_count(pkrs_writes_skipped);
    }
    return (void *)address;
}

// A bracket on one frame.
static inline __attribute__((always_inline)) void *
page_open(const struct page *page, bool writable, uintptr_t site)
{
    struct bracket *bracket = percpu.bracket_top;
    if (unlikely(bracket->address == BRACKET_END)) {
        COLD_CALL(bracket_misuse_depth, page, site);
    }
    bracket->site_of_one_frame = site;
    return bracket_open(bracket, page, page_direct_address(page), writable,
                        site);
}

// A bracket on the frames behind bytes offset to offset + length of `first`,
// which are known to be allocated and of one domain.
static inline __attribute__((always_inline)) void *
range_open(const struct page *first, size_t offset, size_t frames,
           bool writable, uintptr_t site)
{
    struct bracket *bracket = percpu.bracket_top;
    if (unlikely(bracket->address == BRACKET_END)) {
        COLD_CALL(bracket_misuse_depth, first, site);
    }
    bracket->map_site = site_pack(site);
    bracket->minus_frames = -(int32_t)frames;
    return bracket_open(bracket, first + offset / PAGE_SIZE,
                        page_direct_address(first) + offset, writable, site);
}

static size_t range_frames(size_t offset, size_t length)
{
    return (offset % PAGE_SIZE + length + PAGE_SIZE - 1) / PAGE_SIZE;
}

// The same for a range that has to be looked at frame by frame.
static __noinline void *range_open_checked(const struct page *first,
                                           size_t offset, size_t length,
                                           bool writable, uintptr_t site)
{
    bracket_check_range(first, offset, length, site);
    return range_open(first, offset, range_frames(offset, length), writable,
                      site);
}

// Is the range in one block of the size that `first` has? Then that block is
// allocated as a whole, and of one domain, if the range's first frame is
// allocated; bracket_open() finds out. The order of a free frame means nothing,
// so the frame that decides must have it too.
static inline bool range_is_simple(const struct page *first, size_t offset,
                                   size_t length)
{
    size_t block = PAGE_SIZE << first->private_order;
    size_t into_block = page_direct_address(first) & (block - 1);
    return length - 1 < block && offset < block &&
           into_block + offset + length <= block &&
           first[offset / PAGE_SIZE].private_order == first->private_order;
}

void *kmap_local_page(struct page *page)
{
    return page_open(page, true, CALL_SITE());
}

const void *kmap_local_page_ro(struct page *page)
{
    return page_open(page, false, CALL_SITE());
}

void *kmap_local_range(struct page *first, size_t offset, size_t length)
{
    if (unlikely(!range_is_simple(first, offset, length))) {
        return range_open_checked(first, offset, length, true, CALL_SITE());
    }
    return range_open(first, offset, range_frames(offset, length), true,
                      CALL_SITE());
}

const void *kmap_local_range_ro(struct page *first, size_t offset,
                                size_t length)
{
    if (unlikely(!range_is_simple(first, offset, length))) {
        return range_open_checked(first, offset, length, false, CALL_SITE());
    }
    return range_open(first, offset, range_frames(offset, length), false,
                      CALL_SITE());
}

void kunmap_local(const void *address)
{
    struct bracket *bracket = percpu.bracket_top - 1;
    if (unlikely(bracket->address != (uintptr_t)address)) {
        COLD_CALL(bracket_misuse_unmap, address, CALL_SITE());
    }
    uint32_t rights = bracket->rights;
    if (likely(rights != pks_rights())) {
        // Nobody's address is the sentinel's, but anything can be passed. Its
        // "rights" are half a pointer and never what the context has.
        if (unlikely(is_sentinel(bracket))) {
            COLD_CALL(bracket_misuse_unmap, NULL, CALL_SITE());
        }
        pks_write_rights(rights);
    } else {
        percpu_count(pkrs_writes_skipped);
    }
    bracket->unmap_site = site_pack(CALL_SITE());
    cpu_compiler_barrier();
    percpu_add(bracket_top, -sizeof(*bracket));
}

// ---------------------------------------------------------------- For reports

unsigned brackets_depth(void)
{
    unsigned depth = 0;
    for (const struct bracket *b = percpu.bracket_top; !is_sentinel(b - 1);
         b--) {
        depth++;
    }
    return depth;
}

const struct bracket *bracket_innermost(void)
{
    const struct bracket *bracket = percpu.bracket_top - 1;
    return is_sentinel(bracket) ? NULL : bracket;
}

void brackets_abandon(struct bracket *top, uint32_t rights)
{
    pks_set_rights(rights);
    percpu.bracket_top = top;
}

static bool bracket_holds(const struct bracket *bracket,
                          const struct page *page, size_t count)
{
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
        for (; !is_sentinel(b - 1); b--) {
            if (bracket_holds(b - 1, page, count)) {
                return b - 1;
            }
        }
        b = b[-1].interrupted;
    }
    return NULL;
}

// The thread's own brackets, and in *top where the open ones end.
static const struct bracket_stack *thread_brackets(const struct bracket **top)
{
    const struct bracket *b = percpu.bracket_top;
    for (;;) {
        *top = b;
        while (!is_sentinel(b - 1)) {
            b--;
        }
        if (b[-1].interrupted == NULL) {
            return CONTAINER_OF(b - 1, const struct bracket_stack, sentinel);
        }
        b = b[-1].interrupted;
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
    for (; !is_sentinel(b - 1); b--) {
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
