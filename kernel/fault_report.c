// SPDX-License-Identifier: MIT
//
// The fault report of the contract: for people, and one line for programs.
#include "arch/cpu.h"
#include "arch/percpu.h"
#include "arch/pks.h"
#include "kernel/backtrace.h"
#include "kernel/bracket_print.h"
#include "kernel/config.h"
#include "kernel/console.h"
#include "kernel/fault.h"
#include "kernel/fault_parts.h"
#include "kernel/frame_print.h"
#include "kernel/symbols.h"
#include "kernel/thread.h"
#include "kernel/timer.h"
#include "kernel/trace_print.h"
#include "mm/bracket.h"
#include "mm/domain.h"
#include "mm/engine.h"
#include "mm/frames.h"
#include "mm/image.h"
#include "mm/keys.h"
#include "mm/long_maps.h"
#include "mm/misuse.h"
#include "mm/watch.h"

#define REMEMBERED_SHOWN 2

unsigned fault_reports;
static bool for_programs = true;

void fault_report_for_programs(bool yes)
{
    for_programs = yes;
}

// Whose doing it is: the function and line; of code that works for others their
// call of it, and of what is no code the call that led there.
static void print_culprit(const struct trap_frame *trap)
{
    uintptr_t helper, caller = code_culprit(trap, &helper);
    printf(", by ");
    print_code_place(caller != 0 ? caller - 1 : trap->rip);
    if (caller != 0 && helper != 0) {
        printf(" in %s", symbol_find(helper, NULL));
    }
}

// Why the CPU refused it.
static void print_reason(const struct fault *fault)
{
    const struct watch *watch = fault_watch(fault);
    if (watch != NULL) {
        printf("the frame was %s by ",
               watch->frozen ? "frozen" : "set to be watched");
        print_code_place(site_unpack(watch->site) - 1);
        return;
    }
    const char *name = fault->pkey >= 0 ? key_name(fault->pkey) : NULL;
    const char *guard = stack_guard_name(fault->address);
    switch (fault->kind) {
    case FAULT_PKEY:
        printf("key %d (%s) is closed", fault->pkey,
               name != NULL ? name : "unused");
        break;
    case FAULT_NOT_PRESENT:
        if (guard != NULL) {
            printf("guard page of the %s stack", guard);
        } else {
            printf("nothing is mapped there");
        }
        break;
    case FAULT_WRITE_PROTECT:
        printf("the page is read-only");
        break;
    case FAULT_NO_EXECUTE:
        printf("the page is not executable");
        break;
    default:
        printf("the page-table entry does not allow it");
        break;
    }
}

// The first line: it alone tells the story.
static void print_headline(const struct trap_frame *trap,
                           const struct fault *fault)
{
    if (trap->vector != TRAP_PF) {
        printf("FAULT: %s, error code 0x%x", trap_name(trap->vector),
               fault->error_code);
    } else {
        printf("FAULT: %s of %p refused: ", fault_access_name(fault->access),
               (void *)fault->address);
        print_reason(fault);
    }
    print_culprit(trap);
    printf("\n");
}

// What surrounds the instruction; its first byte in brackets.
static void print_code(uintptr_t ip)
{
    const uint8_t *code = fault_code(ip);
    if (code == NULL) {
        return;
    }
    printf("  code    ");
    for (unsigned i = 0; i < FAULT_CODE_BYTES; i++) {
        printf(i == FAULT_CODE_BEFORE ? " <%02x>" : " %02x", code[i]);
    }
    printf("\n");
}

static void print_bracket(const struct bracket *bracket, bool open)
{
    uint32_t ago = (uint32_t)percpu.brackets_opened - bracket->sequence;
    printf("    %u bracket%s ago", ago, ago == 1 ? "" : "s");
    if (bracket->map_time != 0) {
        uint32_t now = (uint32_t)(cpu_read_tsc() / BRACKET_TIME_UNIT);
        uint64_t ticks =
            (uint64_t)(now - bracket->map_time) * BRACKET_TIME_UNIT;
        uint64_t per_ms = clock_ticks(1000);
        printf(
            ", %llu %s ago",
            (unsigned long long)(per_ms != 0 ? ticks * 1000 / per_ms : ticks),
            per_ms != 0 ? "us" : "ticks");
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
    for (unsigned i = 0; i < REMEMBERED_SHOWN && bracket != NULL; i++) {
        print_bracket(bracket, open);
        bracket = bracket_recall(page, &cursor, &open);
    }
}

static void print_mapping(const struct long_map *map)
{
    printf("  mapping  %s%s, %s at ", map->outside ? "beside that of " : "",
           map->call, map->open ? "made" : "undone");
    print_call_site(map->site);
    printf("\n");
}

void fault_report(const struct trap_frame *trap, const struct fault *fault)
{
    // Behind an address in a window whose bracket is closed, what it had.
    const struct page *page =
        fault->page != NULL ? fault->page : bracket_page_once(fault->address);
    struct long_map map = {0};
    bool mapped = fault_mapping(fault, page, &map);
    page = page != NULL ? page : map.page;
    uint64_t flags = console_begin();
    fault_reports++;
    print_headline(trap, fault);
    printf("  error    0x%x (%s, %s)\n", fault->error_code,
           trap_name(trap->vector), fault_kind_name(fault->kind));
    if (trap->vector == TRAP_PF) {
        frame_print(page, fault->pkey);
    }
    if (mapped) {
        print_mapping(&map);
    }
    if (fault_watch(fault) != NULL) {
        watch_print(fault_watch(fault));
    }
    print_rights((uint32_t)trap->rights);
    printf("  context  thread %s, trap level %u, CPU %u, engine %s\n",
           thread_name(), percpu.trap_level - 1, fault->cpu,
           protect_engine_name(protect_engine()));
    printf("  at       ");
    print_code_address(fault->ip);
    printf("\n");
    print_code(fault->ip);
    printf("  called from\n");
    print_trap_backtrace(trap);
    if (page != NULL) {
        print_history(page);
        trace_print_frame(page);
    }
    if (for_programs) {
        fault_print_json(trap, fault, page);
    }
    console_end(flags);
}
