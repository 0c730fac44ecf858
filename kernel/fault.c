// SPDX-License-Identifier: MIT
//
// The fault record and the fault report of the contract.
#include "kernel/fault.h"

#include "arch/cpu.h"
#include "arch/percpu.h"
#include "arch/pks.h"
#include "kernel/backtrace.h"
#include "kernel/config.h"
#include "mm/bracket.h"
#include "mm/domain.h"
#include "mm/keys.h"
#include "mm/misuse.h"
#include "mm/pagetable.h"
#include "mm/section.h"

static enum fault_kind page_fault_kind(uint32_t error)
{
    if (error & PF_RESERVED) {
        return FAULT_OTHER;
    }
    if (!(error & PF_PRESENT)) {
        return FAULT_NOT_PRESENT;
    }
    if (error & PF_PKEY) {
        return FAULT_PKEY;
    }
    if (error & PF_FETCH) {
        return FAULT_NO_EXECUTE;
    }
    return error & PF_WRITE ? FAULT_WRITE_PROTECT : FAULT_OTHER;
}

// The key and the frame of the leaf that maps an address, if one does.
static void fault_look_up(struct fault *fault)
{
    struct pt_walk walk;
    pt_walk(fault->address, &walk);
    if (!walk.present) {
        return;
    }
    uint64_t entry = walk.entry[walk.level];
    uint64_t inside = PT_LEVEL_SIZE(walk.level) - 1;
    phys_addr_t physical =
        (entry & PTE_ADDRESS & ~inside) | (fault->address & inside);
    fault->pkey = pte_key(entry);
    if (section_is_ready(physical)) {
        fault->page = frame_page(physical / PAGE_SIZE);
    }
}

void fault_describe(const struct trap_frame *trap, struct fault *fault)
{
    *fault = (struct fault){
        .kind = trap->vector == TRAP_GP ? FAULT_GP : FAULT_OTHER,
        .access = ACCESS_READ,
        .ip = trap->rip,
        .error_code = (uint32_t)trap->error_code,
        .pkey = -1,
        .cpu = percpu.cpu,
    };
    if (trap->vector == TRAP_PF) {
        fault->address = cpu_read_cr2();
        fault->kind = page_fault_kind(fault->error_code);
        if (fault->error_code & PF_FETCH) {
            fault->access = ACCESS_EXECUTE;
        } else if (fault->error_code & PF_WRITE) {
            fault->access = ACCESS_WRITE;
        }
        fault_look_up(fault);
    }
}

const char *fault_access_name(enum fault_access access)
{
    static const char *const names[] = {
        [ACCESS_READ] = "read",
        [ACCESS_WRITE] = "write",
        [ACCESS_EXECUTE] = "execute",
    };
    return names[access];
}

const char *fault_kind_name(enum fault_kind kind)
{
    static const char *const names[] = {
        [FAULT_NONE] = "FAULT_NONE",
        [FAULT_PKEY] = "FAULT_PKEY",
        [FAULT_NOT_PRESENT] = "FAULT_NOT_PRESENT",
        [FAULT_WRITE_PROTECT] = "FAULT_WRITE_PROTECT",
        [FAULT_NO_EXECUTE] = "FAULT_NO_EXECUTE",
        [FAULT_GP] = "FAULT_GP",
        [FAULT_OTHER] = "FAULT_OTHER",
    };
    return names[kind];
}

const char *trap_name(uint64_t vector)
{
    static const char *const names[] = {
        "#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM",
        "#DF", "#9",  "#TS", "#NP", "#SS", "#GP", "#PF", "#15",
        "#MF", "#AC", "#MC", "#XM", "#VE", "#CP", "#22", "#23",
        "#24", "#25", "#26", "#27", "#HV", "#VC", "#SX", "#31",
    };
    return vector < ARRAY_SIZE(names) ? names[vector] : "interrupt";
}

