// SPDX-License-Identifier: MIT
//
// Owns the rules by which overlapping reports become disjoint ranges. A report
// first takes away what it covers, then fills the gaps between what is
// stronger; so the array never holds more than the result plus one range.

#include "lib/memory_map.h"

#include "lib/string.h"

#define FRAME 4096ull
#define LAST_END (~(FRAME - 1)) // the largest end that is a whole frame's

// Ranges kept between calls; see MEMORY_RANGES_MAX.
#define KEEP_MAX (MEMORY_RANGES_MAX - 2)

void memory_map_init(struct memory_map *map)
{
    map->count = 0;
    map->dropped = 0;
}

// The index of the first range that ends behind `address`; `count` if none.
static unsigned first_behind(const struct memory_map *map, uint64_t address)
{
    unsigned low = 0;
    unsigned high = map->count;

    while (low < high) {
        unsigned middle = low + (high - low) / 2;

        if (map->ranges[middle].end > address) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

static void remove_ranges(struct memory_map *map, unsigned index,
                          unsigned number)
{
    memmove(&map->ranges[index], &map->ranges[index + number],
            (map->count - index - number) * sizeof(map->ranges[0]));
    map->count -= number;
}

static void insert_range(struct memory_map *map, unsigned index, uint64_t base,
                         uint64_t end, enum memory_type type)
{
    memmove(&map->ranges[index + 1], &map->ranges[index],
            (map->count - index) * sizeof(map->ranges[0]));
    map->ranges[index] = (struct memory_range){base, end, type};
    map->count++;
}

static bool is_usable(const struct memory_range *range)
{
    return range->type == MEMORY_USABLE;
}

// Join the range with those after it that touch it and have its type.
static void join_touching(struct memory_map *map, unsigned index)
{
    struct memory_range *range = &map->ranges[index];

    while (index + 1 < map->count && range[1].base == range->end &&
           range[1].type == range->type) {
        range->end = range[1].end;
        remove_ranges(map, index + 1, 1);
    }
}

// Make one range of this one and the next, of the larger type.
static void join_next(struct memory_map *map, unsigned index)
{
    struct memory_range *range = &map->ranges[index];

    range->end = range[1].end;
    range->type = MAX(range->type, range[1].type);
    remove_ranges(map, index + 1, 1);
    join_touching(map, index);
    if (index > 0) {
        join_touching(map, index - 1);
    }
}

// Make the map at least one range shorter, as cheaply as it can be done. With
// more than two ranges there is always a usable one, or a pair to join.
static void squeeze(struct memory_map *map)
{
    uint64_t drop_cost = UINT64_MAX;
    uint64_t join_cost = UINT64_MAX;
    unsigned drop = 0;
    unsigned join = 0;

    for (unsigned i = 0; i < map->count; i++) {
        const struct memory_range *range = &map->ranges[i];

        if (is_usable(range)) {
            if (range->end - range->base < drop_cost) {
                drop_cost = range->end - range->base;
                drop = i;
            }
        } else if (i + 1 < map->count && !is_usable(&range[1])) {
            if (range[1].base - range->end < join_cost) {
                join_cost = range[1].base - range->end;
                join = i;
            }
        }
    }
    if (join_cost <= drop_cost) {
        join_next(map, join);
    } else {
        remove_ranges(map, drop, 1);
        map->dropped++;
    }
}

static void squeeze_to_limit(struct memory_map *map)
{
    while (map->count > KEEP_MAX) {
        squeeze(map);
    }
}

// Take [*base, *end) away from all ranges of a smaller type, so that only
// larger ones are left in it. Ranges of the same type that overlap or touch it
// are removed and [*base, *end) grows over them. At most one range is added.
static void clear_for(struct memory_map *map, uint64_t *base, uint64_t *end,
                      enum memory_type type)
{
    // One that only touches from below counts too, hence the - 1.
    unsigned i = first_behind(map, *base == 0 ? 0 : *base - 1);

    while (i < map->count && map->ranges[i].base <= *end) {
        struct memory_range *range = &map->ranges[i];

        if (range->type == type) {
            *base = MIN(*base, range->base);
            *end = MAX(*end, range->end);
            remove_ranges(map, i, 1);
        } else if (range->type > type || range->end <= *base ||
                   range->base >= *end) {
            i++;
        } else if (range->base < *base) {
            uint64_t old_end = range->end;

            range->end = *base;
            i++;
            if (old_end > *end) {
                insert_range(map, i, *end, old_end, map->ranges[i - 1].type);
            }
        } else if (range->end > *end) {
            range->base = *end;
            i++;
        } else {
            remove_ranges(map, i, 1);
        }
    }
}

// Whole frames of [*base, *base + length). False: none.
static bool round_to_frames(uint64_t *base, uint64_t *end, uint64_t length,
                            enum memory_type type)
{
    if (length == 0 || type == MEMORY_NONE) {
        return false;
    }
    *end = *base + length < *base ? UINT64_MAX : *base + length;
    if (type == MEMORY_USABLE) {
        if (*base > LAST_END) {
            return false;
        }
        *base = ALIGN_UP(*base, FRAME);
        *end = ALIGN_DOWN(*end, FRAME);
    } else {
        *base = ALIGN_DOWN(*base, FRAME);
        *end = *end > LAST_END ? LAST_END : ALIGN_UP(*end, FRAME);
    }
    return *base < *end;
}

void memory_map_add(struct memory_map *map, uint64_t base, uint64_t length,
                    enum memory_type type)
{
    uint64_t end;

    if (type > MEMORY_BAD) {
        type = MEMORY_RESERVED;
    }
    if (!round_to_frames(&base, &end, length, type)) {
        return;
    }
    clear_for(map, &base, &end, type);
    // Looked up by address each time: squeezing moves the ranges.
    while (base < end) {
        unsigned i = first_behind(map, base);

        if (i < map->count && map->ranges[i].base <= base) {
            base = map->ranges[i].end;
        } else {
            uint64_t gap_end = end;

            if (i < map->count) {
                gap_end = MIN(end, map->ranges[i].base);
            }
            insert_range(map, i, base, gap_end, type);
            squeeze_to_limit(map);
            base = gap_end;
        }
    }
}

const struct memory_range *memory_map_find(const struct memory_map *map,
                                           uint64_t address)
{
    unsigned i = first_behind(map, address);

    if (i < map->count && map->ranges[i].base <= address) {
        return &map->ranges[i];
    }
    return NULL;
}

uint64_t memory_map_total(const struct memory_map *map, enum memory_type type)
{
    uint64_t total = 0;

    for (unsigned i = 0; i < map->count; i++) {
        if (map->ranges[i].type == type) {
            total += map->ranges[i].end - map->ranges[i].base;
        }
    }
    return total;
}

const char *memory_type_name(enum memory_type type)
{
    static const char *const names[] = {
        [MEMORY_NONE] = "none",
        [MEMORY_USABLE] = "usable",
        [MEMORY_PERSISTENT] = "persistent",
        [MEMORY_ACPI] = "ACPI tables",
        [MEMORY_NVS] = "ACPI NVS",
        [MEMORY_RESERVED] = "reserved",
        [MEMORY_BAD] = "bad",
    };

    return (unsigned)type < ARRAY_SIZE(names) ? names[type] : "unknown";
}
