// SPDX-License-Identifier: MIT
//
// Is everything true that must be true all the time? Goes through the live
// page tables, the key state, the frame table and the lists of free memory, and
// names what contradicts the invariants of ARCHITECTURE.md. It changes nothing
// and takes no memory.
#pragma once

#include "keyhole.h"
#include "lib/types.h"

enum audit_rule {
    // The CPU
    AUDIT_RIGHTS,
    AUDIT_PROTECTIONS,
    // Page tables
    AUDIT_BITS,
    AUDIT_REMAINS,
    AUDIT_TABLE,
    AUDIT_TABLES_LOST,
    // Any leaf
    AUDIT_LOWER_HALF,
    AUDIT_OUTSIDE,
    AUDIT_WRITE_EXECUTE,
    AUDIT_EXECUTABLE,
    AUDIT_IMAGE_ALIAS,
    // By region
    AUDIT_DIRECT_OPEN,
    AUDIT_DIRECT_ADDRESS,
    AUDIT_DIRECT_LOST,
    AUDIT_DIRECT_KEY,
    AUDIT_TABLE_KEY,
    AUDIT_ALIAS_KEY,
    AUDIT_KMAP,
    AUDIT_KMAP_COUNTS,
    AUDIT_VMAP,
    AUDIT_VMAP_COUNTS,
    AUDIT_WINDOW,
    AUDIT_IMAGE,
    AUDIT_GUARD,
    AUDIT_OWN,
    AUDIT_OWN_LOST,
    AUDIT_DEVICE,
    AUDIT_TEST_REGION,
    AUDIT_WATCH,
    // Frames
    AUDIT_FRAME,
    AUDIT_FREE_LIST,
    AUDIT_POOL_BYTES,
    AUDIT_DOMAIN_FRAMES,
    AUDIT_DOMAIN_KEY,
    AUDIT_RULES,
};

struct audit_finding {
    enum audit_rule rule;
    uintptr_t address; // virtual, where a leaf is at fault; else physical, or 0
    uint64_t entry;    // of the page tables; or the two values that differ
    uint64_t wanted;   // from each other; 0 where there is no second
};

#define AUDIT_FINDINGS_MAX 20

struct audit_report {
    uint64_t rules;    // bit n: rule n is broken
    uint64_t findings; // all of them; the first AUDIT_FINDINGS_MAX are kept
    struct audit_finding finding[AUDIT_FINDINGS_MAX];
    uint64_t tables, leaves, frames; // looked at
};

// Look at everything. True: all is as it must be. Takes time in proportion to
// what is mapped and to the sections of memory that are in use. Brackets may be
// open. Thread context, mm_lock not held; interrupts are off meanwhile.
bool audit_run(struct audit_report *report);

// What is wrong when a rule is broken, as one clause.
const char *audit_rule_text(enum audit_rule rule);

static inline bool audit_found(const struct audit_report *report,
                               enum audit_rule rule)
{
    return report->rules >> rule & 1;
}

_Static_assert(AUDIT_RULES <= 64, "a bit for each rule");
