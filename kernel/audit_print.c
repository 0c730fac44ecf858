// SPDX-License-Identifier: MIT
//
// Prints what an audit found.
#include "kernel/audit_print.h"

#include "mm/audit.h"

bool audit_print(const char *prefix)
{
    static struct audit_report report;
    bool sound = audit_run(&report);
    for (unsigned i = 0; i < MIN(report.findings, AUDIT_FINDINGS_MAX); i++) {
        const struct audit_finding *f = &report.finding[i];
        printf("%s%s: 0x%lx, 0x%llx", prefix, audit_rule_text(f->rule),
               f->address, (unsigned long long)f->entry);
        if (f->wanted != 0) {
            printf(", want 0x%llx", (unsigned long long)f->wanted);
        }
        printf("\n");
    }
    printf("%s%llu tables, %llu leaves, %llu frames: %llu finding%s\n", prefix,
           (unsigned long long)report.tables, (unsigned long long)report.leaves,
           (unsigned long long)report.frames,
           (unsigned long long)report.findings,
           report.findings == 1 ? "" : "s");
    return sound;
}
