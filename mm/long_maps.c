// SPDX-License-Identifier: MIT
//
// What a free must ask.
#include "mm/long_maps.h"

#include "lib/panic.h"
#include "mm/layout.h"
#include "mm/lock.h"
#include "mm/misuse.h"
#include "mm/vmap_slots.h"

size_t kmaps_open;

size_t long_maps_open(void)
{
    return kmaps_open + vmaps_count();
}

void long_maps_check_free(struct page *page, uintptr_t site)
{
    struct misuse misuse = {
        .page = page,
        .site = {{"this free", site}, {"mapped", 0}},
    };
    uint64_t lock = mm_lock();
    if (long_kmap_is_open(page)) {
        misuse.what = "frame freed while kmap() has it open";
        misuse.site[1].ip = kmap_site_of(page);
    } else if (vmap_holds_locked(page, &misuse.site[1].ip)) {
        misuse.what = "frame freed while vmap() has it open";
    } else {
        page->private_prev = 0;
    }
    mm_unlock(lock);
    if (unlikely(misuse.what != NULL)) {
        misuse_report(&misuse);
    }
}
