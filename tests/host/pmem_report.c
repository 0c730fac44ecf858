// SPDX-License-Identifier: MIT
//
// Has mm/pmem_find look at a map and an NFIT, and checks what is true of every
// answer.

#include "tests/host/pmem_report.h"

#include <stdio.h>
#include <string.h>

#define REFUSALS_MAX 64

struct refusal {
    uint64_t base, length;
    const char *why;
};

static struct memory_map map;
static struct acpi_pmem listed;
static struct pmem_region regions[PMEM_REGIONS_MAX + 1];
static unsigned count; // of regions
static struct refusal refusals[REFUSALS_MAX];
static unsigned refused; // of refusals

void report_begin(void)
{
    memory_map_init(&map);
    memset(&listed, 0, sizeof(listed));
}

void report_map(uint64_t base, uint64_t length, enum memory_type type)
{
    memory_map_add(&map, base, length, type);
}

void report_nfit(uint64_t base, uint64_t length)
{
    unsigned number = ++listed.count;
    listed.range[number - 1] = (struct acpi_pmem_range){
        .base = base,
        .length = length,
        .handle = number,
        .serial = 0x1000 + number,
        .vendor = (uint16_t)(0x100 + number),
        .device = (uint16_t)(0x200 + number),
        .identified = true,
    };
}

static void take_refusal(uint64_t base, uint64_t length, const char *why)
{
    if (refused < REFUSALS_MAX) {
        refusals[refused] = (struct refusal){base, length, why};
    }
    refused++;
}

// ------------------------------------------------- What is true of any answer

static bool overlap(uint64_t base, uint64_t length, uint64_t other,
                    uint64_t other_length)
{
    return base < other + other_length && other < base + length;
}

// The NFIT's range that a region is; NULL: of none.
static const struct acpi_pmem_range *nfit_of(const struct pmem_region *region)
{
    for (unsigned i = 0; i < listed.count; i++) {
        const struct acpi_pmem_range *range = &listed.range[i];
        if (range->base == region->reported_base &&
            range->length == region->reported_length &&
            range->handle == region->handle) {
            return range;
        }
    }
    return NULL;
}

static const char *region_wrong(const struct pmem_region *region,
                                uint64_t limit)
{
    uint64_t reported_end = region->reported_base + region->reported_length;
    uint64_t end = region->base + region->length;
    if (region->alignment != MIB(2) || region->length == 0 ||
        region->base % MIB(2) != 0 || region->length % MIB(2) != 0) {
        return "is not of whole leaves";
    }
    if (region->base < region->reported_base || end > reported_end ||
        region->base - region->reported_base >= MIB(2) ||
        reported_end - end >= MIB(2)) {
        return "is not what was reported, less its ends";
    }
    if (end < region->base || reported_end > limit) {
        return "is beyond the limit";
    }
    if (region->from_nfit != (nfit_of(region) != NULL)) {
        return "is not from where it says";
    }
    if (region->domain != NULL || region->first != NULL) {
        return "has what the caller gives";
    }
    for (unsigned i = 0; i < map.count; i++) {
        const struct memory_range *range = &map.ranges[i];
        bool persistent = range->type == MEMORY_PERSISTENT;
        if (!region->from_nfit && persistent &&
            range->base <= region->reported_base &&
            reported_end <= range->end) {
            return NULL;
        }
        if (!persistent && range->type != MEMORY_RESERVED &&
            overlap(region->reported_base, region->reported_length, range->base,
                    range->end - range->base)) {
            return "is where the map has something else";
        }
    }
    return region->from_nfit ? NULL : "is not in one range of the map";
}

static const char *regions_wrong(uint64_t limit)
{
    for (unsigned i = 0; i < count; i++) {
        const struct pmem_region *region = &regions[i];
        const char *wrong = region_wrong(region, limit);
        if (wrong != NULL) {
            return wrong;
        }
        if (i > 0 && region->from_nfit && !regions[i - 1].from_nfit) {
            return "of the NFIT is behind one of the map";
        }
        for (unsigned j = 0; j < i; j++) {
            if (overlap(region->reported_base, region->reported_length,
                        regions[j].reported_base, regions[j].reported_length)) {
                return "overlaps another";
            }
        }
    }
    return NULL;
}

