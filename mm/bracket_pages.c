// SPDX-License-Identifier: MIT
//
// Brackets that are more than a change of rights: those on scattered frames,
// and those on a domain for which no key is free. Both have a part of the
// thread's window, and are marked as special, which sends kunmap_local() here.
#include "arch/pks.h"
#include "mm/bracket_internal.h"
#include "mm/bracket_misuse.h"
#include "mm/domain.h"
#include "mm/engine.h"
#include "mm/frames.h"
#include "mm/keys.h"
#include "mm/local_window.h"
#include "mm/misuse.h"
#include "mm/pt_window.h"
#include "mm/trace.h"
#include "mm/watch.h"

// What opens a key to a context that has `rights`. Where windows need no key it
// is another word all the same (arch/asm.h).
static uint32_t rights_with(uint32_t rights, unsigned key, bool writable)
{
    return key != KEY_KERNEL
               ? rights & ~(writable ? PKRS_KEY_MASK(key) : PKRS_AD(key))
               : rights - RIGHTS_ONE_BRACKET;
}

// From now on the bracket is known by an address of the window. The address
// comes last: a handler that looks before sees the first frame, and some more.
static void special_mark(struct bracket *bracket, uintptr_t address,
                         size_t count, const uint64_t *entry)
{
    bracket->backing = (uintptr_t)entry;
    bracket->more_frames = -(int32_t)count;
    cpu_compiler_barrier();
    bracket->address = address & ~BRACKET_SPECIAL;
}

__used void bracket_unmap_slow(uintptr_t address, int32_t site)
{
    struct bracket *bracket = percpu.bracket_top - 1;
    if (unlikely(!bracket_is_special(bracket) ||
                 bracket_address(bracket) != address)) {
        bracket_misuse_unmap((const void *)address, site_unpack(site));
    }
    // The bracket's key closes before its entries are gone: from then on nobody
    // can tell that it is in use.
    pks_change_rights(bracket, bracket[-1].rights & ~WINDOW_WRITE);
    trace_bracket(
        TRACE_UNMAP, bracket,
        local_window_first((uint64_t *)bracket->backing, -bracket->more_frames),
        address, site);
    address = ALIGN_DOWN(address, PAGE_SIZE);
    local_window_unmap((uint64_t *)bracket->backing, address,
                       -bracket->more_frames);
    local_window_give(address);
    pks_change_rights(bracket, bracket[-1].rights);
    local_window_forget_moved(address, -bracket->more_frames);
    if (unlikely(engine->list_closed != NULL)) {
        engine->list_closed(address, -bracket->more_frames);
    }
    bracket->unmap_site = site;
    percpu_count(bracket_slow_calls);
    cpu_compiler_barrier();
    percpu_add(bracket_top, -(long)sizeof(*bracket));
}

// A map call that the hot path had begun is a misuse after all.
static void map_undo(struct bracket *bracket)
{
    percpu_add(bracket_top, -(long)sizeof(*bracket));
    percpu_count(brackets_abandoned);
    bracket->map_site = 0; // it never was
}

// No key is free for the domain of a bracket's frames: through the window.
static uintptr_t window_open_frames(struct bracket *bracket, uintptr_t address,
                                    bool writable, uintptr_t site)
{
    struct page *page = frame_page((address - DIRECT_MAP_BASE) / PAGE_SIZE);
    size_t count = bracket_frames(bracket);
    uintptr_t room = local_window_take(count);
    if (room == 0) {
        map_undo(bracket);
        bracket_misuse_window(page, site);
    }
    uint64_t flags = local_window_flags(engine->window_key, writable);
    uint64_t *entry = local_window_entry(local_window(), room);
    uint32_t rights = pks_rights();
    pks_change_rights(bracket, rights & ~WINDOW_WRITE);
    for (size_t i = 0; i < count; i++) {
        local_window_set(entry + i, page + i, flags);
    }
    pks_change_rights(bracket,
                      rights_with(rights, engine->window_key, writable));
    percpu_add_value(pte_writes, count);
    room += address % PAGE_SIZE;
    special_mark(bracket, room, count, entry);
    if (unlikely(watches_on != 0)) {
        watch_bracket(bracket);
    }
    trace_bracket(TRACE_MAP, bracket, page_frame(page), room, site_pack(site));
    return room;
}

