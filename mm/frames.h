// SPDX-License-Identifier: MIT
//
// Frames: who owns each, and the free ones. Free memory is in one pool behind
// KEY_CLOSED; a domain takes blocks of 2 MiB from it, so that the leaves of
// the direct map stay large, and deals out frames of its own blocks. All
// guarded by mm_lock.
#pragma once

#include "arch/cpu.h"
#include "keyhole.h"
#include "lib/boot_info.h"
#include "lib/types.h"
#include "mm/layout.h"

#define FRAME_ORDERS 11 // orders 0 to 10

// struct page, private_state: what the frame is. 0 is a frame of RAM that
// nobody has used: free inside a larger block, or reserved at boot.
enum frame_state {
    FRAME_HEAD = 0x01,      // first frame of its block
    FRAME_FREE = 0x02,      // with FRAME_HEAD: on a free list
    FRAME_ALLOCATED = 0x04, // from alloc_pages()
    FRAME_KERNEL = 0x08,    // frame table, domain table, image
    FRAME_TABLE = 0x10,     // set aside for page tables
    FRAME_CACHED = 0x20,    // with FRAME_FREE: on a list of mm/frame_cache.h
    FRAME_WATCHED = 0x40,   // with FRAME_ALLOCATED: mm/watch.h
    FRAME_POISONED = 0x80,  // every byte was FRAME_POISON when it was freed
};

#define FRAME_POISON 0xa5

// What the states of frames on their way are, beside FRAME_POISONED.
#define FRAME_CACHED_STATE (FRAME_HEAD | FRAME_FREE | FRAME_CACHED)
#define FRAME_BLOCK_STATE (FRAME_HEAD | FRAME_ALLOCATED)

// Free blocks of one owner, by order.
struct free_area {
    uint32_t nonempty;           // bit n: head[n] is not 0
    uint32_t head[FRAME_ORDERS]; // frame number, 0 ends a list
};

_Static_assert(sizeof(struct page) == 16, "16 bytes a frame");

static inline struct page *frame_page(uint64_t frame)
{
    return (struct page *)FRAME_TABLE_BASE + frame;
}

static inline uint64_t page_frame(const struct page *page)
{
    return page - (const struct page *)FRAME_TABLE_BASE;
}

// The frame's number in one shift, for links that have 32 bits: the rest of the
// frame table's address is above them.
static inline uint32_t page_link(const struct page *page)
{
    return (uint32_t)((uintptr_t)page / sizeof(struct page));
}

_Static_assert((FRAME_TABLE_BASE / sizeof(struct page) & 0xffffffff) == 0 &&
                   DIRECT_MAP_SIZE / PAGE_SIZE <= BIT(32),
               "page_link()");

// The frame's address in the direct map, in one shift (mm/layout.h).
static inline uintptr_t page_direct_address(const struct page *page)
{
    return (uintptr_t)page << FRAME_TABLE_SHIFT;
}

// The members that say whose a frame is, in one store: a trap finds all of them
// or none.
#define FRAME_OWNER(domain, order, state)                                      \
    ((uint32_t)(domain) | (uint32_t)(order) << 16 | (uint32_t)(state) << 24)
#define FRAME_OWNER_DOMAIN_BITS 16

_Static_assert(offsetof(struct page, private_domain) == 12 &&
                   offsetof(struct page, private_order) == 14 &&
                   offsetof(struct page, private_state) == 15,
               "FRAME_OWNER");

static inline void page_write_owner(struct page *page, uint32_t owner)
{
    *(volatile uint32_t *)&page->private_domain = owner;
}

static inline void page_set_owner(struct page *page, unsigned domain,
                                  unsigned order, unsigned state)
{
    page_write_owner(page, FRAME_OWNER(domain, order, state));
}

static inline uint32_t page_owner(const struct page *page)
{
    return *(const volatile uint32_t *)&page->private_domain;
}

// In debug builds, when a frame was allocated: in private_next, for as long as
// neither kmap() nor vmap() has needed that (mm/long_maps.h).
#define FRAME_BORN_SHIFT 20 // of ticks of the TSC

static inline void page_note_birth(struct page *page)
{
#ifdef KEYHOLE_DEBUG
    page->private_next = (uint32_t)(cpu_read_tsc() >> FRAME_BORN_SHIFT) | 1;
#else
    (void)page;
#endif
}

// Ticks of the TSC since then, in steps of 2^20; -1: not known.
int64_t page_age(const struct page *page);

// Take over the machine's memory: `ram` is all of it, `available` what nobody
// uses yet; the kernel image's frames are the kernel's own. Boot, with the page
// tables in use.
void frames_init(const struct memory_map *memory,
                 const struct memory_map *available, phys_addr_t image_base,
                 uint64_t image_size);

// 2^order free frames from the pool, still behind KEY_CLOSED, contents
// undefined; 0 when there are none. And back, re-keyed by the caller.
phys_addr_t pool_take_locked(unsigned order);
void pool_give_locked(phys_addr_t block, unsigned order);

// Frames for the kernel's own mappings: behind KEY_CLOSED in the direct map,
// contents undefined. 0: none left.
phys_addr_t kernel_frames_take_locked(unsigned order);

// Give frames of the kernel image, which the direct map holds read-only, to the
// pool. -ENOMEM: no page table to open them for writing.
int frames_release(phys_addr_t base, uint64_t size);

// Give a block of 2^order frames in the direct map another key, and forget its
// old translations.
int frames_rekey_locked(phys_addr_t block, unsigned order, unsigned key);

// Give all free blocks of a domain back to the pool.
void domain_blocks_reclaim_locked(struct domain *domain);

// The lists of free memory that no domain has: the pool's, and the kernel's
// own. For checks; mm_lock held.
const struct free_area *pool_area(void);
const struct free_area *kernel_free_area(void);

// Memory that domains and destroyed stacks keep, but nobody uses, goes back to
// the pool.
void memory_reclaim_locked(void);

// RAM in bytes, and free memory in bytes (never initialised sections too).
uint64_t frames_total_bytes(void);
uint64_t frames_free_bytes(void);
