// SPDX-License-Identifier: MIT
//
// Planting faults for the audit.
#include "tests/planted.h"

#include "arch/tlb.h"
#include "mm/engine.h"
#include "mm/pagetable.h"
#include "mm/pt_window.h"

struct audit_report planted_report;

uint64_t *planted_entry(uintptr_t address, unsigned level)
{
    struct pt_walk walk;
    pt_walk(address, &walk);
    phys_addr_t table =
        level == PT_LEVELS ? pt_root() : walk.entry[level + 1] & PTE_ADDRESS;
    return (uint64_t *)(engine->tables_base + table) + pt_index(address, level);
}

unsigned planted_level(uintptr_t address)
{
    struct pt_walk walk;
    pt_walk(address, &walk);
    return walk.level;
}

void planted_entry_write(uint64_t *entry, uint64_t value)
{
    uint32_t rights = window_open(WINDOW_WRITE);
    *(volatile uint64_t *)entry = value;
    tlb_flush_all();
    window_close(rights);
}

uint64_t planted_entry_read(const uint64_t *entry)
{
    uint32_t rights = window_open(WINDOW_READ);
    uint64_t value = *entry;
    window_close(rights);
    return value;
}

bool planted_audit_names(enum audit_rule rule)
{
    audit_run(&planted_report);
    if (!audit_found(&planted_report, rule)) {
        test_fail(__FILE__, __LINE__, "not found: %s (%llu other findings)",
                  audit_rule_text(rule),
                  (unsigned long long)planted_report.findings);
        return false;
    }
    return true;
}

bool planted_audit_is_content(void)
{
    if (!audit_run(&planted_report)) {
        const struct audit_finding *first = &planted_report.finding[0];
        test_fail(__FILE__, __LINE__, "%s: 0x%lx, 0x%llx",
                  audit_rule_text(first->rule), first->address,
                  (unsigned long long)first->entry);
        return false;
    }
    return true;
}

bool planted_is_found(uintptr_t address, unsigned level, uint64_t clear,
                      uint64_t set, enum audit_rule rule)
{
    uint64_t *entry = planted_entry(address, level);
    uint64_t old = planted_entry_read(entry);
    planted_entry_write(entry, (old & ~clear) | set);
    bool found = planted_audit_names(rule);
    planted_entry_write(entry, old);
    return found && planted_audit_is_content();
}

bool mapped_is_found(uintptr_t address, phys_addr_t physical, uint64_t flags,
                     enum audit_rule rule)
{
    if (pt_map(address, physical, PAGE_SIZE, PTE_P | PTE_A | flags, 1) != 0) {
        return false;
    }
    bool found = planted_audit_names(rule);
    pt_unmap(address, PAGE_SIZE);
    return found && planted_audit_is_content();
}
