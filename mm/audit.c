// SPDX-License-Identifier: MIT
//
// The walk of an audit, and what concerns the CPU and the tables themselves.
#include "mm/audit.h"

#include "arch/cpu.h"
#include "arch/cpuid.h"
#include "arch/pks.h"
#include "arch/pte.h"
#include "mm/audit_internal.h"
#include "mm/bracket.h"
#include "mm/domain.h"
#include "mm/engine.h"
#include "mm/layout.h"
#include "mm/local_window.h"
#include "mm/lock.h"
#include "mm/pagetable_internal.h"
#include "mm/pt_window.h"
#include "mm/section.h"
#include "mm/tables.h"
#include "mm/watch.h"

// What an entry that points to a table may have set beside its address.
#define UPPER_BITS (PTE_P | PTE_RW | PTE_US | PTE_A)

static const char *const texts[AUDIT_RULES] = {
    [AUDIT_RIGHTS] = "IA32_PKRS is not what the kernel believes, or not closed",
    [AUDIT_PROTECTIONS] = "a protection of the CPU is off",
    [AUDIT_BITS] = "an entry with bits that no entry of this kernel has",
    [AUDIT_REMAINS] = "an entry that is not present and not 0",
    [AUDIT_TABLE] = "a page table in a frame that is none",
    [AUDIT_TABLES_LOST] = "tables reached are not as many as tables in use",
    [AUDIT_LOWER_HALF] = "mapped in the lower half",
    [AUDIT_OUTSIDE] = "mapped outside all regions",
    [AUDIT_WRITE_EXECUTE] = "writable and executable",
    [AUDIT_EXECUTABLE] = "executable, and not kernel text",
    [AUDIT_IMAGE_ALIAS] = "a writable alias of the kernel image",
    [AUDIT_DIRECT_OPEN] = "key 0 in the direct map",
    [AUDIT_DIRECT_ADDRESS] = "direct map: not one to one, or not RAM",
    [AUDIT_DIRECT_LOST] = "direct map: not as long as RAM",
    [AUDIT_DIRECT_KEY] = "direct map: not the key of the frame's owner",
    [AUDIT_TABLE_KEY] = "a page table without the tables' key",
    [AUDIT_ALIAS_KEY] = "a key where there must be none",
    [AUDIT_KMAP] = "kmap: a leaf that no kmap() accounts for",
    [AUDIT_KMAP_COUNTS] = "kmap: leaves and open frames differ",
    [AUDIT_VMAP] = "vmap: a leaf that no vmap() accounts for",
    [AUDIT_VMAP_COUNTS] = "vmap: leaves, ranges and counts in frames differ",
    [AUDIT_WINDOW] = "a local window: no open bracket, or another's key",
    [AUDIT_IMAGE] = "image: not the place or the rights of its part",
    [AUDIT_GUARD] = "the guard page of a stack is mapped",
    [AUDIT_OWN] = "a kernel region maps a frame that is not the kernel's",
    [AUDIT_OWN_LOST] = "the kernel's own frames and their mappings differ",
    [AUDIT_DEVICE] = "device registers: RAM, cached or executable",
    [AUDIT_TEST_REGION] = "a mapping that a test has left",
    [AUDIT_FRAME] = "an entry of the frame table that makes no sense",
    [AUDIT_WATCH] = "a frame that is watched has a leaf that is not closed",
    [AUDIT_FREE_LIST] = "a list of free memory and the frame table differ",
    [AUDIT_POOL_BYTES] = "free memory does not add up",
    [AUDIT_DOMAIN_FRAMES] = "the frames of the domains do not add up",
    [AUDIT_DOMAIN_KEY] =
        "a domain opens another key than its own, or one that is gone",
};

const char *audit_rule_text(enum audit_rule rule)
{
    return texts[rule];
}