// Whether a frame is in a region, its lost ends included, or was refused.
static bool is_answered(uint64_t frame)
{
    for (unsigned i = 0; i < count; i++) {
        if (overlap(frame, 4096, regions[i].reported_base,
                    regions[i].reported_length)) {
            return true;
        }
    }
    for (unsigned i = 0; i < refused; i++) {
        if (overlap(frame, 4096, refusals[i].base, refusals[i].length)) {
            return true;
        }
    }
    return false;
}

// Nothing goes without a word. Frame by frame only where that is not too long.
static const char *silence(void)
{
    unsigned of_nfit = 0;
    for (unsigned i = 0; i < count; i++) {
        of_nfit += regions[i].from_nfit;
    }
    if (of_nfit + refused < listed.count) {
        return "ranges of the NFIT without an answer";
    }
    for (unsigned i = 0; i < map.count; i++) {
        const struct memory_range *range = &map.ranges[i];
        if (range->type != MEMORY_PERSISTENT ||
            range->end - range->base > MIB(64)) {
            continue;
        }
        for (uint64_t at = range->base; at < range->end; at += 4096) {
            if (!is_answered(at)) {
                return "persistent frames of the map without an answer";
            }
        }
    }
    return NULL;
}

static const char *answer_wrong(uint64_t limit)
{
    refused = 0;
    memset(regions, 0xa5, sizeof(regions));
    struct pmem_region guard = regions[PMEM_REGIONS_MAX];
    count = pmem_regions_find(&map, &listed, limit, regions, take_refusal);
    if (count > PMEM_REGIONS_MAX || refused > REFUSALS_MAX ||
        memcmp(&guard, &regions[PMEM_REGIONS_MAX], sizeof(guard)) != 0) {
        return "there is no room for it";
    }
    const char *wrong = regions_wrong(limit);
    return wrong != NULL ? wrong : silence();
}

bool answer_below(uint64_t limit, unsigned want_regions, unsigned want_refusals)
{
    const char *wrong = answer_wrong(limit);
    if (wrong != NULL) {
        printf("# a region: %s\n", wrong);
        return false;
    }
    if (want_regions == ANY) {
        return true;
    }
    if (count != want_regions || refused != want_refusals) {
        printf("# %u regions, %u refusals\n", count, refused);
        return false;
    }
    return true;
}

bool answer(unsigned want_regions, unsigned want_refusals)
{
    return answer_below(REPORT_LIMIT, want_regions, want_refusals);
}

const struct pmem_region *answer_region(unsigned index)
{
    return index < count ? &regions[index] : NULL;
}

bool is_region(unsigned index, uint64_t base, uint64_t length, bool from_nfit)
{
    const struct pmem_region *region = answer_region(index);
    if (region == NULL) {
        printf("# only %u regions\n", count);
        return false;
    }
    if (region->base != base || region->length != length ||
        region->from_nfit != from_nfit) {
        printf("# region %u: 0x%llx, 0x%llx bytes, %d\n", index,
               (unsigned long long)region->base,
               (unsigned long long)region->length, region->from_nfit);
        return false;
    }
    return true;
}

bool is_refusal(unsigned index, uint64_t base, uint64_t length,
                const char *words)
{
    const struct refusal *refusal = &refusals[index];
    if (index >= refused) {
        printf("# only %u refusals\n", refused);
        return false;
    }
    if (refusal->base != base || refusal->length != length ||
        strstr(refusal->why, words) == NULL) {
        printf("# refusal %u: 0x%llx, 0x%llx bytes: %s\n", index,
               (unsigned long long)refusal->base,
               (unsigned long long)refusal->length, refusal->why);
        return false;
    }
    return true;
}
