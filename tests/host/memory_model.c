// SPDX-License-Identifier: MIT
//
// The memory map's oracle. Slow and obvious.

#include "tests/host/memory_model.h"

#include <string.h>

__extension__ typedef unsigned __int128 wide_t;

void memory_model_init(struct memory_model *model, uint64_t origin)
{
    memset(model, 0, sizeof(*model));
    model->origin = origin;
    model->exact = true;
}

static unsigned count_runs(const struct memory_model *model)
{
    unsigned runs = 0;
    unsigned char before = MEMORY_NONE;

    for (unsigned i = 0; i < MODEL_FRAMES; i++) {
        unsigned char here = model->frames[i];

        runs += here != before && here != MEMORY_NONE;
        before = here;
    }
    return runs;
}

void memory_model_add(struct memory_model *model, uint64_t base,
                      uint64_t length, enum memory_type type)
{
    wide_t start = base;
    wide_t end = start + length;
    uint64_t lowest = (base - model->origin) / MODEL_FRAME;

    if (length == 0) {
        return;
    }
    for (uint64_t i = lowest; i < MODEL_FRAMES; i++) {
        wide_t first = model->origin + i * MODEL_FRAME;
        wide_t behind = first + MODEL_FRAME;
        bool covered;

        if (first >= end) {
            break;
        }
        covered = type != MEMORY_USABLE || (start <= first && behind <= end);

        // The last frame of all has no end that fits in 64 bits.
        if (covered && behind <= UINT64_MAX && type > model->frames[i]) {
            model->frames[i] = (unsigned char)type;
        }
    }
    if (model->exact && count_runs(model) > MODEL_EXACT_MAX) {
        model->exact = false;
    }
}

static const char *check_shape(const struct memory_map *map)
{
    if (map->count > MODEL_EXACT_MAX) {
        return "too many ranges";
    }
    for (unsigned i = 0; i < map->count; i++) {
        const struct memory_range *range = &map->ranges[i];

        if (range->base >= range->end) {
            return "an empty range";
        }
        if (range->base % MODEL_FRAME != 0 || range->end % MODEL_FRAME != 0) {
            return "a range that is not of whole frames";
        }
        if (range->type <= MEMORY_NONE || range->type > MEMORY_BAD) {
            return "a range of an unknown type";
        }
        if (i > 0 && range->base < range[-1].end) {
            return "ranges out of order, or overlapping";
        }
        if (i > 0 && range->base == range[-1].end &&
            range->type == range[-1].type) {
            return "two ranges that should be one";
        }
    }
    return NULL;
}

static const char *check_frame(const struct memory_model *model,
                               const struct memory_map *map, unsigned frame)
{
    uint64_t address = model->origin + frame * MODEL_FRAME;
    const struct memory_range *range = memory_map_find(map, address);
    const struct memory_range *last =
        memory_map_find(map, address + MODEL_FRAME - 1);
    enum memory_type want = model->frames[frame];
    enum memory_type got = range == NULL ? MEMORY_NONE : range->type;

    if (range != last) {
        return "a frame is not of one range";
    }
    if (range != NULL && (address < range->base || address >= range->end)) {
        return "the range that is found does not hold the address";
    }
    if (model->exact && got != want) {
        return "a frame is of the wrong type";
    }
    if (want > MEMORY_USABLE && got < want) {
        return "a reservation is lost";
    }
    if (got == MEMORY_USABLE && want != MEMORY_USABLE) {
        return "a frame is usable that nobody reported so";
    }
    return NULL;
}

const char *memory_model_compare(const struct memory_model *model,
                                 const struct memory_map *map)
{
    const char *problem = check_shape(map);
    uint64_t usable = 0;

    for (unsigned i = 0; problem == NULL && i < MODEL_FRAMES; i++) {
        problem = check_frame(model, map, i);
        usable += model->frames[i] == MEMORY_USABLE ? MODEL_FRAME : 0;
    }
    if (problem == NULL && model->exact) {
        if (map->dropped != 0) {
            return "a range is given up without need";
        }
        if (memory_map_total(map, MEMORY_USABLE) != usable) {
            return "the total is wrong";
        }
    }
    return problem;
}
