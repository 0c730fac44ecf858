// SPDX-License-Identifier: MIT
//
// Helpers that bracket for their callers, who are named in a report.
#include "keyhole.h"
#include "mm/bracket.h"
#include "mm/frames.h"
#include "mm/misuse.h"

// offset and length must stay inside the frame; does not return if they don't.
static void range_check(const struct page *page, size_t offset, size_t length,
                        uintptr_t site)
{
    if (offset > PAGE_SIZE || length > PAGE_SIZE - offset) {
        misuse_report(&(struct misuse){
            .what = "copy helper: the range leaves the frame",
            .page = page,
            .site = {{"this call", site}},
        });
    }
}

void memcpy_from_page(void *to, struct page *page, size_t offset, size_t length)
{
    range_check(page, offset, length, CALL_SITE());
    const char *from = bracket_map_page(page, false, CALL_SITE());
    memcpy(to, from + offset, length);
    kunmap_local(from);
}

void memcpy_to_page(struct page *page, size_t offset, const void *from,
                    size_t length)
{
    range_check(page, offset, length, CALL_SITE());
    char *to = bracket_map_page(page, true, CALL_SITE());
    memcpy(to + offset, from, length);
    kunmap_local(to);
}

void memcpy_page(struct page *to, size_t to_offset, struct page *from,
                 size_t from_offset, size_t length)
{
    range_check(to, to_offset, length, CALL_SITE());
    range_check(from, from_offset, length, CALL_SITE());
    // Inside one frame by one address: only that tells which way they overlap.
    const char *other =
        from != to ? bracket_map_page(from, false, CALL_SITE()) : NULL;
    char *target = bracket_map_page(to, true, CALL_SITE());
    const char *source = other != NULL ? other : target;
    memmove(target + to_offset, source + from_offset, length);
    kunmap_local(target);
    if (other != NULL) {
        kunmap_local(other);
    }
}

void memset_page(struct page *page, size_t offset, int value, size_t length)
{
    range_check(page, offset, length, CALL_SITE());
    char *at = bracket_map_page(page, true, CALL_SITE());
    memset(at + offset, value, length);
    kunmap_local(at);
}

void memzero_page(struct page *page, size_t offset, size_t length)
{
    range_check(page, offset, length, CALL_SITE());
    char *at = bracket_map_page(page, true, CALL_SITE());
    memset(at + offset, 0, length);
    kunmap_local(at);
}
