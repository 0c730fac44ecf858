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
#include "mm/bracket_internal.h"
#include "mm/bracket_misuse.h"
#include "mm/domain.h"
#include "mm/frames.h"
#include "mm/misuse.h"

static struct bracket_stack boot_brackets;

__init void brackets_init_boot(void)
{
    struct bracket_stack *stack = &boot_brackets;
    stack->sentinel.address = BRACKET_SENTINEL;
    stack->sentinel.interrupted = BRACKET_SPECIAL;
    stack->end.unmap_site = BRACKET_END;
    for (unsigned i = 0; i < ARRAY_SIZE(stack->end_in_handlers); i++) {
        stack->end_in_handlers[i].unmap_site = BRACKET_END;
    }
    percpu.bracket_top = stack->bracket;
    percpu.bracket_limit = stack->in_handlers;
}

// Open a bracket at `address` on frames of the domain that `page` is of; the
// slot is filled but for that. The checks stand where they cost least: rights
// of 0 mean that the frame has no domain or that the domain has no key, and the
// first bracket of a context always writes the register.
static inline __attribute__((always_inline)) void *
bracket_open(struct bracket *bracket, const struct page *page,
             uintptr_t address, bool writable)
{
    uint32_t rights = pks_rights();
    bracket->address = address;
    bracket->rights = rights;
    bracket->sequence = (uint32_t)percpu.brackets_opened;
    bracket_stamp(bracket);
    cpu_compiler_barrier();
    percpu_add(bracket_top, sizeof(*bracket));
    cpu_compiler_barrier();

    // Only now: from here on the domain counts as open, and no handler takes
    // its key for another.
    const struct domain_keep *keep = &domain_keep[page->private_domain];
    uint32_t open =
        pks_rights_kept(rights, writable ? keep->write : keep->read);
    percpu_count(brackets_opened);
    if (likely(open != rights)) {
        if (unlikely(open == 0)) {
            COLD_CALL_AND_BACK(bracket_open_parked, bracket, writable, address);
            return (void *)address;
        }
        if (likely(bracket_is_sentinel(bracket - 1))) {
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
    if (unlikely(bracket->unmap_site == BRACKET_END)) {
        COLD_CALL(bracket_misuse_depth, page, site);
    }
    bracket->site_of_one_frame = site;
    return bracket_open(bracket, page, page_direct_address(page), writable);
}

// A bracket on the frames behind bytes offset to offset + length of `first`,
// which are known to be allocated and of one domain.
static inline __attribute__((always_inline)) void *
range_open(const struct page *first, size_t offset, size_t frames,
           bool writable, uintptr_t site)
{
    struct bracket *bracket = percpu.bracket_top;
    if (unlikely(bracket->unmap_site == BRACKET_END)) {
        COLD_CALL(bracket_misuse_depth, first, site);
    }
    bracket->map_site = site_pack(site);
    bracket->minus_frames = -(int32_t)frames;
    return bracket_open(bracket, first + offset / PAGE_SIZE,
                        page_direct_address(first) + offset, writable);
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

void *bracket_map_page(struct page *page, bool writable, uintptr_t site)
{
    return page_open(page, writable, site);
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
        if (unlikely(rights & BRACKET_SPECIAL)) {
            uintptr_t unused;
            COLD_CALL_AND_BACK(bracket_close_special, bracket, CALL_SITE(),
                               unused);
            return;
        }
        pks_write_rights(rights);
    } else {
        percpu_count(pkrs_writes_skipped);
    }
    bracket->unmap_site = site_pack(CALL_SITE());
    cpu_compiler_barrier();
    percpu_add(bracket_top, -sizeof(*bracket));
}
