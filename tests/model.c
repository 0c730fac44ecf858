// SPDX-License-Identifier: MIT
//
// Random numbers, failures, the log, and the end of a model.
#include "tests/model.h"

// SplitMix64.
uint64_t model_random(struct model *model, uint64_t below)
{
    uint64_t value = model->random += 0x9e3779b97f4a7c15ull;
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9ull;
    value = (value ^ value >> 27) * 0x94d049bb133111ebull;
    return (value ^ value >> 31) % below;
}

void model_fail(struct model *model, const char *what, uintptr_t address)
{
    if (model->failure == NULL) {
        model->failure = what;
        model->failure_address = address;
    }
}

void model_fold(struct model *model, uint64_t number)
{
    uint64_t value = (model->hash ^ number) * 0x9e3779b97f4a7c15ull;
    model->hash = value ^ value >> 29;
}

static void map_fold(struct model *model, const struct model_map *map)
{
    model_fold(model, map->count * 2 + map->writable);
    for (unsigned i = 0; i < map->count; i++) {
        model_fold(model, map->frames[i].block * MODEL_BLOCK_FRAMES +
                              map->frames[i].index);
    }
}

void model_fold_state(struct model *model)
{
    for (unsigned i = 0; i < MODEL_BLOCKS; i++) {
        const struct model_block *block = &model->blocks[i];
        if (block->page != NULL) {
            model_fold(model, i << 16 | block->order << 8 | block->domain);
            model_fold(model, block->users);
        }
    }
    for (unsigned i = 0; i < MODEL_AREAS; i++) {
        if (model->areas[i].address != 0) {
            map_fold(model, &model->areas[i]);
        }
    }
    for (unsigned i = 0; i < model->depth; i++) {
        map_fold(model, &model->brackets[i]);
    }
}

void model_about(struct model *model, uint64_t what)
{
    model->log[model->steps % MODEL_LOG].about = what;
}

void model_dead_add(struct model *model, uintptr_t address)
{
    model->dead[model->dead_next++ % MODEL_DEAD] = address;
}

struct model_block *model_block(struct model *model)
{
    unsigned start = model_random(model, MODEL_BLOCKS);
    for (unsigned i = 0; i < MODEL_BLOCKS; i++) {
        struct model_block *block = &model->blocks[(start + i) % MODEL_BLOCKS];
        if (block->page != NULL) {
            return block;
        }
    }
    return NULL;
}

static void block_end(struct model_block *block)
{
    if (block->page == NULL) {
        return;
    }
    for (unsigned i = 0; i < model_frames(block); i++) {
        while (block->kmaps[i] > 0) {
            kunmap(block->page + i);
            block->kmaps[i]--;
        }
    }
    free_pages(block->page, block->order);
}

void model_end(struct model *model)
{
    while (model->depth > 0) {
        kunmap_local((void *)model->brackets[--model->depth].address);
    }
    for (unsigned i = 0; i < MODEL_AREAS; i++) {
        if (model->areas[i].address != 0) {
            vunmap((void *)model->areas[i].address);
        }
    }
    for (unsigned i = 0; i < MODEL_BLOCKS; i++) {
        block_end(&model->blocks[i]);
    }
    for (unsigned i = 1; i < MODEL_DOMAINS; i++) {
        if (model->domains[i] != NULL && domain_destroy(model->domains[i])) {
            model_fail(model, "a domain without frames is not destroyed", 0);
        }
    }
}