__used uintptr_t bracket_map_slow(struct bracket *slot, uintptr_t address,
                                  uint32_t site_and_writable)
{
    bool writable = site_and_writable & MAP_WRITABLE;
    uintptr_t site = site_unpack((int32_t)(site_and_writable & ~MAP_WRITABLE));
    if (slot->count < 0) {
        bracket_misuse_depth((const struct page *)address, site);
    }
    struct page *page = frame_page((address - DIRECT_MAP_BASE) / PAGE_SIZE);
    percpu_count(bracket_slow_calls);
    slot->rights = slot[-1].rights;
    if (!(page->private_state & FRAME_ALLOCATED)) {
        map_undo(slot);
        bracket_misuse_frame(address, site);
    }
    struct domain *domain = domain_of_id(page->private_domain);
    if (!engine->domain_open(domain)) {
        return window_open_frames(slot, address, writable, site);
    }
    pks_set_rights(rights_with(pks_rights(), domain->key, writable));
    trace_bracket(TRACE_MAP, slot, trace_frame(slot), address, slot->map_site);
    return address;
}

// Fill and raise a slot. Until the window is filled, it says that the first
// frame is open: from then on the domain counts as open, and keeps its key.
static inline void slot_fill(struct bracket *bracket, const struct page *first,
                             uintptr_t site)
{
    bracket->address = bracket->backing = page_direct_address(first);
    bracket->rights = bracket[-1].rights;
    bracket->sequence = (uint32_t)percpu.brackets_opened;
    bracket->map_site = site_pack(site);
    bracket->more_frames = 0;
    bracket->count++;
    bracket_stamp(bracket);
    cpu_compiler_barrier();
    percpu_add(bracket_top, sizeof(*bracket));
    cpu_compiler_barrier();
    percpu_count(brackets_opened);
    percpu_count(bracket_slow_calls);
}

// Frame i of a list cannot be in the bracket: take back what is mapped already.
static __cold __noreturn void list_undo(struct bracket *bracket,
                                        uintptr_t address,
                                        struct page *const pages[], size_t i,
                                        uintptr_t site)
{
    local_window_unmap(local_window_entry(local_window(), address), address, i);
    local_window_give(address);
    pks_change_rights(bracket, bracket[-1].rights);
    local_window_forget_moved(address, i);
    map_undo(bracket);
    bracket_misuse_list(pages[i], site);
}

// A bracket on scattered frames, at one contiguous address. One pass over the
// list checks and maps, with the page tables open: what is abandoned in it, by
// a list that cannot be read, is trimmed from the window.
static inline __attribute__((always_inline)) void *
pages_open(struct page *const pages[], size_t count, bool writable,
           uintptr_t site)
{
    struct bracket *bracket = percpu.bracket_top;
    if (unlikely(count - 1 >= LOCAL_WINDOW_FRAMES)) {
        bracket_misuse_count(count, site);
    }
    const struct page *page = pages[0];
    unsigned id = page->private_domain;
    if (unlikely(!(page->private_state & FRAME_ALLOCATED))) {
        bracket_misuse_list(page, site);
    }
    if (unlikely(bracket->count < 0)) {
        bracket_misuse_depth(page, site);
    }
    uintptr_t address = local_window_take(count);
    if (unlikely(address == 0)) {
        bracket_misuse_window(page, site);
    }
    slot_fill(bracket, page, site);
    struct domain *domain = domain_of_id(id);
    unsigned key = domain->key;
    if (unlikely(key == 0)) {
        key = engine->domain_open(domain) ? domain->key : engine->window_key;
    }

    uint64_t flags = local_window_flags(key, writable);
    uint64_t *entry = local_window_entry(local_window(), address);
    pks_change_rights(bracket, bracket[-1].rights & ~WINDOW_WRITE);
    for (size_t i = 0;;) {
        local_window_set(&entry[i], page, flags);
        if (++i == count) {
            break;
        }
        page = pages[i];
        if (unlikely(page->private_domain != id ||
                     !(page->private_state & FRAME_ALLOCATED))) {
            list_undo(bracket, address, pages, i, site);
        }
    }
    pks_change_rights(bracket, rights_with(bracket[-1].rights, key, writable));
    percpu_add_value(pte_writes, count);
    special_mark(bracket, address, count, entry);
    if (unlikely(watches_on != 0)) {
        watch_bracket(bracket);
    }
    trace_bracket(TRACE_MAP, bracket, trace_list_first(pages, count), address,
                  bracket->map_site);
    return (void *)address;
}

void *kmap_local_pages(struct page *const pages[], size_t count)
{
    return pages_open(pages, count, true, CALL_SITE());
}

const void *kmap_local_pages_ro(struct page *const pages[], size_t count)
{
    return pages_open(pages, count, false, CALL_SITE());
}
