// SPDX-License-Identifier: MIT
//
// What the model says of an address, and whether the kernel agrees.
#include "mm/domain.h"
#include "mm/frames.h"
#include "mm/layout.h"
#include "mm/local_window.h"
#include "tests/model.h"

size_t model_place(const struct page *page)
{
    return page_frame(page) % (PAGE_SIZE / sizeof(uint64_t)) * sizeof(uint64_t);
}

// The frame of a physical address, if it is one of the model's.
static bool frame_find(const struct model *model, phys_addr_t physical,
                       struct model_frame *frame)
{
    for (unsigned i = 0; i < MODEL_BLOCKS; i++) {
        const struct model_block *block = &model->blocks[i];
        if (block->page == NULL) {
            continue;
        }
        uint64_t offset = physical - page_to_phys(block->page);
        if (offset < PAGE_SIZE << block->order) {
            *frame = (struct model_frame){i, offset / PAGE_SIZE};
            return true;
        }
    }
    return false;
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

static unsigned key_of(const struct model *model, struct model_frame frame)
{
    return model->domains[model->blocks[frame.block].domain]->key;
}

// The best right that an open bracket gives to a key.
static enum model_rights direct_rights(const struct model *model,
                                       struct model_frame frame)
{
    enum model_rights rights = MODEL_NONE;
    for (unsigned i = 0; i < model->depth; i++) {
        const struct model_map *bracket = &model->brackets[i];
        if (key_of(model, frame) != 0 &&
            key_of(model, bracket->frames[0]) == key_of(model, frame)) {
            rights = MAX(rights, bracket->writable ? MODEL_WRITE : MODEL_READ);
        }
    }
    return rights;
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
        if (frame_find(model, address - DIRECT_MAP_BASE, frame)) {
            return direct_rights(model, *frame);
        }
        // A free frame may lie behind any key.
        return model->depth == 0 ? MODEL_NONE : MODEL_UNKNOWN;
    }
    if (address - KMAP_BASE < KMAP_SIZE) {
        return frame_find(model, address - KMAP_BASE, frame) &&
                       model->blocks[frame->block].kmaps[frame->index] != 0
                   ? MODEL_WRITE
                   : MODEL_NONE;
    }
    if (local_window_has(address)) {
        return map_rights(
            map_find(model->brackets, model->depth, address, frame));
    }
    return map_rights(map_find(model->areas, MODEL_AREAS, address, frame));
}

static void write_compare(struct model *model, uintptr_t at, bool allowed,
                          struct model_frame frame)
{
    uint64_t tag = model_random(model, ~0ull);
    bool written = probe_write((void *)at, &tag, sizeof(tag), NULL);
    if (written != allowed) {
        model_fail(model,
                   written ? "a write that must be refused went through"
                           : "a write that is allowed was refused",
                   at);
    } else if (allowed) {
        model->blocks[frame.block].tag[frame.index] = tag;
    }
}

void model_probe(struct model *model, uintptr_t address)
{
    struct model_frame frame = {0};
    enum model_rights rights = rights_of(model, address, &frame);
    if (rights == MODEL_UNKNOWN) {
        return;
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
    write_compare(model, at, rights == MODEL_WRITE, frame);
}

static void map_probe(struct model *model, const struct model_map *map)
{
    if (map->address != 0) {
        uint64_t page = model_random(model, map->count);
        model_probe(model, map->address + page * PAGE_SIZE);
    }
}

void model_check(struct model *model)
{
    struct model_block *block = model_block(model);
    if (block != NULL) {
        struct page *page =
            block->page + model_random(model, BIT(block->order));
        model_probe(model, (uintptr_t)page_direct_map_address(page));
        model_probe(model, KMAP_BASE + page_to_phys(page));
    }
    map_probe(model, &model->areas[model_random(model, MODEL_AREAS)]);
    if (model->depth > 0) {
        map_probe(model, &model->brackets[model_random(model, model->depth)]);
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
