// SPDX-License-Identifier: MIT
//
// The map and unmap calls as functions, for those who take pointers to them,
// and ranges that have to be looked at. The hot paths are in keyhole.h.
#include "mm/bracket.h"
#include "mm/bracket_misuse.h"
#include "mm/frames.h"
#include "mm/misuse.h"

// ------------------------------------------------------------------ One frame

// The site is given, not here. Its upper half is 0: no more frames.
#define SITE_GIVEN "%k[given]"
#define SITE_GIVEN_ONE(value) "movq %q[given], %c[site](%[slot])\n\t"

void *bracket_map_page(struct page *page, bool writable, uintptr_t site)
{
    uint64_t packed = (uint32_t)site_pack(site);
    return writable
               ? BRACKET_MAP_(ENGINE_CALL_MAP_, page, "", domain_write_, 1,
                              SITE_GIVEN_ONE, SITE_GIVEN, [given] "r"(packed))
               : BRACKET_MAP_(ENGINE_CALL_MAP_, page, "", domain_read_, 0,
                              SITE_GIVEN_ONE, SITE_GIVEN, [given] "r"(packed));
}

void *(kmap_local_page)(struct page *page)
{
    return bracket_map_page(page, true, CALL_SITE());
}

const void *(kmap_local_page_ro)(struct page *page)
{
    return bracket_map_page(page, false, CALL_SITE());
}

void(kunmap_local)(const void *address)
{
    BRACKET_UNMAP_(address, SITE_GIVEN, [given] "r"(site_pack(CALL_SITE())));
}

// --------------------------------------------------------------------- Ranges

// A bracket on the frames behind bytes offset to offset + length of `first`,
// which are known to be allocated and of one domain.
static inline __attribute__((always_inline)) void *
range_open(struct page *first, size_t offset, size_t length, bool writable,
           uintptr_t site)
{
    struct page *page = first + offset / PAGE_SIZE;
    size_t inside = offset % PAGE_SIZE;
    uint64_t packed = (uint32_t)site_pack(site);
    uint32_t more = (uint32_t)RANGE_FRAMES_(inside, length) - 1;
    return writable ? BRACKET_MAP_(ENGINE_CALL_MAP_RANGE_, page,
                                   "addq %[offset], %[address]\n\t",
                                   domain_write_, 1, BRACKET_SITE_MANY_,
                                   SITE_GIVEN, [given] "r"(packed),
                                   [more] "r"(more), [offset] "r"(inside))
                    : BRACKET_MAP_(ENGINE_CALL_MAP_RANGE_, page,
                                   "addq %[offset], %[address]\n\t",
                                   domain_read_, 0, BRACKET_SITE_MANY_,
                                   SITE_GIVEN, [given] "r"(packed),
                                   [more] "r"(more), [offset] "r"(inside));
}

// Is the range in one block of the size that `first` has? Then that block is
// allocated as a whole, and of one domain, if the range's first frame is
// allocated; the map call finds out. The order of a free frame means nothing,
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

static inline __attribute__((always_inline)) void *
range_map(struct page *first, size_t offset, size_t length, bool writable,
          uintptr_t site)
{
    if (unlikely(!range_is_simple(first, offset, length))) {
        bracket_check_range(first, offset, length, site);
    }
    return range_open(first, offset, length, writable, site);
}

void *(kmap_local_range)(struct page *first, size_t offset, size_t length)
{
    return range_map(first, offset, length, true, CALL_SITE());
}

const void *(kmap_local_range_ro)(struct page *first, size_t offset,
                                  size_t length)
{
    return range_map(first, offset, length, false, CALL_SITE());
}
