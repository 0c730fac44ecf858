// SPDX-License-Identifier: MIT
//
// kmap(): an address for everybody. Each frame has one of its own in a region
// that is linear in physical addresses, so a range is contiguous, a second
// kmap() finds the first, and nothing has to be searched. The leaf is there
// while somebody has the frame open, with key 0: exactly that frame, for every
// thread, whatever key its domain has (docs/explanation).
#include "arch/pte.h"
#include "lib/panic.h"
#include "mm/domain.h"
#include "mm/frames.h"
#include "mm/layout.h"
#include "mm/lock.h"
#include "mm/long_maps.h"
#include "mm/misuse.h"
#include "mm/pagetable.h"
#include "mm/section.h"

#define KMAP_LEAF (PTE_P | PTE_RW | PTE_A | PTE_D | PTE_XD)

static uintptr_t kmap_address(const struct page *page)
{
    return KMAP_BASE + page_to_phys(page);
}

static __cold __noreturn void misuse_kmap(const char *what,
                                          const struct page *page,
                                          const char *call, uintptr_t site,
                                          const char *other)
{
    misuse_report(&(struct misuse){
        .what = what,
        .page = page,
        .site = {{call, site},
                 {other, other ? site_unpack(page->private_next) : 0}},
    });
}

static bool frame_is_allocated(const struct page *page)
{
    return section_is_ready(page_to_phys(page)) &&
           (page->private_state & FRAME_ALLOCATED);
}

// One more opening of a frame. False: no page table left, nothing changed.
static bool frame_open_locked(struct page *page, uintptr_t site)
{
    if ((page->private_prev & LONG_KMAP_MASK) == 0) {
        uint64_t *entry = pt_entries_locked(kmap_address(page));
        if (entry == NULL) {
            return false;
        }
        long_map_write_locked(entry, page_to_phys(page) | KMAP_LEAF);
    }
    page->private_prev += LONG_KMAP_ONE;
    kmaps_open++;
    page->private_next = site_pack(site);
    return true;
}

// One opening less; the last takes the leaf away.
static void frame_close_locked(struct page *page, uintptr_t site)
{
    page->private_prev -= LONG_KMAP_ONE;
    kmaps_open--;
    if ((page->private_prev & LONG_KMAP_MASK) == 0) {
        uint64_t *entry = pt_entries_locked(kmap_address(page));
        ASSERT(entry != NULL); // the table is there: we made it
        long_map_write_locked(entry, 0);
        long_maps_flush(kmap_address(page), 1);
        page->private_next = site_pack(site);
    }
}

static void *frames_open(struct page *first, size_t count, uintptr_t site)
{
    if (count == 0) {
        misuse_kmap("kmap of no frames", first, "this map", site, NULL);
    }
    for (size_t i = 0; i < count; i++) {
        if (!frame_is_allocated(first + i)) {
            misuse_kmap("kmap of a frame that is not allocated", first + i,
                        "this map", site, NULL);
        }
        if ((first[i].private_prev & LONG_KMAP_MASK) == LONG_KMAP_MASK) {
            misuse_kmap("too many kmaps of a frame", first + i, "this map",
                        site, "last mapped");
        }
    }
    uint64_t lock = mm_lock();
    size_t done = 0;
    while (done < count && frame_open_locked(first + done, site)) {
        done++;
    }
    if (done < count) {
        while (done-- > 0) {
            frame_close_locked(first + done, site);
        }
    }
    mm_unlock(lock);
    return done == count ? (void *)kmap_address(first) : NULL;
}

static void frames_close(struct page *first, size_t count, uintptr_t site)
{
    if (count == 0) {
        misuse_kmap("kunmap of no frames", first, "this unmap", site, NULL);
    }
    for (size_t i = 0; i < count; i++) {
        if (!frame_is_allocated(first + i)) {
            misuse_kmap("kunmap of a frame that is not allocated", first + i,
                        "this unmap", site, NULL);
        }
        if ((first[i].private_prev & LONG_KMAP_MASK) == 0) {
            misuse_kmap("kunmap of a frame that is not mapped", first + i,
                        "this unmap", site,
                        first[i].private_next ? "unmapped before" : NULL);
        }
    }
    uint64_t lock = mm_lock();
    for (size_t i = 0; i < count; i++) {
        frame_close_locked(first + i, site);
    }
    mm_unlock(lock);
}

void *kmap(struct page *page)
{
    return frames_open(page, 1, CALL_SITE());
}

void kunmap(struct page *page)
{
    frames_close(page, 1, CALL_SITE());
}

void *kmap_range(struct page *first, size_t count)
{
    return frames_open(first, count, CALL_SITE());
}

void kunmap_range(struct page *first, size_t count)
{
    frames_close(first, count, CALL_SITE());
}
