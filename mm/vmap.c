// SPDX-License-Identifier: MIT
//
// vmap(): a new contiguous range of addresses for frames from anywhere.
//
// The region is cut into one part for each size class, and that into slots of
// 2^class pages. A slot holds one range with an unmapped page before it; the
// first page of the next slot is the guard behind it. Finding a free slot is
// taking the head of a list, finding a range by its address is arithmetic, and
// a slot keeps the address of its page-table entries: vmap() and vunmap() walk
// no tables and search nothing. Address space is what this spends: at most two
// pages of it for each page mapped.
#include "arch/pte.h"
#include "mm/layout.h"
#include "mm/local_window.h"
#include "mm/lock.h"
#include "mm/pt_window.h"
#include "mm/trace.h"
#include "mm/vmap_entries.h"
#include "mm/vmap_internal.h"
#include "mm/watch_internal.h"

void vmap_misuse(const char *what, const struct page *page, const void *address,
                 const char *call, uintptr_t site, int32_t before)
{
    misuse_report(&(struct misuse){
        .what = what,
        .page = page,
        .address = address,
        .site = {{call, site},
                 {before != 0 ? "unmapped before" : NULL, site_unpack(before)}},
    });
}

// ------------------------------------------------------------ Reading the list

// The second half of a struct page: tag, domain, order and state.
typedef uint64_t __attribute__((may_alias)) page_word_t;

#define WORD_OFFSET offsetof(struct page, private_prev)
#define WORD_STATE_SHIFT                                                       \
    (8 * (offsetof(struct page, private_state) - WORD_OFFSET))
#define WORD_ALLOCATED ((uint64_t)FRAME_ALLOCATED << WORD_STATE_SHIFT)

_Static_assert(IS_ALIGNED(WORD_OFFSET, 8) && WORD_STATE_SHIFT < 64,
               "tag and state in one word");

static inline uint64_t page_word(const struct page *page)
{
    return *(const page_word_t *)((const char *)page + WORD_OFFSET);
}

// `count` is constant where this is used: so there is no loop.
ALWAYS_INLINE uint64_t words_and(struct page *const pages[], size_t count)
{
    uint64_t all = ~0ull;
#pragma GCC unroll 8
    for (size_t i = 0; i < count; i++) {
        all &= page_word(pages[i]);
    }
    return all;
}

// The AND of what is known of each frame of a list.
static inline uint64_t list_read(struct page *const pages[], size_t count)
{
    uint64_t all = ~0ull;
    for (struct page *const *end = pages + ALIGN_DOWN(count, 8); pages < end;
         pages += 8) {
        all &= words_and(pages, 8);
    }
    if (count % 8 != 0) {
        if (count & 4) {
            all &= words_and(pages, 4);
            pages += 4;
        }
        if (count & 2) {
            all &= words_and(pages, 2);
            pages += 2;
        }
        if (count & 1) {
            all &= words_and(pages, 1);
        }
    }
    return all;
}

// ------------------------------------------------------------- Public contract

#define COUNT_MAX (BIT(CLASS_LAST) - 1)

// The leaf for each prot, 0: no such prot.
#define LEAF_RO (PTE_P | PTE_A | PTE_XD)
#define LEAF_RW (PTE_P | PTE_RW | PTE_A | PTE_D | PTE_XD)
static const uint64_t leaf_flags[] = {
    [MAP_READ] = LEAF_RO,
    [MAP_READ | MAP_WRITE] = LEAF_RW,
};

// The same for vmap() as long as it need not look at each frame; then nothing,
// which sends it to slower code.
static uint64_t quick_flags[ARRAY_SIZE(leaf_flags)] = {
    [MAP_READ] = LEAF_RO,
    [MAP_READ | MAP_WRITE] = LEAF_RW,
};

void vmap_watch_locked(bool on)
{
    for (unsigned i = 0; i < ARRAY_SIZE(leaf_flags); i++) {
        quick_flags[i] = on || trace_is_on ? 0 : leaf_flags[i];
    }
    vmap_tags_written++; // for those who have read their flags already
}

// A misuse, or more frames than addresses: NULL.
static __cold void *vmap_refuse(size_t count, uint64_t flags, uintptr_t site)
{
    if (flags == 0 || count == 0) {
        vmap_misuse(flags == 0 ? "vmap with an unknown prot"
                               : "vmap of no frames",
                    NULL, NULL, "this map", site, 0);
    }
    return NULL;
}

// A frame of the list is not allocated.
static __cold __noreturn void list_refuse(struct page *const pages[],
                                          uintptr_t site)
{
    while (pages[0]->private_state & FRAME_ALLOCATED) {
        pages++;
    }
    vmap_misuse("vmap of a frame that is not allocated", pages[0], NULL,
                "this map", site, 0);
}

// The rest of vmap() where it does not find what it hopes for: a slot, whose
// tag all frames have. Lets go of the lock.
static __noinline void *vmap_slowly(struct vmap_slot *slot,
                                    struct page *const pages[], size_t count,
                                    uint64_t flags, uintptr_t site,
                                    uint64_t lock)
{
    void *address = NULL;
    if (slot == NULL) {
        slot = slot_make_locked(class_for(count, 1));
    }
    if (slot != NULL) {
        if (vmap_frames_open_locked(slot, pages, count, flags, site)) {
            address = (void *)slot->address;
        } else {
            slot_give_locked(slot);
        }
    }
    mm_unlock(lock);
    return address;
}

