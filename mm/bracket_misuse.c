// SPDX-License-Identifier: MIT
//
// From a call that cannot be served to a report of why.
#include "mm/bracket_misuse.h"

#include "arch/percpu.h"
#include "mm/domain.h"
#include "mm/frames.h"
#include "mm/local_window.h"
#include "mm/misuse.h"
#include "mm/section.h"

void bracket_misuse_depth(const struct page *page, uintptr_t site)
{
    const struct bracket *innermost = bracket_innermost();
    struct misuse misuse = {
        .what = "too many nested brackets",
        .page = page,
        .site = {{"this map", site}},
    };
    if (innermost != NULL) {
        misuse.site[1].what = "innermost mapped";
        misuse.site[1].ip = site_unpack(innermost->map_site);
    }
    misuse_report(&misuse);
}

void bracket_misuse_frame(uintptr_t address, uintptr_t site)
{
    const struct page *page =
        frame_page((address - DIRECT_MAP_BASE) / PAGE_SIZE);
    struct misuse misuse = {
        .what = "map of a frame that is not allocated",
        .page = page,
        .site = {{"this map", site}},
    };
    if (page->private_state & (FRAME_KERNEL | FRAME_TABLE)) {
        misuse.what = "map of a frame of the kernel's own";
    } else if (page->private_state & FRAME_POISONED) {
        misuse.what = "map of a frame that was freed";
        misuse.site[1].what = "freed";
        misuse.site[1].ip = site_unpack(page->private_site);
    }
    misuse_report(&misuse);
}

// Why a range cannot be mapped, or NULL.
static const char *range_fault(const struct page *first, size_t offset,
                               size_t length)
{
    if (length == 0) {
        return "map of a range of length 0";
    }
    if (length > RANGE_MAX || offset >= RANGE_MAX) {
        return "map of a range that leaves its frames";
    }
    const struct page *page = first + offset / PAGE_SIZE;
    const struct page *last = first + (offset + length - 1) / PAGE_SIZE;
    unsigned domain = DOMAIN_NONE;
    for (; page <= last; page++) {
        if (!section_is_ready(page_to_phys(page)) ||
            !(page->private_state & FRAME_ALLOCATED)) {
            return "map of a range that leaves its frames";
        }
        if (domain != DOMAIN_NONE && page->private_domain != domain) {
            return "map of a range that mixes domains";
        }
        domain = page->private_domain;
    }
    return NULL;
}

void bracket_check_range(const struct page *first, size_t offset, size_t length,
                         uintptr_t site)
{
    const char *what = range_fault(first, offset, length);
    if (what != NULL) {
        misuse_report(&(struct misuse){
            .what = what,
            .page = first,
            .site = {{"this map", site}},
        });
    }
}

void bracket_misuse_list(const struct page *page, uintptr_t site)
{
    if (!(page->private_state & FRAME_ALLOCATED)) {
        bracket_misuse_frame(page_direct_address(page), site);
    }
    misuse_report(&(struct misuse){
        .what = "map of frames of several domains",
        .page = page,
        .site = {{"this map", site}},
    });
}

void bracket_misuse_count(size_t count, uintptr_t site)
{
    misuse_report(&(struct misuse){
        .what = count == 0 ? "map of no frames"
                           : "map of more than 512 scattered frames",
        .site = {{"this map", site}},
    });
}

void bracket_misuse_window(const struct page *page, uintptr_t site)
{
    misuse_report(&(struct misuse){
        .what = "too many scattered frames in open brackets",
        .page = page,
        .site = {{"this map", site}},
    });
}

void bracket_misuse_unmap(const void *address, uintptr_t site)
{
    enum bracket_where where;
    const struct bracket *bracket = bracket_find((uintptr_t)address, &where);
    struct misuse misuse = {
        .what = "unmap of an address that was never mapped",
        .address = address,
        .site = {{"this unmap", site}},
    };
    if (bracket == NULL) {
        bracket = bracket_find_elsewhere((uintptr_t)address);
        if (bracket != NULL) {
            misuse.what = "unmap by another thread";
            misuse.site[1].what = "mapped";
            misuse.site[1].ip = site_unpack(bracket->map_site);
        }
        misuse_report(&misuse);
    }
    switch (where) {
    case BRACKET_OPEN:
        misuse.what = "unmap out of order";
        misuse.site[1].what = "innermost mapped";
        misuse.site[1].ip = site_unpack(bracket_innermost()->map_site);
        break;
    case BRACKET_OTHERS:
        misuse.what = "unmap in a handler of a bracket that is not its own";
        misuse.site[1].what = "mapped";
        misuse.site[1].ip = site_unpack(bracket->map_site);
        break;
    case BRACKET_CLOSED:
        misuse.what = "unmapped twice";
        misuse.site[1].what = "unmapped before";
        misuse.site[1].ip = site_unpack(bracket->unmap_site);
        break;
    }
    misuse_report(&misuse);
}
