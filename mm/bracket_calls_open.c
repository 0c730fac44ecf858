// SPDX-License-Identifier: MIT
//
// The functions that pointers to map and unmap calls point to, in the kernel in
// which brackets are compiled to pointers (boot/choose.h). What is left of them
// are scattered frames, whose window has to be given back.
#include "mm/bracket.h"
#include "mm/misuse.h"

#define SITE_GIVEN "%k[given]"

void *bracket_map_page(struct page *page, bool writable, uintptr_t site)
{
    (void)writable;
    (void)site;
    return bracket_open_(page, 0);
}

void *(kmap_local_page)(struct page *page)
{
    return bracket_open_(page, 0);
}

const void *(kmap_local_page_ro)(struct page *page)
{
    return bracket_open_(page, 0);
}

void *(kmap_local_range)(struct page *first, size_t offset, size_t length)
{
    (void)length;
    return bracket_open_(first, offset);
}

const void *(kmap_local_range_ro)(struct page *first, size_t offset,
                                  size_t length)
{
    (void)length;
    return bracket_open_(first, offset);
}

void(kunmap_local)(const void *address)
{
    if (!bracket_is_open_(address)) {
        BRACKET_UNMAP_(address,
                       SITE_GIVEN, [given] "r"(site_pack(CALL_SITE())));
    }
}