// The first line: it alone tells the story.
static void print_headline(const struct trap_frame *trap,
                           const struct fault *fault)
{
    if (trap->vector != TRAP_PF) {
        printf("FAULT: %s, error code 0x%x, at ", trap_name(trap->vector),
               fault->error_code);
        print_code_address(fault->ip);
        printf("\n");
        return;
    }
    printf("FAULT: %s of %p refused: ", fault_access_name(fault->access),
           (void *)fault->address);
    const char *guard = stack_guard_name(fault->address);
    switch (fault->kind) {
    case FAULT_PKEY: {
        const char *name = key_name(fault->pkey);
        printf("key %d (%s) is closed\n", fault->pkey,
               name != NULL ? name : "unused");
        break;
    }
    case FAULT_NOT_PRESENT:
        if (guard != NULL) {
            printf("guard page of the %s stack\n", guard);
        } else {
            printf("nothing is mapped there\n");
        }
        break;
    case FAULT_WRITE_PROTECT:
        printf("the page is read-only\n");
        break;
    case FAULT_NO_EXECUTE:
        printf("the page is not executable\n");
        break;
    default:
        printf("the page-table entry does not allow it\n");
        break;
    }
}

static void print_frame(const struct fault *fault)
{
    if (fault->page == NULL) {
        printf("  frame    none\n");
        return;
    }
    const struct domain *domain = page_domain(fault->page);
    uint8_t state = fault->page->private_state;
    printf("  frame    0x%llx, ",
           (unsigned long long)page_to_phys(fault->page));
    if (domain != NULL) {
        printf("domain %s, key %d\n", domain->name, fault->pkey);
    } else if (state & FRAME_TABLE) {
        printf("a page table, key %d\n", fault->pkey);
    } else if (state & FRAME_KERNEL) {
        printf("the kernel's own, key %d\n", fault->pkey);
    } else {
        printf("free, key %d\n", fault->pkey);
    }
}

// IA32_PKRS, with the names of the keys that were not closed.
static void print_rights(uint32_t rights)
{
    printf("  PKRS     0x%08x:", rights);
    for (unsigned key = 0; key < PKS_KEYS; key++) {
        const char *name = key_name(key);
        if (rights & PKRS_AD(key)) {
            continue;
        }
        printf(" %u(%s)=%s", key, name != NULL ? name : "unused",
               rights & PKRS_WD(key) ? "read" : "write");
    }
    printf("; all others closed\n");
}

static void print_bracket(const struct bracket *bracket, bool open)
{
    uint32_t ago = (uint32_t)percpu.brackets_opened - bracket->sequence;
    printf("    %u bracket%s ago", ago, ago == 1 ? "" : "s");
    if (bracket->map_time != 0) {
        uint32_t now = (uint32_t)(cpu_read_tsc() / BRACKET_TIME_UNIT);
        printf(", %llu ticks ago",
               (unsigned long long)(now - bracket->map_time) *
                   BRACKET_TIME_UNIT);
    }
    printf("\n      opened at ");
    print_call_site(site_unpack(bracket->map_site));
    if (!open) {
        printf("\n      closed at ");
        print_call_site(site_unpack(bracket->unmap_site));
    } else {
        printf(", still open");
    }
    printf("\n");
}

static void print_history(const struct page *page)
{
    unsigned cursor = 0;
    bool open;
    const struct bracket *bracket = bracket_recall(page, &cursor, &open);
    printf("  brackets on this frame:%s\n",
           bracket == NULL ? " none remembered" : "");
    while (bracket != NULL) {
        print_bracket(bracket, open);
        bracket = bracket_recall(page, &cursor, &open);
    }
}

void fault_report(const struct trap_frame *trap, const struct fault *fault)
{
    print_headline(trap, fault);
    printf("  error    0x%x (%s, %s)\n", fault->error_code,
           trap_name(trap->vector), fault_kind_name(fault->kind));
    if (trap->vector == TRAP_PF) {
        print_frame(fault);
    }
    print_rights((uint32_t)trap->rights);
    printf("  context  thread boot, trap level %u, CPU %u, engine %s\n",
           percpu.trap_level - 1, fault->cpu,
           protect_engine_name(protect_engine()));
    printf("  at       ");
    print_code_address(fault->ip);
    printf("\n  called from\n");
    print_backtrace(trap->rbp);
    if (fault->page != NULL) {
        print_history(fault->page);
    }
}
