// SPDX-License-Identifier: MIT
//
// The fault record and the fault report of the contract.
#include "kernel/fault.h"

#include "arch/cpu.h"
#include "arch/percpu.h"
#include "arch/pks.h"
#include "kernel/backtrace.h"
#include "kernel/config.h"
#include "kernel/console.h"
#include "kernel/thread.h"
#include "mm/bracket.h"
#include "mm/domain.h"
#include "mm/engine.h"
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

// The frame that holds a physical address which is mapped at `address`. In the
// direct map there is nothing but RAM.
static struct page *frame_of(uintptr_t address, phys_addr_t physical)
{
    bool known = address - DIRECT_MAP_BASE < DIRECT_MAP_SIZE
                     ? section_is_set_up(physical)
                     : section_is_ready(physical);
    return known ? frame_page(physical / PAGE_SIZE) : NULL;
}

// No leaf that all contexts share: one that the interrupted context sees alone;
// or, for an address in the direct map, the frame whose it is.
static __noinline void unmapped_describe(struct fault *fault, uintptr_t address)
{
    uint64_t leaf =
        engine->leaf != NULL ? engine->leaf(address, percpu.trap_level - 1) : 0;
    phys_addr_t physical =
        leaf != 0 ? leaf & PTE_ADDRESS : address - DIRECT_MAP_BASE;
    bool known =
        (leaf != 0 || physical < DIRECT_MAP_SIZE) && section_is_ready(physical);
    fault->pkey = leaf != 0 ? (int)pte_key(leaf) : -1;
    fault->page = known ? frame_page(physical / PAGE_SIZE) : NULL;
}

// #PF: what CR2, the error code and the leaf that maps the address say.
static inline void page_fault_describe(struct fault *fault, uint32_t error)
{
    uint64_t size;
    uintptr_t address = cpu_read_cr2();
    uint64_t leaf = pt_leaf(address, &size);
    fault->address = address;
    fault->kind = page_fault_kind(error);
    fault->access = error & PF_FETCH   ? ACCESS_EXECUTE
                    : error & PF_WRITE ? ACCESS_WRITE
                                       : ACCESS_READ;
    if (unlikely(leaf == 0)) {
        unmapped_describe(fault, address);
        return;
    }
    fault->pkey = pte_key(leaf);
    fault->page = frame_of(address, (leaf & PTE_ADDRESS & ~(size - 1)) |
                                        (address & (size - 1)));
}

void fault_describe(const struct trap_frame *trap, struct fault *fault)
{
    fault->ip = trap->rip;
    fault->error_code = (uint32_t)trap->error_code;
    fault->cpu = percpu.cpu;
    if (likely(trap->vector == TRAP_PF)) {
        page_fault_describe(fault, fault->error_code);
        return;
    }
    fault->kind = trap->vector == TRAP_GP ? FAULT_GP : FAULT_OTHER;
    fault->access = ACCESS_READ;
    fault->address = 0;
    fault->pkey = -1;
    fault->page = NULL;
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

static void print_frame(const struct page *page, int pkey)
{
    if (page == NULL) {
        printf("  frame    none\n");
        return;
    }
    const struct domain *domain = page_domain(page);
    uint8_t state = page->private_state;
    printf("  frame    0x%llx, ", (unsigned long long)page_to_phys(page));
    if (domain != NULL) {
        printf("domain %s", domain->name);
    } else if (state & FRAME_TABLE) {
        printf("a page table");
    } else if (state & FRAME_KERNEL) {
        printf("the kernel's own");
    } else {
        printf("free");
    }
    if (pkey >= 0) {
        printf(", key %d", pkey);
    }
    printf("\n");
}

// IA32_PKRS, with the names of the keys that were not closed.
static void print_rights(uint32_t rights)
{
    if (!engine->counts_pkrs) {
        printf("  rights   no keys; page tables are %s\n",
               rights & CR0_WP ? "closed" : "open");
        return;
    }
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
    // Behind an address in a window whose bracket is closed, what it had.
    const struct page *page =
        fault->page != NULL ? fault->page : bracket_page_once(fault->address);
    uint64_t flags = console_begin();
    print_headline(trap, fault);
    printf("  error    0x%x (%s, %s)\n", fault->error_code,
           trap_name(trap->vector), fault_kind_name(fault->kind));
    if (trap->vector == TRAP_PF) {
        print_frame(page, fault->pkey);
    }
    print_rights((uint32_t)trap->rights);
    printf("  context  thread %s, trap level %u, CPU %u, engine %s\n",
           thread_name(), percpu.trap_level - 1, fault->cpu,
           protect_engine_name(protect_engine()));
    printf("  at       ");
    print_code_address(fault->ip);
    printf("\n  called from\n");
    print_backtrace(trap->rbp);
    if (page != NULL) {
        print_history(page);
    }
    console_end(flags);
}
