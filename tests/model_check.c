// SPDX-License-Identifier: MIT
//
// What the model says of an address, and whether the kernel agrees.
#include "mm/domain.h"
#include "mm/frames.h"
#include "mm/layout.h"
#include "mm/local_window.h"
#include "tests/engines.h"
#include "tests/model.h"

size_t model_place(const struct page *page)
{
    return page_frame(page) % (PAGE_SIZE / sizeof(uint64_t)) * sizeof(uint64_t);
}

// The block that a physical address lies in, and where; NULL: none.
static const struct model_block *
block_find(const struct model *model, phys_addr_t physical, uint64_t *offset)
{
    for (unsigned i = 0; i < MODEL_BLOCKS; i++) {
        const struct model_block *block = &model->blocks[i];
        if (block->page == NULL) {
            continue;
        }
        *offset = physical - page_to_phys(block->page);
        if (*offset < PAGE_SIZE << block->order) {
            return block;
        }
    }
    return NULL;
}

bool model_frame_find(const struct model *model, phys_addr_t physical,
                      struct model_frame *frame)
{
    uint64_t offset;
    const struct model_block *block = block_find(model, physical, &offset);
    if (block == NULL || offset / PAGE_SIZE >= model_frames(block)) {
        return false;
    }
    *frame = (struct model_frame){block - model->blocks, offset / PAGE_SIZE};
    return true;
}

static const struct model_map *map_find(const struct model_map *maps,
                                        unsigned count, uintptr_t address,
                                        struct model_frame *frame)
{
    for (unsigned i = 0; i < count; i++) {
        uint64_t offset = address - ALIGN_DOWN(maps[i].address, PAGE_SIZE);
        if (maps[i].address != 0 && offset < maps[i].count * PAGE_SIZE) {
            *frame = maps[i].frames[offset / PAGE_SIZE];
            return &maps[i];
        }
    }
    return NULL;
}

// Whether a bracket opens a frame in the direct map.
static bool bracket_opens(const struct model *model,
                          const struct model_map *bracket,
                          struct model_frame frame)
{
    if (test_engine()->grain == GRAIN_DOMAIN) {
        return bracket->opens_domain &&
               model->blocks[bracket->frames[0].block].domain ==
                   model->blocks[frame.block].domain;
    }
    bool opens = false;
    for (unsigned i = 0; i < bracket->count; i++) {
        opens = opens || (bracket->frames[i].block == frame.block &&
                          bracket->frames[i].index == frame.index);
    }
    return opens && !local_window_has(bracket->address);
}

// The best right to a frame in the direct map that a bracket of this context
// gives, or one of those that it interrupted, where these share.
static enum model_rights direct_rights(const struct model *model,
                                       struct model_frame frame)
{
    if (test_engine()->grain == GRAIN_ALL) {
        return MODEL_WRITE;
    }
    enum model_rights rights = MODEL_NONE;
    unsigned first = test_engine()->others_stay_out ? model->base : 0;
    for (unsigned i = first; i < model->depth; i++) {
        const struct model_map *bracket = &model->brackets[i];
        if (bracket_opens(model, bracket, frame)) {
            rights = MAX(rights, bracket->writable ? MODEL_WRITE : MODEL_READ);
        }
    }
    return rights;
}

// The right to one that is not in use, or at the end of a large block, of which
// no more is known: it may lie behind any key.
static enum model_rights direct_rights_unknown(const struct model *model)
{
    switch (test_engine()->grain) {
    case GRAIN_FRAME:
        return MODEL_NONE;
    case GRAIN_DOMAIN:
        return model->depth == model->base ? MODEL_NONE : MODEL_UNKNOWN;
    default:
        return MODEL_UNKNOWN;
    }
}

static enum model_rights map_rights(const struct model_map *map)
{
    if (map == NULL) {
        return MODEL_NONE;
    }
    return map->writable ? MODEL_WRITE : MODEL_READ;
}

