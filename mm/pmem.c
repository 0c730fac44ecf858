// SPDX-License-Identifier: MIT
//
// The table of regions: filled at boot, constant afterwards.
#include "mm/pmem.h"

#include "arch/acpi.h"
#include "arch/cpuid.h"
#include "lib/log.h"
#include "mm/domain.h"
#include "mm/engine.h"
#include "mm/frames.h"
#include "mm/layout.h"
#include "mm/lock.h"
#include "mm/pagetable.h"
#include "mm/section.h"

// Regions begin and end where leaves of 2 MiB do.
#define PMEM_ALIGN MIB(2)
// Of their blocks: 16 KiB. A range that one begins is opened in line, without a
// look at each frame, which is what those want who keep metadata in blocks.
#define PMEM_ORDER 2

static __ro_after_init struct pmem_region regions[PMEM_REGIONS_MAX];
static __ro_after_init unsigned regions_count;

unsigned pmem_regions(void)
{
    return regions_count;
}

const struct pmem_region *pmem_region(unsigned index)
{
    return index < regions_count ? &regions[index] : NULL;
}

// -------------------------------------------------------------------- Finding

static __init void pmem_refuse(uint64_t base, uint64_t length, const char *why)
{
    log_line(LOG_WARN, "no persistent memory at 0x%llx, 0x%llx bytes: %s",
             (unsigned long long)base, (unsigned long long)length, why);
}

