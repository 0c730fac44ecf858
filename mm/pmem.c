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
#include "mm/pmem_find.h"
#include "mm/section.h"

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

// What the NFIT lists; nothing, if there is none or it is wrong.
static __init const struct acpi_pmem *nfit_read(const struct boot_info *boot)
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
    if (listed.beyond != 0) {
        log_line(LOG_WARN,
                 "%u regions of persistent memory more than the %u that "
                 "can be used",
                 listed.beyond, ACPI_PMEM_MAX);
    }
    const char *power = pmem_power_warning(&listed);
    if (power != NULL) {
        log_line(LOG_WARN, "%s", power);
    }
    return &listed;
}

__init void pmem_find(const struct boot_info *boot, struct memory_map *memory)
{
    uint64_t limit = MIN(DIRECT_MAP_SIZE, BIT(cpu_physical_bits()));
    regions_count = pmem_regions_find(&boot->memory, nfit_read(boot), limit,
                                      regions, pmem_refuse);
    for (unsigned i = 0; i < regions_count; i++) {
        const struct pmem_region *region = &regions[i];
        memory_map_add(memory, region->base, region->length, MEMORY_PERSISTENT);
        log_line(LOG_DEBUG,
                 "persistent memory at 0x%llx, 0x%llx bytes, by the %s",
                 (unsigned long long)region->base,
                 (unsigned long long)region->length,
                 region->from_nfit ? "NFIT" : "memory map");
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