void audit_find(struct audit *audit, enum audit_rule rule, uintptr_t address,
                uint64_t entry, uint64_t wanted)
{
    struct audit_report *report = audit->report;
    report->rules |= BIT(rule);
    if (report->findings < AUDIT_FINDINGS_MAX) {
        report->finding[report->findings] =
            (struct audit_finding){rule, address, entry, wanted};
    }
    report->findings++;
}

// Two numbers that must be equal.
static void equal_check(struct audit *audit, enum audit_rule rule, uint64_t got,
                        uint64_t want)
{
    if (got != want) {
        audit_find(audit, rule, 0, got, want);
    }
}

// ------------------------------------------------------------------- The CPU

static void cpu_check(struct audit *audit)
{
    uint64_t is, wanted;
    if (!engine->rights_hold(&is, &wanted) ||
        (brackets_depth() == 0 && pks_rights() != PKRS_CLOSED)) {
        audit_find(audit, AUDIT_RIGHTS, 0, is, wanted);
    }
    uint64_t cr4 = (cpu_has(CPU_FEATURE_SMEP) ? CR4_SMEP : 0) |
                   (cpu_has(CPU_FEATURE_SMAP) ? CR4_SMAP : 0);
    equal_check(audit, AUDIT_PROTECTIONS, cpu_read_cr0() & CR0_WP, CR0_WP);
    equal_check(audit, AUDIT_PROTECTIONS, cpu_read_cr4() & cr4, cr4);
    equal_check(audit, AUDIT_PROTECTIONS, cpu_read_msr(MSR_EFER) & EFER_NXE,
                EFER_NXE);
    equal_check(audit, AUDIT_TABLE, cpu_read_cr3(),
                engine->root != NULL ? engine->root(percpu.cpu) : pt_root());
}

// -------------------------------------------------------------------- The walk

static void table_walk(struct audit *audit, phys_addr_t table, unsigned level,
                       uintptr_t base);

// Whether a table may be looked into. The walk must not fault, whatever is
// wrong: so the table is read by a probe first.
static bool table_is_sound(phys_addr_t table)
{
    uint64_t word;
    return section_is_ready(table) &&
           frame_page(table / PAGE_SIZE)->private_state == FRAME_TABLE &&
           probe_read(pt_table_at(table), &word, sizeof(word), NULL);
}

static void table_enter(struct audit *audit, uint64_t entry, unsigned level,
                        uintptr_t address)
{
    phys_addr_t table = entry & PTE_ADDRESS;
    if (address < DIRECT_MAP_BASE) {
        audit_find(audit, AUDIT_LOWER_HALF, address, entry, 0);
    } else if (entry & PTE_US) {
        audit_find(audit, AUDIT_BITS, address, entry, 0);
    }
    if (entry & ~(PTE_ADDRESS | UPPER_BITS)) {
        audit_find(audit, AUDIT_BITS, address, entry, 0);
    }
    if (!table_is_sound(table)) {
        audit_find(audit, AUDIT_TABLE, address, entry, 0);
        return;
    }
    table_walk(audit, table, level, address);
}

// What a leaf would be if its frame were not watched; noted, if the watch has
// not closed it. In a window it may be the watcher's own bracket's.
static uint64_t leaf_unwatched(struct audit *audit, uintptr_t address,
                               uint64_t entry)
{
    phys_addr_t physical = entry & PTE_ADDRESS;
    bool direct = address - DIRECT_MAP_BASE < DIRECT_MAP_SIZE;
    const struct watch *watch = section_is_ready(physical)
                                    ? watch_of(frame_page(physical / PAGE_SIZE))
                                    : NULL;
    if (watch == NULL) {
        return entry;
    }
    if (!local_window_has(address) && !watch_leaf_is_closed(watch, entry)) {
        audit_find(audit, AUDIT_WATCH, address, entry, watch->access);
    }
    if (direct && engine->direct_bits != 0) {
        return entry & PTE_P ? entry : 0; // P follows from counts
    }
    if (entry & PTE_OWN_KEY) {
        const struct domain *domain = page_domain(watch->first);
        entry = (entry & ~PTE_KEY_MASK) | PTE_KEY(domain_leaf_key(domain));
    }
    return pte_unwatched(entry);
}

