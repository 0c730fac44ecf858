// SPDX-License-Identifier: MIT
//
// Faults that tests plant for the audit to find: changed straight in the page
// tables, looked at, and taken back.
#pragma once

#include "arch/asm.h"
#include "keyhole.h"
#include "lib/types.h"
#include "mm/audit.h"
#include "mm/layout.h"

extern struct audit_report planted_report; // of the last audit

// The entry of `level` for an address, which is there; and the level of the
// leaf that maps it.
uint64_t *planted_entry(uintptr_t address, unsigned level);
unsigned planted_level(uintptr_t address);

// The tables are open for this alone.
void planted_entry_write(uint64_t *entry, uint64_t value);
uint64_t planted_entry_read(const uint64_t *entry);

// Run the audit. It must name `rule`, or must be content; otherwise the test
// fails. Whether that is so.
bool planted_audit_names(enum audit_rule rule);
bool planted_audit_is_content(void);

// Change an entry, or map a page where nothing is; the audit must name `rule`.
// Change it back; the audit must be content. Whether all that is so.
bool planted_is_found(uintptr_t address, unsigned level, uint64_t clear,
                      uint64_t set, enum audit_rule rule);
bool mapped_is_found(uintptr_t address, phys_addr_t physical, uint64_t flags,
                     enum audit_rule rule);

// Change a member, look, and change it back.
#define CHANGED_IS_FOUND(member, value, rule)                                  \
    ({                                                                         \
        __typeof__(member) old_ = (member);                                    \
        (member) = (value);                                                    \
        bool found_ = planted_audit_names(rule);                               \
        (member) = old_;                                                       \
        found_;                                                                \
    })

// The address in the direct map of a part of the kernel image.
static inline uintptr_t image_alias(const void *in_image)
{
    return (uintptr_t)in_image - KERNEL_BASE + DIRECT_MAP_BASE;
}
