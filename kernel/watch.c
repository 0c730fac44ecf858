// SPDX-License-Identifier: MIT
//
// The calls that watch and freeze (mm/watch.h).
#include "mm/watch.h"

#include "kernel/thread.h"
#include "mm/misuse.h"

// A map call that had begun before may get its leaf after all: let it, and
// close that too.
static int order_begin(const struct watch_order *order)
{
    bool half;
    int error = watch_begin(order, &half);
    while (half) {
        thread_yield();
        half = watch_again(order->first);
    }
    return error;
}

int watch_page(struct page *page, enum fault_access access,
               enum fault_mode mode)
{
    if (page == NULL || (access != ACCESS_READ && access != ACCESS_WRITE)) {
        return -EINVAL;
    }
    return order_begin(&(struct watch_order){
        .first = page,
        .count = 1,
        .access = access,
        .mode = mode,
        .site = site_pack(CALL_SITE()),
    });
}

int unwatch_page(struct page *page)
{
    return page != NULL ? watch_end(page, 1, false) : -ENOENT;
}

int freeze_range(struct page *first, size_t count, enum fault_mode mode)
{
    if (first == NULL) {
        return -EINVAL;
    }
    return order_begin(&(struct watch_order){
        .first = first,
        .count = count,
        .access = ACCESS_WRITE,
        .mode = mode,
        .frozen = true,
        .site = site_pack(CALL_SITE()),
    });
}

int thaw_range(struct page *first, size_t count)
{
    return first != NULL ? watch_end(first, count, true) : -ENOENT;
}