// What vmap() does not do quickly, or not at all.
static __noinline void *vmap_unusual(struct page *const pages[], size_t count,
                                     unsigned prot, uintptr_t site)
{
    uint64_t flags = prot <= (MAP_READ | MAP_WRITE) ? leaf_flags[prot] : 0;
    if (flags == 0 || count - 1 >= COUNT_MAX) {
        return vmap_refuse(count, flags, site);
    }
    if (!(list_read(pages, count) & WORD_ALLOCATED)) {
        list_refuse(pages, site);
    }
    uint64_t lock = mm_lock();
    void *address = vmap_slowly(slot_take_locked(class_for(count, 1)), pages,
                                count, flags, site, lock);
    if (address != NULL) {
        trace_long(TRACE_VMAP, trace_list_first(pages, count), count,
                   (uintptr_t)address, site);
    }
    return address;
}

void *vmap(struct page *const pages[], size_t count, unsigned prot)
{
    uintptr_t site = CALL_SITE();
    uint64_t flags = prot <= (MAP_READ | MAP_WRITE) ? quick_flags[prot] : 0;
    if (unlikely(flags == 0 || count - 1 >= COUNT_MAX)) {
        return vmap_unusual(pages, count, prot, site);
    }
    // Whatever refuses does so here, where no lock is held.
    uint32_t tags_written = vmap_tags_written;
    cpu_compiler_barrier();
    uint64_t all = list_read(pages, count);
    if (unlikely(!(all & WORD_ALLOCATED))) {
        list_refuse(pages, site);
    }
    uint64_t lock = mm_lock();
    struct vmap_slot *slot = slot_take_locked(class_for(count, 1));
    if (unlikely(slot == NULL || (uint32_t)all != slot->tag ||
                 tags_written != vmap_tags_written)) {
        return vmap_slowly(slot, pages, count, flags, site, lock);
    }
    // The frames were in this slot before, so its tables are there.
    entries_set_locked(slot->entries, pages, count, flags);
    vmap_open_locked(slot, VMAP_TAGGED, count, site);
    uintptr_t address = slot->address;
    mm_unlock(lock);
    return (void *)address;
}

static __cold __noreturn void vunmap_refuse(const struct vmap_slot *slot,
                                            uintptr_t address, uintptr_t site)
{
    bool before =
        slot != NULL && address == slot->address && slot->unmap_site != 0;
    vmap_misuse(before ? "vunmap of a range that is unmapped already"
                       : "vunmap of an address that vmap() did not give",
                NULL, (void *)address, "this unmap", site,
                before ? slot->unmap_site : 0);
}

// The range is gone, and no CPU reaches its frames through it.
static inline void slot_close_locked(struct vmap_slot *slot, uintptr_t site)
{
    slot->unmap_site = site_pack(site);
    slot_give_locked(slot);
}

// A range is about to go: its entries still say which frames it has, if they
// are in one table.
static __cold __noinline void vunmap_note_locked(const struct vmap_slot *slot,
                                                 uintptr_t site)
{
    size_t pages = slot_pages(slot);
    uint64_t first = 0;
    uint32_t rights = window_open(WINDOW_READ);
    if (slot_kind(slot) == VMAP_PHYSICAL) {
        first = vmap_range_base_locked(slot) / PAGE_SIZE;
    } else if (slot->entries != NULL && slot_class(slot) <= CLASS_SMALL) {
        first = local_window_first(slot->entries, pages);
    }
    window_close(rights);
    trace_long(TRACE_VUNMAP, first, pages, slot->address, site);
}

// The rest of vunmap() where the range is not a tagged one, there is none, or
// it is noted. Lets go of the lock.
static __noinline void vunmap_slowly(struct vmap_slot *slot, uintptr_t address,
                                     uintptr_t site, uint64_t lock)
{
    if (slot == NULL || address != slot->address || slot->extent == 0) {
        mm_unlock(lock);
        vunmap_refuse(slot, address, site);
    }
    if (trace_is_on) {
        vunmap_note_locked(slot, site);
    }
    if (slot_kind(slot) == VMAP_PHYSICAL) {
        vmap_range_close_locked(slot);
    } else {
        vmap_frames_close_locked(slot);
    }
    slot_close_locked(slot, site);
    mm_unlock(lock);
}

void vunmap(const void *address)
{
    uintptr_t site = CALL_SITE();
    uint64_t lock = mm_lock();
    struct vmap_slot *slot = slot_at_locked((uintptr_t)address);
    if (unlikely(slot == NULL || (uintptr_t)address != slot->address ||
                 !slot_is_tagged(slot) || trace_is_on)) {
        vunmap_slowly(slot, (uintptr_t)address, site, lock);
        return;
    }
    size_t count = slot->extent;
    entries_clear_locked(slot->entries, count);
    long_maps_flush(slot->address, count);
    slot_close_locked(slot, site);
    mm_unlock(lock);
}
