// SPDX-License-Identifier: MIT
//
// Steps that open frames and close them again: local brackets, kmap(), vmap().
#include "arch/pte.h"
#include "mm/domain.h"
#include "mm/layout.h"
#include "mm/local_window.h"
#include "mm/pagetable.h"
#include "tests/engines.h"
#include "tests/model.h"

static struct model_frame frame_choose(struct model *model,
                                       const struct model_block *block)
{
    return (struct model_frame){block - model->blocks,
                                model_random(model, model_frames(block))};
}

// Note as many frames, from one on, as lie side by side and are in use, of one
// domain or of any; at most MODEL_AREA_FRAMES. They may be of several blocks.
static void map_fill_run(const struct model *model, struct model_map *map,
                         struct model_frame first, bool one_domain)
{
    phys_addr_t at = page_to_phys(model_page(model, first));
    unsigned domain = model->blocks[first.block].domain;
    struct model_frame frame = first;
    map->count = 0;
    do {
        map->frames[map->count++] = frame;
        at += PAGE_SIZE;
    } while (map->count < MODEL_AREA_FRAMES &&
             model_frame_find(model, at, &frame) &&
             (!model->one_block || frame.block == first.block) &&
             (!one_domain || model->blocks[frame.block].domain == domain));
}

// One mapping more, or less, in the blocks of a map's frames.
static void map_count(struct model *model, const struct model_map *map, int by)
{
    for (unsigned i = 0; i < map->count; i++) {
        model->blocks[map->frames[i].block].users += by;
    }
}

// ------------------------------------------------------------- Local brackets

static const void *range_open(struct model *model, struct model_map *map,
                              struct model_frame first)
{
    map_fill_run(model, map, first, true);
    size_t size = map->count * PAGE_SIZE;
    size_t offset = model_random(model, size);
    size_t length = 1 + model_random(model, size - offset);
    struct page *page = model_page(model, first);
    unsigned skipped = offset / PAGE_SIZE;
    map->count = (offset % PAGE_SIZE + length - 1) / PAGE_SIZE + 1;
    for (unsigned i = 0; i < map->count; i++) {
        map->frames[i] = map->frames[skipped + i];
    }
    return map->writable ? kmap_local_range(page, offset, length)
                         : kmap_local_range_ro(page, offset, length);
}

// Frames of one domain, some of them more than once.
static const void *pages_open(struct model *model, struct model_map *map,
                              const struct model_block *block)
{
    struct page *pages[MODEL_AREA_FRAMES];
    map->count = 1 + model_random(model, MODEL_AREA_FRAMES);
    for (unsigned i = 0; i < map->count; i++) {
        const struct model_block *other = model_block(model);
        if (other->domain != block->domain) {
            other = block;
        }
        map->frames[i] = frame_choose(model, other);
        pages[i] = model_page(model, map->frames[i]);
    }
    return map->writable ? kmap_local_pages(pages, map->count)
                         : kmap_local_pages_ro(pages, map->count);
}

static const void *local_open(struct model *model, struct model_map *map,
                              const struct model_block *block)
{
    struct model_frame first = frame_choose(model, block);
    struct page *page = model_page(model, first);
    switch (model_random(model, 3)) {
    case 0:
        map->count = 1;
        map->frames[0] = first;
        return map->writable ? kmap_local_page(page) : kmap_local_page_ro(page);
    case 1:
        return range_open(model, map, first);
    default:
        return pages_open(model, map, block);
    }
}

static bool domain_is_open(const struct model *model, unsigned domain)
{
    for (unsigned i = 0; i < model->depth; i++) {
        struct model_frame frame = model->brackets[i].frames[0];
        if (model->blocks[frame.block].domain == domain) {
            return true;
        }
    }
    return false;
}

// A block to open; half of the time rather one of a domain that is not open,
// so that keys run out.
static const struct model_block *block_to_open(struct model *model)
{
    const struct model_block *block = model_block(model);
    if (block != NULL && model_random(model, 2) == 0) {
        for (unsigned i = 0; i < 4 && domain_is_open(model, block->domain);
             i++) {
            block = model_block(model);
        }
    }
    return block;
}

void model_open(struct model *model)
{
    const struct model_block *block = block_to_open(model);
    unsigned room =
        model->base == 0 ? MODEL_BRACKETS : ARRAY_SIZE(model->brackets);
    if (block == NULL || model->depth >= room) {
        return;
    }
    struct model_map *map = &model->brackets[model->depth];
    map->writable = model_random(model, 2) != 0;
    map->address = (uintptr_t)local_open(model, map, block);
    map->opens_domain = model->domains[block->domain]->key != 0;
    const struct test_engine *running = test_engine();
    if ((running->keys ? !map->opens_domain : !running->brackets_are_direct) &&
        !local_window_has(map->address)) {
        model_fail(model,
                   "a bracket that nothing but a window can open, not in the "
                   "window",
                   map->address);
    }
    model->depth++;
    map_count(model, map, 1);
    model_about(model, map->address);
}

void model_closed(struct model *model)
{
    model->depth--;
    map_count(model, &model->brackets[model->depth], -1);
    model_dead_add(model, model->brackets[model->depth].address);
}

void model_close(struct model *model)
{
    if (model->depth == model->base) {
        return;
    }
    struct model_map *map = &model->brackets[model->depth - 1];
    model_about(model, map->address);
    model_probe(model, map->address);
    kunmap_local((void *)map->address);
    model_closed(model);
}

// ------------------------------------------------------------ For every thread

// What invalidations have been done, at least, in pages.
static uint64_t flushes(void)
{
    struct map_stats stats;
    map_stats_read(&stats);
    return stats.invlpg + stats.full_flushes * MODEL_AREA_FRAMES;
}

