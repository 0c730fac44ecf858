// SPDX-License-Identifier: MIT
//
// What becomes of each trap: a probe's answer, an abandoned function, a report.
#include "arch/trap.h"

#include "arch/cpu.h"
#include "arch/percpu.h"
#include "arch/tlb.h"
#include "kernel/catch.h"
#include "kernel/fault.h"
#include "kernel/fault_mode.h"
#include "kernel/interrupt.h"
#include "kernel/lock_check.h"
#include "kernel/panic.h"
#include "kernel/pass.h"
#include "kernel/remote.h"
#include "kernel/sched.h"
#include "kernel/step.h"
#include "lib/log.h"
#include "lib/panic.h"
#include "mm/bracket.h"
#include "mm/misuse.h"
#include "mm/trace.h"
#include "mm/watch.h"

// The prober has made room for the record on his stack.
static void probe_refused(struct trap_frame *trap,
                          const struct extable_entry *entry)
{
    fault_describe(trap, (struct fault *)trap->r8);
    struct fault *fault = (struct fault *)trap->r8; // no register across a call
    if (fault->kind == FAULT_GP) {
        fault->access = (enum fault_access)entry->access;
    }
    trap->rip = entry->fixup;
}

// One that no probe expects. Apart, so that a probe pays nothing for it.
static __noinline void fault_unprobed(struct trap_frame *trap)
{
    struct fault fault;
    fault_describe(trap, &fault);
    trace_fault(&fault, (uint32_t)trap->rights);
    uint32_t level = percpu.trap_level - 1;
    struct catch_frame *frame = catch_find(level);
    if (frame != NULL && !frame->report) {
        frame->fault = fault;
        catch_throw(frame);
    }
    if (fault_go_on(trap, &fault)) {
        return;
    }
    fault_report(trap, &fault);
    if (frame == NULL && trap->vector != TRAP_PF) {
        panic("%s that nobody caught (report above)", trap_name(trap->vector));
    }
    if (frame == NULL) {
        panic("%s of 0x%lx refused and nobody probed it (report above)",
              fault_access_name(fault.access), fault.address);
    }
    frame->fault = fault;
    catch_throw(frame);
}

static void fault_handle(struct trap_frame *trap)
{
    if (unlikely(watches_on != 0) && fault_is_let_through(trap)) {
        return;
    }
    percpu_count(faults);
    const struct extable_entry *entry = extable_find(trap->rip);
    if (entry != NULL) {
        probe_refused(trap, entry);
    } else {
        fault_unprobed(trap);
    }
}

// The CPU could not deliver an exception. Nothing to go back to: its saved
// state is not to be relied on (SDM 3A 6.15, #DF).
static __cold void double_fault(const struct trap_frame *trap)
{
    struct fault fault;
    uintptr_t address = cpu_read_cr2();
    const char *stack = stack_guard_name(address);
    fault_describe(trap, &fault);
    fault_report(trap, &fault);
    if (stack != NULL) {
        panic("stack overflow: the %s stack ran into its guard page at 0x%lx",
              stack, address);
    }
    panic("double fault, the last page fault was at 0x%lx", address);
}

// A handler gives back what it opened, and the locks that it took.
static void balance_check(const struct trap_frame *trap, unsigned locks)
{
    lock_check_handler(locks, trap->rip);
    const struct bracket *open = percpu.bracket_top - 1;
    if (unlikely(!bracket_is_sentinel(open))) {
        misuse_report(&(struct misuse){
            .what = "handler ends with a bracket open",
            .address = (const void *)open->address,
            .site = {{"mapped", site_unpack(open->map_site)},
                     {"handler interrupted", trap->rip}},
        });
    }
}

// It may have interrupted the handler of a #PF that has not read CR2 yet, and
// what it runs may fault: then the record would name the wrong address.
static __noinline void nmi_handle(const struct trap_frame *trap)
{
    uintptr_t address = cpu_read_cr2();
    percpu.nmi_level = percpu.trap_level;
    if (unlikely(panic_elsewhere())) {
        panic_stop(trap);
    }
    if (!remote_nmi_handle()) {
        log_line(LOG_WARN, "NMI that nobody asked for, at 0x%lx", trap->rip);
    }
    if (unlikely(cpu_read_cr2() != address)) {
        cpu_write_cr2(address);
    }
}

void trap_handle(struct trap_frame *trap)
{
    unsigned locks = lock_check_count();
    percpu_add32(trap_level, 1);
    if (unlikely(percpu.trap_level > TRAPS_MAX)) {
        panic("traps nest more than %d deep, the last at 0x%lx", TRAPS_MAX,
              trap->rip);
    }
    if (unlikely(percpu.tlb_lazy)) {
        tlb_wake(trap->vector == TRAP_NMI);
    }
    switch (trap->vector) {
    case TRAP_DF:
        double_fault(trap);
        break;
    case TRAP_MC:
        panic("machine check: the hardware reported an error");
    case TRAP_NMI:
        nmi_handle(trap);
        break;
    case TRAP_DB:
        if (!pass_end(trap) && !step_handle(trap)) {
            fault_handle(trap);
        }
        break;
    default:
        if (trap->vector < VECTOR_INTERRUPTS) {
            fault_handle(trap);
        } else {
            interrupt_handle((unsigned)trap->vector);
        }
        break;
    }
    balance_check(trap, locks);
    if (unlikely(percpu.slice_over) && percpu.trap_level == 1 &&
        trap->vector >= VECTOR_INTERRUPTS) {
        sched_preempt();
    }
    if (unlikely(percpu.nmi_level == percpu.trap_level)) {
        percpu.nmi_level = 0; // the IRETQ that follows unblocks NMIs
    }
    percpu_add32(trap_level, -1);
}