// Who may touch an address now, and in *frame which frame is behind it, if
// anybody may.
static enum model_rights rights_of(const struct model *model, uintptr_t address,
                                   struct model_frame *frame)
{
    if (address - DIRECT_MAP_BASE < DIRECT_MAP_SIZE) {
        return model_frame_find(model, address - DIRECT_MAP_BASE, frame)
                   ? direct_rights(model, *frame)
                   : direct_rights_unknown(model);
    }
    if (address - KMAP_BASE < KMAP_SIZE) {
        return model_frame_find(model, address - KMAP_BASE, frame) &&
                       model->blocks[frame->block].kmaps[frame->index] != 0
                   ? MODEL_WRITE
                   : MODEL_NONE;
    }
    if (local_window_has(address)) {
        unsigned first = test_engine()->others_stay_out ? model->base : 0;
        const struct model_map *map = map_find(
            model->brackets + first, model->depth - first, address, frame);
        // A handler's bracket may open what the thread has in its window, by
        // the key.
        if (map == NULL && test_engine()->keys && model->depth != model->base &&
            map_find(model->brackets, model->base, address, frame) != NULL) {
            return MODEL_UNKNOWN;
        }
        return map_rights(map);
    }
    return map_rights(map_find(model->areas, MODEL_AREAS, address, frame));
}

static bool write_compare(struct model *model, uintptr_t at, bool allowed,
                          struct model_frame frame, uint64_t tag)
{
    bool written = probe_write((void *)at, &tag, sizeof(tag), NULL);
    if (written != allowed) {
        model_fail(model,
                   written ? "a write that must be refused went through"
                           : "a write that is allowed was refused",
                   at);
    } else if (allowed) {
        model->blocks[frame.block].tag[frame.index] = tag;
    }
    return written;
}

unsigned model_probe(struct model *model, uintptr_t address)
{
    struct model_frame frame = {0};
    uint64_t new_tag = model_random(model, ~0ull);
    enum model_rights rights = rights_of(model, address, &frame);
    if (rights == MODEL_UNKNOWN) {
        return 0;
    }
    uintptr_t at = ALIGN_DOWN(address, PAGE_SIZE);
    if (rights != MODEL_NONE) {
        at += model_place(model_page(model, frame));
    }
    uint64_t tag;
    bool read = probe_read((void *)at, &tag, sizeof(tag), NULL);
    if (read != (rights != MODEL_NONE)) {
        model_fail(model,
                   read ? "a read that must be refused went through"
                        : "a read that is allowed was refused",
                   at);
    } else if (read && tag != model->blocks[frame.block].tag[frame.index]) {
        model_fail(model, "a frame does not hold what was written to it", at);
    }
    bool written =
        write_compare(model, at, rights == MODEL_WRITE, frame, new_tag);
    return read | written << 1;
}

static unsigned map_probe(struct model *model, const struct model_map *map)
{
    if (map->address == 0) {
        return 0;
    }
    uint64_t page = model_random(model, map->count);
    return model_probe(model, map->address + page * PAGE_SIZE);
}

void model_check(struct model *model)
{
    struct model_block *block = model_block(model);
    if (block != NULL) {
        struct page *page =
            block->page + model_random(model, model_frames(block));
        model_probe(model, (uintptr_t)page_direct_map_address(page));
        model_fold(model, model_probe(model, KMAP_BASE + page_to_phys(page)));
    }
    model_fold(
        model,
        map_probe(model, &model->areas[model_random(model, MODEL_AREAS)]));
    // In a handler, those of the code that it interrupted are out of reach.
    // One's own may be read; others that are open may allow more.
    if (model->depth > 0) {
        unsigned i = model_random(model, model->depth);
        unsigned outcome = map_probe(model, &model->brackets[i]);
        bool writable = model->brackets[i].writable;
        model_fold(model, i < model->base ? 0 : outcome & (writable ? 3 : 1));
    }
    // The two that died last, where stale translations would be, and others.
    for (unsigned i = 0; i < 4; i++) {
        unsigned back = i < 2 ? i + 1 : model_random(model, MODEL_DEAD);
        uintptr_t dead = model->dead[(model->dead_next - back) % MODEL_DEAD];
        if (dead != 0) {
            model_probe(model, dead);
        }
    }
}
