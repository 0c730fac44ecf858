// SPDX-License-Identifier: MIT
//
// From the lists of single frames to the domains' blocks and back. The hot
// paths, which only take from or add to a list, are in mm/frames.c.
#include "mm/frame_cache.h"

#include "lib/panic.h"
#include "mm/frames_internal.h"
#include "mm/lock.h"

uint32_t domain_frames(const struct domain *domain)
{
    uint32_t frames = domain->frames;
    for (unsigned cpu = 0; cpu < cpus_count; cpu++) {
        frames -= cpu_data_of(cpu)->frame_cache[domain->id].count;
    }
    return frames;
}

void frame_cache_refill_locked(struct domain *domain)
{
    struct frame_cache *cache = frame_cache_of(domain);
    ASSERT(mm_lock_held() && cache->head == 0);
    uint32_t *link = &cache->head;
    while (cache->count < FRAME_CACHE_BATCH) {
        uint64_t frame = area_take(&domain->area, 0);
        if (frame == 0) {
            break;
        }
        struct page *page = frame_page(frame);
        unsigned poisoned = page->private_state & FRAME_POISONED;
        page_set_owner(page, domain->id | DOMAIN_FREE, 0,
                       FRAME_CACHED_STATE | poisoned);
        page->private_prev = 0;
        *link = frame;
        link = &page->private_next;
        *link = 0;
        cache->count++;
        domain->frames++;
    }
}

// Give back a list of frames that are no longer in the cache.
static void frames_give_locked(struct domain *domain, uint32_t frame)
{
    while (frame != 0) {
        struct page *page = frame_page(frame);
        uint32_t next = page->private_next;
        unsigned poisoned = page->private_state & FRAME_POISONED;
        page_set_owner(page, DOMAIN_NONE, 0, FRAME_FREE | poisoned);
        domain->frames--;
        domain_give_locked(domain, frame, 0);
        frame = next;
    }
}

void frame_cache_spill(struct domain *domain)
{
    struct frame_cache *cache = frame_cache_of(domain);
    uint64_t lock = mm_lock();
    uint32_t *link = &cache->head;
    for (unsigned i = 0; i < FRAME_CACHE_MAX - FRAME_CACHE_BATCH; i++) {
        link = &frame_page(*link)->private_next;
    }
    uint32_t oldest = *link;
    *link = 0;
    cache->count = FRAME_CACHE_MAX - FRAME_CACHE_BATCH;
    frames_give_locked(domain, oldest);
    mm_unlock(lock);
}

void frame_cache_drain_locked(struct domain *domain)
{
    struct frame_cache *cache = frame_cache_of(domain);
    ASSERT(mm_lock_held());
    uint32_t all = cache->head;
    *cache = (struct frame_cache){0};
    frames_give_locked(domain, all);
}

static void drain_here(void *domain)
{
    uint64_t lock = mm_lock();
    frame_cache_drain_locked(domain);
    mm_unlock(lock);
}

void frame_cache_drain_all(struct domain *domain)
{
    for (unsigned cpu = 0; cpu < cpus_count; cpu++) {
        if (cpu_data_of(cpu)->frame_cache[domain->id].count != 0) {
            cpu_call(cpu, drain_here, domain);
        }
    }
}