// Why a range that firmware calls persistent cannot be used; NULL: it can.
static __init const char *range_problem(const struct memory_map *reported,
                                        uint64_t base, uint64_t length)
{
    uint64_t limit = MIN(DIRECT_MAP_SIZE, BIT(cpu_physical_bits()));
    uint64_t end = base + length;
    if (length == 0 || end < base) {
        return "its end is before its beginning; report this to the firmware's "
               "vendor";
    }
    if (end > limit) {
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
    for (unsigned i = 0; i < regions_count; i++) {
        if (regions[i].base < end &&
            base < regions[i].base + regions[i].length) {
            return "it overlaps a region that was found before";
        }
    }
    if (ALIGN_UP(base, PMEM_ALIGN) >= ALIGN_DOWN(end, PMEM_ALIGN)) {
        return "there is not one aligned 2 MiB of it";
    }
    if (regions_count == PMEM_REGIONS_MAX) {
        return "there are more regions than the kernel has room for";
    }
    return NULL;
}

// Take a region, or say why not.
static __init void region_take(const struct boot_info *boot,
                               struct memory_map *memory,
                               const struct pmem_region *found)
{
    const char *why = range_problem(&boot->memory, found->reported_base,
                                    found->reported_length);
    if (why != NULL) {
        pmem_refuse(found->reported_base, found->reported_length, why);
        return;
    }
    struct pmem_region *region = &regions[regions_count++];
    uint64_t end = found->reported_base + found->reported_length;
    *region = *found;
    region->base = ALIGN_UP(found->reported_base, PMEM_ALIGN);
    region->length = ALIGN_DOWN(end, PMEM_ALIGN) - region->base;
    memory_map_add(memory, region->base, region->length, MEMORY_PERSISTENT);
    log_line(LOG_DEBUG, "persistent memory at 0x%llx, 0x%llx bytes, by the %s",
             (unsigned long long)region->base,
             (unsigned long long)region->length,
             region->from_nfit ? "NFIT" : "memory map");
}

static __init void nfit_take(const struct boot_info *boot,
                             struct memory_map *memory)
{
    static __initbss struct acpi_pmem listed;
    struct phys_reader reader = boot->early;
    const char *wrong = acpi_pmem_parse(&reader, boot, &listed);
    if (wrong != NULL) {
        log_line(LOG_WARN, "%s: no persistent memory of it is used", wrong);
    }
    if (listed.note != NULL) {
        log_line(LOG_WARN, "%s", listed.note);
    }
    for (unsigned i = 0; i < listed.count; i++) {
        const struct acpi_pmem_range *range = &listed.range[i];
        region_take(boot, memory,
                    &(struct pmem_region){
                        .reported_base = range->base,
                        .reported_length = range->length,
                        .from_nfit = true,
                        .handle = range->handle,
                        .serial = range->serial,
                        .vendor = range->vendor,
                        .device = range->device,
                    });
    }
    if (listed.beyond != 0) {
        log_line(LOG_WARN,
                 "%u regions of persistent memory more than the %u that "
                 "can be used",
                 listed.beyond, ACPI_PMEM_MAX);
    }
}

// Whether an NFIT has named a part of this range of the memory map.
static __init bool range_is_taken(const struct memory_range *range)
{
    for (unsigned i = 0; i < regions_count; i++) {
        if (regions[i].reported_base < range->end &&
            range->base <
                regions[i].reported_base + regions[i].reported_length) {
            return true;
        }
    }
    return false;
}

__init void pmem_find(const struct boot_info *boot, struct memory_map *memory)
{
    nfit_take(boot, memory);
    for (unsigned i = 0; i < boot->memory.count; i++) {
        const struct memory_range *range = &boot->memory.ranges[i];
        if (range->type == MEMORY_PERSISTENT && !range_is_taken(range)) {
            region_take(boot, memory,
                        &(struct pmem_region){
                            .reported_base = range->base,
                            .reported_length = range->end - range->base,
                        });
        }
    }
}

// --------------------------------------------------------------------- Frames

// The frame table of a region. False: no memory for it.
static __init bool region_sections_locked(const struct pmem_region *region)
{
    uint64_t end = region->base + region->length;
    for (uint64_t at = region->base; at < end;
         at = ALIGN_DOWN(at, SECTION_SIZE) + SECTION_SIZE) {
        if (!section_ensure_locked(at)) {
            return false;
        }
    }
    return true;
}

static __init void region_frames_locked(const struct pmem_region *region)
{
    uint64_t frame = region->base / PAGE_SIZE;
    uint64_t end = frame + region->length / PAGE_SIZE;
    for (; frame < end; frame++) {
        bool head = IS_ALIGNED(frame, BIT(PMEM_ORDER));
        page_set_owner(frame_page(frame), region->domain->id, PMEM_ORDER,
                       FRAME_ALLOCATED | (head ? FRAME_HEAD : 0));
    }
    region->domain->frames = region->length / PAGE_SIZE;
}

static __init bool region_init_locked(struct pmem_region *region,
                                      unsigned number)
{
    char name[16];
    snprintf(name, sizeof(name), "pmem%u", number);
    if (!region_sections_locked(region)) {
        return false;
    }
    region->domain = domain_create_locked(name);
    if (region->domain == NULL) {
        return false;
    }
    if (engine->fix_locked != NULL &&
        engine->fix_locked(region->base, region->length,
                           domain_leaf_key(region->domain)) != 0) {
        domain_destroy_locked(region->domain);
        return false;
    }
    region->domain->fixed = true;
    region->first = frame_page(region->base / PAGE_SIZE);
    region_frames_locked(region);
    return true;
}

__init void pmem_init(void)
{
    unsigned good = 0;
    for (unsigned i = 0; i < regions_count; i++) {
        uint64_t lock = mm_lock();
        bool done = region_init_locked(&regions[i], i);
        mm_unlock(lock);
        if (done) {
            regions[good++] = regions[i];
        } else {
            pmem_refuse(regions[i].base, regions[i].length,
                        "no memory for its frame table, which takes 1/256 of "
                        "its size; give the machine more RAM");
        }
    }
    regions_count = good;
}

void pmem_rekey_locked(const struct domain *domain, unsigned key,
                       struct tlb_batch *batch)
{
    for (unsigned i = 0; domain->fixed && i < regions_count; i++) {
        if (regions[i].domain == domain) {
            pt_rekey_locked(DIRECT_MAP_BASE + regions[i].base,
                            regions[i].length, key, batch);
        }
    }
}
