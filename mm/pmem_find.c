// SPDX-License-Identifier: MIT
//
// Looks at one range after the other; one that is taken is in the way of those
// behind it.
#include "mm/pmem_find.h"

struct finding {
    const struct memory_map *reported;
    uint64_t limit;
    struct pmem_region *regions;
    unsigned count;
    pmem_refused_fn *refused;
};

static __init uint64_t reported_end(const struct pmem_region *region)
{
    return region->reported_base + region->reported_length;
}

// The region with the lowest address among those that end behind `at`, or NULL.
static __init const struct pmem_region *
region_behind(const struct finding *finding, uint64_t at)
{
    const struct pmem_region *behind = NULL;
    for (unsigned i = 0; i < finding->count; i++) {
        const struct pmem_region *region = &finding->regions[i];
        if (reported_end(region) > at &&
            (behind == NULL || region->reported_base < behind->reported_base)) {
            behind = region;
        }
    }
    return behind;
}

// Why a range that firmware calls persistent cannot be used; NULL: it can.
static __init const char *range_problem(const struct finding *finding,
                                        uint64_t base, uint64_t length)
{
    const struct memory_map *reported = finding->reported;
    uint64_t end = base + length;
    if (length == 0 || end < base) {
        return "its end is before its beginning; report this to the firmware's "
               "vendor";
    }
    if (end > finding->limit) {
        return "it lies beyond what this CPU, or the direct map, can reach";
    }
    for (unsigned i = 0; i < reported->count; i++) {
        const struct memory_range *range = &reported->ranges[i];
        bool may_be =
            range->type == MEMORY_PERSISTENT || range->type == MEMORY_RESERVED;
        if (!may_be && range->base < end && base < range->end) {
            return "the memory map has RAM or tables there; report this to the "
                   "firmware's vendor";
        }
    }
    const struct pmem_region *behind = region_behind(finding, base);
    if (behind != NULL && behind->reported_base < end) {
        return "it overlaps a region that was found before";
    }
    // Neither wraps: `end` is at most the limit, a multiple of PMEM_ALIGN.
    if (ALIGN_UP(base, PMEM_ALIGN) >= ALIGN_DOWN(end, PMEM_ALIGN)) {
        return "there is not one aligned 2 MiB of it";
    }
    if (finding->count == PMEM_REGIONS_MAX) {
        return "there are more regions than the kernel has room for";
    }
    return NULL;
}

// Take a region, or say why not.
static __init void region_take(struct finding *finding,
                               const struct pmem_region *found)
{
    const char *why =
        range_problem(finding, found->reported_base, found->reported_length);
    if (why != NULL) {
        finding->refused(found->reported_base, found->reported_length, why);
        return;
    }
    struct pmem_region *region = &finding->regions[finding->count++];
    *region = *found;
    region->alignment = PMEM_ALIGN;
    region->base = ALIGN_UP(found->reported_base, PMEM_ALIGN);
    region->length = ALIGN_DOWN(reported_end(found), PMEM_ALIGN) - region->base;
}

// Take what no region has of a persistent range of the memory map, each piece
// as a region of its own.
static __init void rest_take(struct finding *finding, uint64_t base,
                             uint64_t end)
{
    while (base < end) {
        const struct pmem_region *next = region_behind(finding, base);
        uint64_t stop = next != NULL ? MIN(next->reported_base, end) : end;
        uint64_t resume = next != NULL ? reported_end(next) : end;
        if (base < stop) {
            region_take(finding, &(struct pmem_region){
                                     .reported_base = base,
                                     .reported_length = stop - base,
                                 });
        }
        base = resume;
    }
}

__init unsigned pmem_regions_find(const struct memory_map *reported,
                                  const struct acpi_pmem *listed,
                                  uint64_t limit, struct pmem_region *regions,
                                  pmem_refused_fn *refused)
{
    struct finding finding = {
        .reported = reported,
        .limit = ALIGN_DOWN(limit, PMEM_ALIGN),
        .regions = regions,
        .refused = refused,
    };
    for (unsigned i = 0; i < listed->count; i++) {
        const struct acpi_pmem_range *range = &listed->range[i];
        region_take(&finding, &(struct pmem_region){
                                  .reported_base = range->base,
                                  .reported_length = range->length,
                                  .from_nfit = true,
                                  .handle = range->handle,
                                  .identified = range->identified,
                                  .serial = range->serial,
                                  .vendor = range->vendor,
                                  .device = range->device,
                              });
    }
    for (unsigned i = 0; i < reported->count; i++) {
        const struct memory_range *range = &reported->ranges[i];
        if (range->type == MEMORY_PERSISTENT) {
            rest_take(&finding, range->base, range->end);
        }
    }
    return finding.count;
}

__init const char *pmem_power_warning(const struct acpi_pmem *listed)
{
    if (listed->count == 0 || !listed->memory_lost) {
        return NULL;
    }
    if (listed->flush_hints != 0) {
        return "a power cut may lose what pmem_persist() has written back: by "
               "the NFIT this platform's memory controller does not save what "
               "it holds unless flush hint addresses are written to, which "
               "this kernel does not do";
    }
    return "a power cut may lose what pmem_persist() has written back: by the "
           "NFIT this platform's memory controller does not save what it "
           "holds, and there is no flush hint address to write to";
}
