// SPDX-License-Identifier: MIT
//
// Buddy lists: blocks of 2^order frames, aligned to their size, linked through
// the struct page of their first frame. One free_area for each owner.
#include "lib/panic.h"
#include "mm/domain.h"
#include "mm/frames_internal.h"

void area_add(struct free_area *area, uint64_t frame, unsigned order,
              unsigned owner)
{
    struct page *page = frame_page(frame);
    uint32_t next = area->head[order];
    page->private_state =
        (page->private_state & FRAME_POISONED) | FRAME_FREE | FRAME_HEAD;
    page->private_order = order;
    page->private_domain = owner | DOMAIN_FREE;
    page->private_prev = 0;
    page->private_next = next;
    if (next != 0) {
        frame_page(next)->private_prev = frame;
    }
    area->head[order] = frame;
    area->nonempty |= 1u << order;
}

void area_remove(struct free_area *area, uint64_t frame)
{
    struct page *page = frame_page(frame);
    unsigned order = page->private_order;
    if (page->private_prev != 0) {
        frame_page(page->private_prev)->private_next = page->private_next;
    } else {
        DEBUG_ASSERT(area->head[order] == frame);
        area->head[order] = page->private_next;
        if (page->private_next == 0) {
            area->nonempty &= ~(1u << order);
        }
    }
    if (page->private_next != 0) {
        frame_page(page->private_next)->private_prev = page->private_prev;
    }
    page->private_state &= ~FRAME_HEAD;
}

unsigned area_merge(struct free_area *area, uint64_t *frame, unsigned order,
                    unsigned owner)
{
    while (order < FRAME_ORDERS - 1) {
        uint64_t buddy = *frame ^ BIT(order);
        const struct page *page = frame_page(buddy);
        if ((page->private_state & ~FRAME_POISONED) !=
                (FRAME_FREE | FRAME_HEAD) ||
            page->private_order != order ||
            page->private_domain != (owner | DOMAIN_FREE)) {
            break;
        }
        area_remove(area, buddy);
        *frame &= ~BIT(order);
        order++;
    }
    area_add(area, *frame, order, owner);
    return order;
}

uint64_t area_take(struct free_area *area, unsigned order)
{
    uint32_t fit = area->nonempty & ~0u << order;
    if (fit == 0) {
        return 0;
    }
    unsigned have = __builtin_ctz(fit);
    uint64_t frame = area->head[have];
    unsigned owner = frame_page(frame)->private_domain & ~DOMAIN_FREE;
    area_remove(area, frame);
    while (have > order) {
        have--;
        area_add(area, frame + BIT(have), have, owner);
    }
    return frame;
}

bool area_any(const struct free_area *area, uint64_t *frame, unsigned *order)
{
    if (area->nonempty == 0) {
        return false;
    }
    *order = 31 - __builtin_clz(area->nonempty);
    *frame = area->head[*order];
    return true;
}