static void table_walk(struct audit *audit, phys_addr_t table, unsigned level,
                       uintptr_t base)
{
    const uint64_t *entries = pt_table_at(table);
    audit->report->tables++;
    for (unsigned i = 0; i < PT_ENTRIES; i++) {
        uint64_t entry = entries[i];
        if (entry == 0) {
            continue;
        }
        uintptr_t address = base + i * PT_LEVEL_SIZE(level);
        if (level == PT_LEVELS && i >= PT_ENTRIES / 2) {
            address |= DIRECT_MAP_BASE; // the upper half's sign
        }
        if (level == 1 && watches_on != 0) {
            entry = leaf_unwatched(audit, address, entry);
        }
        if (entry != 0 && !(entry & PTE_P)) {
            audit_find(audit, AUDIT_REMAINS, address, entry, 0);
        } else if (entry == 0) {
            continue; // under `flip`: a leaf that a watch has made absent
        } else if (level == PT_LEVELS || !pte_is_leaf(entry, level)) {
            table_enter(audit, entry, level - 1, address);
        } else {
            uint64_t size = PT_LEVEL_SIZE(level);
            audit_leaf(audit, &(struct audit_leaf){
                                  .address = address,
                                  .physical = entry & PTE_ADDRESS,
                                  .size = size,
                                  .entry = entry,
                              });
        }
    }
}

// What was counted on the way, in two ways each.
static void sums_check(struct audit *audit)
{
    size_t windows =
        engine->window_tables != NULL ? engine->window_tables() : 0;
    equal_check(audit, AUDIT_TABLES_LOST, audit->report->tables + windows,
                tables_used());
    equal_check(audit, AUDIT_TABLES_LOST, tables_total() - tables_used(),
                tables_free_locked());
    if (audit_direct_is_whole()) {
        equal_check(audit, AUDIT_DIRECT_LOST, audit->direct_bytes,
                    sections_memory_bytes());
    }
    if (engine->window_leaves != NULL) {
        equal_check(audit, AUDIT_WINDOW, engine->window_leaves(),
                    brackets_frames());
    }
    equal_check(audit, AUDIT_KMAP_COUNTS, audit->kmap.mapped,
                audit->kmap.counted);
    equal_check(audit, AUDIT_VMAP_COUNTS, audit->vmap.mapped,
                audit->vmap.counted);
    equal_check(audit, AUDIT_VMAP_COUNTS, audit->areas.mapped,
                audit->areas.counted);
    equal_check(audit, AUDIT_OWN_LOST, audit->own.mapped, audit->own.counted);
    equal_check(audit, AUDIT_FREE_LIST, audit->free.mapped,
                audit->free.counted);
    equal_check(audit, AUDIT_POOL_BYTES, audit->pool_bytes,
                frames_free_bytes() - sections_untouched_bytes());
    equal_check(audit, AUDIT_DOMAIN_FRAMES, audit->domain.mapped,
                audit->domain.counted);
}

bool audit_run(struct audit_report *report)
{
    *report = (struct audit_report){0};
    struct audit audit = {
        .report = report,
        .physical_end = BIT(cpu_physical_bits()),
    };
    cpu_check(&audit);
    uint64_t lock = mm_lock();
    uint32_t rights = window_open(WINDOW_READ);
    if (table_is_sound(pt_root())) {
        table_walk(&audit, pt_root(), PT_LEVELS, 0);
        if (!audit_direct_is_whole()) {
            audit_ram(&audit);
        }
        audit_lists(&audit);
        sums_check(&audit);
    } else {
        audit_find(&audit, AUDIT_TABLE, 0, pt_root(), 0);
    }
    window_close(rights);
    mm_unlock(lock);
    return report->findings == 0;
}