void model_kmap(struct model *model)
{
    const struct model_block *block = model_block(model);
    if (block == NULL) {
        return;
    }
    struct model_map map;
    map_fill_run(model, &map, frame_choose(model, block), false);
    map.count = 1 + model_random(model, map.count);
    struct page *page = model_page(model, map.frames[0]);
    void *address = map.count == 1 ? kmap(page) : kmap_range(page, map.count);
    if (address == NULL) {
        return;
    }
    if ((uintptr_t)address != KMAP_BASE + page_to_phys(page)) {
        model_fail(model, "kmap() gives another address", (uintptr_t)address);
    }
    for (unsigned i = 0; i < map.count; i++) {
        model->blocks[map.frames[i].block].kmaps[map.frames[i].index]++;
    }
    map_count(model, &map, 1);
    model_about(model, page_to_phys(page));
}

// As many of a run as have a kmap to undo, or fewer.
static unsigned kmapped_choose(struct model *model, const struct model_map *map)
{
    unsigned count = 0;
    while (count < map->count &&
           model->blocks[map->frames[count].block]
                   .kmaps[map->frames[count].index] != 0) {
        count++;
    }
    return count == 0 ? 0 : 1 + model_random(model, count);
}

void model_kunmap(struct model *model)
{
    const struct model_block *block = model_block(model);
    if (block == NULL) {
        return;
    }
    struct model_map map;
    map_fill_run(model, &map, frame_choose(model, block), false);
    map.count = kmapped_choose(model, &map);
    if (map.count == 0) {
        return;
    }
    struct page *page = model_page(model, map.frames[0]);
    uint64_t before = flushes(), last = 0;
    for (unsigned i = 0; i < map.count; i++) {
        model_probe(model, KMAP_BASE + page_to_phys(page + i));
        last +=
            --model->blocks[map.frames[i].block].kmaps[map.frames[i].index] ==
            0;
    }
    map_count(model, &map, -1);
    if (map.count == 1) {
        kunmap(page);
    } else {
        kunmap_range(page, map.count);
    }
    if (flushes() - before < last) {
        model_fail(model, "kunmap() without invalidation", page_to_phys(page));
    }
    model_dead_add(model, KMAP_BASE + page_to_phys(page + map.count - 1));
    model_dead_add(model, KMAP_BASE + page_to_phys(page));
    model_about(model, page_to_phys(page));
}

// ---------------------------------------------------------------------- Ranges

static void *area_open(struct model *model, struct model_map *map)
{
    struct page *pages[MODEL_AREA_FRAMES];
    unsigned prot = map->writable ? MAP_READ | MAP_WRITE : MAP_READ;
    struct model_block *block = model_block(model);
    if (model_random(model, 4) == 0) {
        map_fill_run(model, map, frame_choose(model, block), false);
        map->count = 1 + model_random(model, map->count);
        prot |= model_random(model, 4) == 0 ? MAP_UNCACHED : 0;
        return vmap_range(page_to_phys(model_page(model, map->frames[0])),
                          map->count * PAGE_SIZE, prot);
    }
    map->count = 1 + model_random(model, MODEL_AREA_FRAMES);
    for (unsigned i = 0; i < map->count; i++) {
        map->frames[i] = frame_choose(model, model_block(model));
        pages[i] = model_page(model, map->frames[i]);
    }
    return vmap(pages, map->count, prot);
}

// An address that was taken back is given again only after a flush: TCG would
// not show it, it forgets all translations whenever IA32_PKRS is written.
static void reuse_check(struct model *model, const struct model_map *map)
{
    uint64_t now = flushes();
    for (unsigned i = 0; i < MODEL_DEAD; i++) {
        struct model_retired *old = &model->retired[i];
        if (old->count != 0 &&
            old->address < map->address + map->count * PAGE_SIZE &&
            map->address < old->address + old->count * PAGE_SIZE) {
            if (now - old->flushes < old->count) {
                model_fail(model, "a range is used again without a flush",
                           map->address);
            }
            old->count = 0;
        }
    }
}

void model_vmap(struct model *model)
{
    struct model_map *map = &model->areas[model_random(model, MODEL_AREAS)];
    if (map->address != 0 || model_block(model) == NULL) {
        return;
    }
    map->writable = model_random(model, 2) != 0;
    map->address = (uintptr_t)area_open(model, map);
    if (map->address != 0) {
        reuse_check(model, map);
        map_count(model, map, 1);
        model_about(model, map->address);
    }
}

// Leaves that are open to all, with key 0, are flushed before vunmap() is back.
static bool flush_is_due(uintptr_t address)
{
    struct pt_walk walk;
    pt_walk(address, &walk);
    return walk.present && pte_key(walk.entry[walk.level]) == 0;
}

void model_vunmap(struct model *model)
{
    struct model_map *map = &model->areas[model_random(model, MODEL_AREAS)];
    if (map->address == 0) {
        return;
    }
    uintptr_t last = map->address + (map->count - 1) * PAGE_SIZE;
    model_about(model, map->address);
    model_probe(model, map->address);
    model_probe(model, last);
    bool due = flush_is_due(map->address);
    uint64_t before = flushes();
    vunmap((void *)map->address);
    if (due && flushes() - before < map->count) {
        model_fail(model, "vunmap() without invalidation", map->address);
    }
    model->retired[model->retired_next++ % MODEL_DEAD] =
        (struct model_retired){map->address, map->count, before};
    model_dead_add(model, last);
    model_dead_add(model, map->address);
    map_count(model, map, -1);
    map->address = 0;
}
