// SPDX-License-Identifier: MIT
//
// What a local bracket means: a frame opens for this thread, rights of nested
// brackets add up, and closing one takes back only what it gave.
//
// Order of stores, for a trap at any instruction (docs/TRICKS.md): the slot is
// reserved by raising the depth before it is filled, and the rights go back
// before the depth does. A trap in between puts its own brackets above.
#include "mm/bracket.h"

#include "arch/cpu.h"
#include "arch/pks.h"
#include "lib/panic.h"
#include "mm/domain.h"
#include "mm/frames.h"
#include "mm/misuse.h"

static struct bracket_stack boot_brackets;

__init void brackets_init_boot(void)
{
    percpu.brackets = &boot_brackets;
}

static inline uint64_t debug_tsc(void)
{
#ifdef KEYHOLE_DEBUG
    return cpu_read_tsc();
#else
    return 0;
#endif
}

// ------------------------------------------------------------------ Misuse

// Why a map call cannot be served; does not return.
static __cold __noreturn void misuse_map(const struct page *page,
                                         const struct bracket_stack *stack,
                                         uint32_t depth, uintptr_t site)
{
    struct misuse misuse = {.page = page, .site = {{"this map", site}}};
    if (!(page->private_state & FRAME_ALLOCATED)) {
        misuse.what = page->private_state & (FRAME_KERNEL | FRAME_TABLE)
                          ? "map of a frame of the kernel's own"
                          : "map of a frame that is not allocated";
        if (page->private_state & FRAME_POISONED) {
            misuse.site[1].what = "freed";
            misuse.site[1].ip = site_unpack(page->private_site);
        }
    } else {
        misuse.what = "too many nested brackets";
        misuse.site[1].what = "innermost mapped";
        misuse.site[1].ip = site_unpack(stack->bracket[depth - 1].map_site);
    }
    misuse_report(&misuse);
}

// Why an unmap call cannot be served; does not return.
static __cold __noreturn void misuse_unmap(const void *address,
                                           const struct bracket_stack *stack,
                                           uintptr_t site)
{
    struct misuse misuse = {.address = address, .site = {{"this unmap", site}}};
    uint32_t base = percpu.bracket_base;
    for (uint32_t i = 0; i < ARRAY_SIZE(stack->bracket); i++) {
        const struct bracket *b = &stack->bracket[i];
        if (b->address != (uintptr_t)address || b->map_site == 0) {
            continue;
        }
        if (i < base) {
            misuse.what = "unmap in a handler of a bracket that is not its own";
            misuse.site[1].what = "mapped";
            misuse.site[1].ip = site_unpack(b->map_site);
        } else if (i < stack->depth) {
            misuse.what = "unmap out of order";
            misuse.site[1].what = "innermost mapped";
            misuse.site[1].ip =
                site_unpack(stack->bracket[stack->depth - 1].map_site);
            break;
        } else {
            misuse.what = "unmapped twice";
            misuse.site[1].what = "unmapped before";
            misuse.site[1].ip = site_unpack(b->unmap_site);
        }
    }
    if (misuse.what == NULL) {
        misuse.what = "unmap of an address that was never mapped";
    }
    misuse_report(&misuse);
}

// --------------------------------------------------------------- Map and unmap

// Open a bracket on one frame. `open` is the member of struct domain with the
// bits to clear; a constant, like all the rest, after inlining.
static inline __attribute__((always_inline)) void *
bracket_open(struct page *page, bool writable, uintptr_t site)
{
    struct bracket_stack *stack = percpu.brackets;
    uint32_t depth = stack->depth;
    if (unlikely(!(page->private_state & FRAME_ALLOCATED)) ||
        unlikely(depth - percpu.bracket_base >= BRACKETS_MAX) ||
        unlikely(depth >= ARRAY_SIZE(stack->bracket))) {
        misuse_map(page, stack, depth, site);
    }
    const struct domain *domain = domain_of_id(page->private_domain);
    struct bracket *bracket = &stack->bracket[depth];
    uint32_t rights = pks_rights();

    stack->depth = depth + 1;
    cpu_compiler_barrier();
    bracket->address = page_direct_address(page);
    bracket->map_site = site_pack(site);
    bracket->rights = rights;
    bracket->sequence = (uint32_t)percpu.brackets_opened;
    bracket->opened_tsc = debug_tsc();
    cpu_compiler_barrier();
    bracket->unmap_site = 0;

    percpu_count(brackets_opened);
    if (depth != percpu.bracket_base) {
        percpu_count(brackets_nested);
    }
    pks_set_rights(rights &
                   ~(writable ? domain->open_write : domain->open_read));
    return (void *)page_direct_address(page);
}

void *kmap_local_page(struct page *page)
{
    return bracket_open(page, true, CALL_SITE());
}

const void *kmap_local_page_ro(struct page *page)
{
    return bracket_open(page, false, CALL_SITE());
}

void kunmap_local(const void *address)
{
    struct bracket_stack *stack = percpu.brackets;
    uint32_t depth = stack->depth;
    struct bracket *bracket = &stack->bracket[depth - 1];
    if (unlikely(depth <= percpu.bracket_base) ||
        unlikely(bracket->address != (uintptr_t)address)) {
        misuse_unmap(address, stack, CALL_SITE());
    }
    pks_set_rights(bracket->rights);
    bracket->unmap_site = site_pack(CALL_SITE());
    cpu_compiler_barrier();
    stack->depth = depth - 1;
}

// ----------------------------------------------------------------- For reports

void brackets_abandon(uint32_t depth, uint32_t rights)
{
    struct bracket_stack *stack = percpu.brackets;
    pks_set_rights(rights);
    while (stack->depth > depth) {
        stack->bracket[stack->depth - 1].unmap_site = site_pack(CALL_SITE());
        cpu_compiler_barrier();
        stack->depth--;
    }
}

static bool bracket_holds(const struct bracket *bracket,
                          const struct page *page, size_t count)
{
    return bracket->map_site != 0 &&
           bracket->address - page_direct_address(page) < count * PAGE_SIZE;
}

const struct bracket *bracket_find_open(const struct page *page, size_t count)
{
    const struct bracket_stack *stack = percpu.brackets;
    for (uint32_t i = 0; i < stack->depth; i++) {
        const struct bracket *bracket = &stack->bracket[i];
        if (bracket->unmap_site == 0 && bracket_holds(bracket, page, count)) {
            return bracket;
        }
    }
    return NULL;
}

const struct bracket *bracket_recall(const struct page *page, unsigned *cursor)
{
    const struct bracket_stack *stack = percpu.brackets;
    while (*cursor < ARRAY_SIZE(stack->bracket)) {
        const struct bracket *bracket = &stack->bracket[(*cursor)++];
        if (bracket_holds(bracket, page, 1)) {
            return bracket;
        }
    }
    return NULL;
}
