// SPDX-License-Identifier: MIT
//
// kmap(): an address for everybody. Each frame has one of its own in a region
// that is linear in physical addresses, so a range is contiguous, a second
// kmap() finds the first, and nothing has to be searched. The leaf is there
// while somebody has the frame open, with key 0: exactly that frame, for every
// thread, whatever key its domain has (docs/explanation).
#include "arch/pte.h"
#include "lib/panic.h"
#include "mm/frames.h"
#include "mm/kernel_pages.h"
#include "mm/layout.h"
#include "mm/lock.h"
#include "mm/long_maps.h"
#include "mm/misuse.h"
#include "mm/pagetable.h"
#include "mm/pt_window.h"
#include "mm/section.h"
#include "mm/trace.h"
#include "mm/watch.h"

#define KMAP_LEAF (PTE_P | PTE_RW | PTE_A | PTE_D | PTE_XD)

static uintptr_t kmap_address(const struct page *page)
{
    return KMAP_BASE + page_to_phys(page);
}

static int32_t *site_at(const struct page *page)
{
    return (int32_t *)KMAP_SITES_BASE + page_frame(page);
}

uintptr_t kmap_site_of(const struct page *page)
{
    return site_unpack(*site_at(page));
}

// Where a frame was last opened or closed, if it was since it was allocated.
static __cold __noreturn void misuse_kmap(const char *what,
                                          const struct page *page,
                                          const char *call, uintptr_t site,
                                          const char *other)
{
    bool known = other != NULL && (long_counts(page) & LONG_KMAP_SITE);
    misuse_report(&(struct misuse){
        .what = what,
        .page = page,
        .site = {{call, site},
                 {known ? other : NULL, known ? kmap_site_of(page) : 0}},
    });
}

static bool frame_is_allocated(const struct page *page)
{
    return section_is_ready(page_to_phys(page)) &&
           (page->private_state & FRAME_ALLOCATED);
}

// A run of frames whose entries are in one table: how many of `count`.
static size_t run_length(const struct page *first, size_t count)
{
    return MIN(count, PT_ENTRIES - pt_index(kmap_address(first), 1));
}

// Make sure of memory for a frame's call site.
static bool site_prepare_locked(const struct page *page)
{
    return (long_counts(page) & LONG_KMAP_SITE) ||
           kernel_page_ensure_locked((uintptr_t)site_at(page));
}

// Make what opening a run of frames needs: a table, and memory for their call
// sites (two pages at most hold those of a run). NULL: there is none, and no
// frame changed.
static uint64_t *run_prepare_locked(const struct page *first, size_t run)
{
    if (!site_prepare_locked(first) || !site_prepare_locked(first + run - 1)) {
        return NULL;
    }
    return pt_entries_locked(kmap_address(first));
}

// One opening more of each frame of a run, some of which may be watched. How
// many leaves were written.
static inline __attribute__((always_inline)) uint32_t
frames_open_locked(struct page *first, size_t run, uint64_t *entries,
                   uintptr_t site, bool watched)
{
    uint32_t written = 0;
    for (size_t i = 0; i < run; i++) {
        if (!long_kmap_is_open(&first[i])) {
            uint64_t leaf = page_to_phys(&first[i]) | KMAP_LEAF;
            if (watched) {
                leaf = watch_new_leaf(leaf, &first[i]);
            }
            *(volatile uint64_t *)&entries[i] = leaf;
            written++;
        }
        long_maps_touch(&first[i]);
        first[i].private_next =
            (first[i].private_next + LONG_KMAP_ONE) | LONG_KMAP_SITE;
        *site_at(&first[i]) = site_pack(site);
    }
    return written;
}

static void run_open_locked(struct page *first, size_t run, uint64_t *entries,
                            uintptr_t site)
{
    uint32_t rights = window_open(WINDOW_WRITE);
    uint32_t written =
        likely(watches_on == 0)
            ? frames_open_locked(first, run, entries, site, false)
            : frames_open_locked(first, run, entries, site, true);
    window_close(rights);
    percpu_add_value(pte_writes, written);
    kmaps_open += run;
}

// One opening less; the last of each frame takes its leaf away. [*from, *to)
// grows by the frames for which it was the last.
static void run_close_locked(struct page *first, size_t run, uintptr_t site,
                             struct page **from, struct page **to)
{
    uint32_t written = 0;
    uint32_t rights = window_open(WINDOW_WRITE); // for the lookup too
    uint64_t *entries = pt_entries_locked(kmap_address(first));
    ASSERT(entries != NULL); // the table is there: we made it
    for (size_t i = 0; i < run; i++) {
        first[i].private_next -= LONG_KMAP_ONE;
        if (!long_kmap_is_open(&first[i])) {
            *(volatile uint64_t *)&entries[i] = 0;
            *site_at(&first[i]) = site_pack(site);
            *from = *from != NULL ? *from : &first[i];
            *to = &first[i] + 1;
            written++;
        }
    }
    window_close(rights);
    percpu_add_value(pte_writes, written);
    kmaps_open -= run;
}

// Open some frames less, and invalidate what nobody has open any more.
static void frames_close_locked(struct page *first, size_t count,
                                uintptr_t site)
{
    struct page *from = NULL, *to = NULL;
    for (size_t done = 0, run; done < count; done += run) {
        run = run_length(first + done, count - done);
        run_close_locked(first + done, run, site, &from, &to);
    }
    if (from != NULL) {
        long_maps_flush(kmap_address(from), to - from);
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
        if ((long_counts(&first[i]) & LONG_KMAP_MASK) == LONG_KMAP_MASK) {
            misuse_kmap("too many kmaps of a frame", first + i, "this map",
                        site, "last mapped");
        }
    }
    uint64_t lock = mm_lock();
    size_t done = 0;
    while (done < count) {
        size_t run = run_length(first + done, count - done);
        uint64_t *entries = run_prepare_locked(first + done, run);
        if (entries == NULL) {
            frames_close_locked(first, done, site);
            break;
        }
        run_open_locked(first + done, run, entries, site);
        done += run;
    }
    mm_unlock(lock);
    if (done != count) {
        return NULL;
    }
    trace_long(TRACE_KMAP, page_frame(first), count, kmap_address(first), site);
    return (void *)kmap_address(first);
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
        if (!long_kmap_is_open(&first[i])) {
            misuse_kmap("kunmap of a frame that is not mapped", first + i,
                        "this unmap", site, "unmapped before");
        }
    }
    uint64_t lock = mm_lock();
    frames_close_locked(first, count, site);
    mm_unlock(lock);
    trace_long(TRACE_KUNMAP, page_frame(first), count, kmap_address(first),
               site);
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
