// SPDX-License-Identifier: MIT
//
// Brackets on scattered frames: a part of the thread's window, under the key of
// their domain. BRACKET_SPECIAL in the saved rights sends kunmap_local() here.
#include "arch/pks.h"
#include "mm/bracket_internal.h"
#include "mm/bracket_misuse.h"
#include "mm/domain.h"
#include "mm/frames.h"
#include "mm/keys.h"
#include "mm/local_window.h"
#include "mm/misuse.h"

__used void bracket_close_special(struct bracket *bracket, uintptr_t site)
{
    if (bracket_is_sentinel(bracket)) {
        bracket_misuse_unmap(NULL, site);
    }
    local_window_close(ALIGN_DOWN(bracket->address, PAGE_SIZE),
                       -(int64_t)bracket->minus_frames,
                       bracket->rights & ~BRACKET_SPECIAL);
    bracket->unmap_site = site_pack(site);
    cpu_compiler_barrier();
    percpu_add(bracket_top, -sizeof(*bracket));
}

// What opens a key to a context that has `rights`.
static uint32_t rights_with(uint32_t rights, unsigned key, bool writable)
{
    return rights & ~(writable ? PKRS_KEY_MASK(key) : PKRS_AD(key));
}

static void outermost_count(const struct bracket *bracket)
{
    if (bracket_is_sentinel(bracket - 1)) {
        percpu_count(brackets_outermost);
    }
}

__used uintptr_t bracket_open_parked(struct bracket *bracket, bool writable)
{
    uintptr_t address = bracket->address;
    uintptr_t site = site_unpack(bracket->map_site);
    struct page *page = frame_page((address - DIRECT_MAP_BASE) / PAGE_SIZE);
    uint32_t rights = bracket->rights;
    if (!(page->private_state & FRAME_ALLOCATED)) {
        percpu_add(bracket_top, -sizeof(*bracket));
        bracket->map_site = 0; // it never was
        bracket_misuse_frame(address, site);
    }
    outermost_count(bracket);
    struct domain *domain = domain_of_id(page->private_domain);
    if (key_get(domain)) {
        pks_set_rights(rights_with(rights, domain->key, writable));
        return address;
    }
    size_t count = -(int64_t)bracket->minus_frames;
    uintptr_t room = local_window_take(count);
    if (room == 0) {
        percpu_add(bracket_top, -sizeof(*bracket));
        bracket_misuse_window(page, site);
    }
    bracket->address = room + address % PAGE_SIZE;
    bracket->rights = rights | BRACKET_SPECIAL;
    local_window_fill(room, &page, false, count, KEY_WINDOW, writable,
                      rights_with(rights, KEY_WINDOW, writable));
    return bracket->address;
}

// A bracket on scattered frames, at one contiguous address.
static void *pages_open(struct page *const pages[], size_t count, bool writable,
                        uintptr_t site)
{
    struct bracket *bracket = percpu.bracket_top;
    bracket_check_pages(pages, count, site);
    if (bracket->unmap_site == BRACKET_END) {
        bracket_misuse_depth(pages[0], site);
    }
    uintptr_t address = local_window_take(count);
    if (address == 0) {
        bracket_misuse_window(pages[0], site);
    }
    struct domain *domain = domain_of_id(pages[0]->private_domain);
    uint32_t rights = pks_rights();
    // Until the window is filled, the slot says that the first frame is open:
    // from then on the domain counts as open, and keeps its key.
    bracket->address = page_direct_address(pages[0]);
    bracket->rights = rights;
    bracket->sequence = (uint32_t)percpu.brackets_opened;
    bracket->site_of_one_frame = site;
    bracket_stamp(bracket);
    cpu_compiler_barrier();
    percpu_add(bracket_top, sizeof(*bracket));
    cpu_compiler_barrier();

    percpu_count(brackets_opened);
    outermost_count(bracket);
    bool keyed = domain->key != 0 || key_get(domain);
    unsigned key = keyed ? domain->key : KEY_WINDOW;
    local_window_fill(address, pages, true, count, key, writable,
                      rights_with(rights, key, writable));
    bracket->minus_frames = -(int32_t)count;
    bracket->address = address;
    bracket->rights = rights | BRACKET_SPECIAL;
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
