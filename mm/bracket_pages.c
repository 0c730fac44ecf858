// SPDX-License-Identifier: MIT
//
// Brackets that are more than a change of rights: those on scattered frames,
// and those on a domain for which no key is free. Both have a part of the
// thread's window, and are marked as special, which sends kunmap_local() here.
#include "arch/pks.h"
#include "mm/bracket_internal.h"
#include "mm/bracket_misuse.h"
#include "mm/domain.h"
#include "mm/frames.h"
#include "mm/keys.h"
#include "mm/local_window.h"
#include "mm/misuse.h"

// What opens a key to a context that has `rights`.
static uint32_t rights_with(uint32_t rights, unsigned key, bool writable)
{
    return rights & ~(writable ? PKRS_KEY_MASK(key) : PKRS_AD(key));
}

// From now on the bracket is known by an address of the window. The address
// comes last: a handler that looks before sees the first frame, and some more.
static void special_mark(struct bracket *bracket, uintptr_t address,
                         size_t count)
{
    bracket->more_frames = -(int32_t)count;
    cpu_compiler_barrier();
    bracket->address = address & ~BRACKET_SPECIAL;
}

__used void bracket_unmap_slow(uintptr_t address, uintptr_t site)
{
    struct bracket *bracket = percpu.bracket_top - 1;
    if (!bracket_is_special(bracket) || bracket_is_sentinel(bracket) ||
        bracket_address(bracket) != address) {
        bracket_misuse_unmap((const void *)address, site);
    }
    local_window_close(ALIGN_DOWN(address, PAGE_SIZE), bracket_frames(bracket),
                       bracket[-1].rights);
    bracket->unmap_site = site_pack(site);
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
    uint32_t rights = rights_with(pks_rights(), KEY_WINDOW, writable);
    local_window_fill(room, &page, false, count, KEY_WINDOW, writable, rights);
    room += address % PAGE_SIZE;
    special_mark(bracket, room, count);
    return room;
}

__used uintptr_t bracket_map_slow(struct bracket *slot, uintptr_t address,
                                  bool writable, uintptr_t site)
{
    if (slot->count < 0) {
        bracket_misuse_depth((const struct page *)address, site);
    }
    struct page *page = frame_page((address - DIRECT_MAP_BASE) / PAGE_SIZE);
    site = site_unpack(slot->map_site);
    percpu_count(bracket_slow_calls);
    slot->rights = slot[-1].rights;
    if (!(page->private_state & FRAME_ALLOCATED)) {
        map_undo(slot);
        bracket_misuse_frame(address, site);
    }
    struct domain *domain = domain_of_id(page->private_domain);
    if (!key_get(domain)) {
        return window_open_frames(slot, address, writable, site);
    }
    pks_set_rights(rights_with(pks_rights(), domain->key, writable));
    return address;
}

// A bracket on scattered frames, at one contiguous address.
static void *pages_open(struct page *const pages[], size_t count, bool writable,
                        uintptr_t site)
{
    struct bracket *bracket = percpu.bracket_top;
    unsigned id = bracket_check_pages(pages, count, site);
    if (bracket->count < 0) {
        bracket_misuse_depth(pages[0], site);
    }
    uintptr_t address = local_window_take(count);
    if (address == 0) {
        bracket_misuse_window(pages[0], site);
    }
    // Until the window is filled, the slot says that the first frame is open:
    // from then on the domain counts as open, and keeps its key.
    uint32_t rights = bracket[-1].rights;
    bracket->address = page_direct_address(pages[0]);
    bracket->rights = rights;
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
    struct domain *domain = domain_of_id(id);
    unsigned key = domain->key;
    if (unlikely(key == 0)) {
        key = key_get(domain) ? domain->key : KEY_WINDOW;
    }
    local_window_fill(address, pages, true, count, key, writable,
                      rights_with(rights, key, writable));
    special_mark(bracket, address, count);
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
