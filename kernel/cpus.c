// SPDX-License-Identifier: MIT
//
// All CPUs are woken at once. Each shows that it is alive and waits until the
// boot CPU knows who has come, and gives out the numbers.
#include "kernel/cpus.h"

#include "arch/acpi.h"
#include "arch/ap_start.h"
#include "arch/apic.h"
#include "arch/cpu.h"
#include "arch/cpuid.h"
#include "arch/percpu.h"
#include "arch/tlb.h"
#include "arch/trap.h"
#include "kernel/config.h"
#include "kernel/interrupt.h"
#include "kernel/remote.h"
#include "kernel/sched.h"
#include "kernel/thread.h"
#include "keyhole.h"
#include "lib/log.h"
#include "lib/panic.h"
#include "mm/engine.h"
#include "mm/heap.h"
#include "mm/pagetable.h"
#include "mm/stack.h"
#include "mm/trampoline.h"

#define IST_STACK_PAGES (STACK_SIZE_IST / PAGE_SIZE)

static __initbss struct acpi_cpus listed;
static __ro_after_init unsigned listed_count;

// What a CPU needs that comes, by its place in ap_table.
static __initbss struct {
    struct cpu_data *data;
    struct bracket_handlers *handlers;
    struct thread *idle;
    struct sched_queue *queue;
    struct trap_stacks exceptions;
    unsigned cpu;
} needs[CPUS_MAX];

__init void cpus_find(const struct boot_info *boot)
{
    struct phys_reader reader = boot->early;
    const char *wrong = acpi_cpus_parse(&reader, boot, &listed);
    if (wrong != NULL) {
        log_line(LOG_WARN, "%s: one CPU is used", wrong);
    }
    listed_count = listed.count + listed.beyond;
    if (listed.beyond != 0) {
        log_line(LOG_WARN, "%u CPUs more than the %u that can be used",
                 listed.beyond, CPUS_MAX);
    }
}

unsigned cpus_listed(void)
{
    return listed_count;
}

__init uint32_t cpus_apic_id_max(void)
{
    uint32_t max = 0;
    for (unsigned i = 0; i < listed.count; i++) {
        max = MAX(max, listed.apic_id[i]);
    }
    return max;
}

// ----------------------------------------------------------- On the other CPU

// A thread of nobody: handlers do all the work. Not init code, unlike its
// caller.
static __noreturn __noinline void idle(struct ap *self)
{
    ap_state_set(self, AP_STATE_READY);
    sched_idle();
}

// The table of contents of another CPU, as kmain() is that of the first.
__init void ap_main(unsigned number)
{
    struct ap *self = &ap_table[number];
    while (ap_state_read(self) != AP_STATE_GO) {
        cpu_pause();
    }
    percpu_init(needs[number].cpu, needs[number].data);
    thread_enter_idle(needs[number].idle);
    handler_brackets_init(needs[number].handlers);
    sched_init(needs[number].queue, needs[number].idle);
    trap_init_cpu(needs[number].cpu, &needs[number].exceptions);
    cpu_enable_protections();
    engine->init_cpu();
    interrupt_init_cpu();
    idle(self);
}

// ------------------------------------------------------------ On the boot CPU

static __init void *stack_for(uint32_t id, const char *what, size_t pages)
{
    char name[STACK_NAME_SIZE];
    snprintf(name, sizeof(name), "%s of APIC %u", what, id);
    return stack_create(name, pages);
}

// Put a CPU into ap_table. False: no memory. It itself allocates nothing.
static __init bool prepare(unsigned number, uint32_t id)
{
    struct trap_stacks *exceptions = &needs[number].exceptions;
    struct ap *ap = &ap_table[number];
    needs[number].data = kzalloc(sizeof(*needs[number].data));
    needs[number].handlers = kzalloc(sizeof(*needs[number].handlers));
    needs[number].idle = thread_create_idle();
    needs[number].queue = sched_queue_create();
    exceptions->double_fault = stack_for(id, "double fault", IST_STACK_PAGES);
    exceptions->nmi = stack_for(id, "NMI", IST_STACK_PAGES);
    exceptions->machine_check = stack_for(id, "machine check", IST_STACK_PAGES);
    if (needs[number].data == NULL || needs[number].handlers == NULL ||
        needs[number].idle == NULL || needs[number].queue == NULL ||
        exceptions->double_fault == NULL || exceptions->nmi == NULL ||
        exceptions->machine_check == NULL ||
        (engine->prepare_cpu != NULL &&
         !engine->prepare_cpu(needs[number].data, needs[number].handlers))) {
        return false;
    }
    heap_init_cpu(needs[number].data);
    ap->apic_id = id;
    ap->stack_top = needs[number].idle->stack_top;
    ap->state = AP_STATE_AWAITED;
    return true;
}

// All that are listed but this one, as far as they can be named and are wanted.
static __init unsigned prepare_all(void)
{
    unsigned count = 0, unnamed = 0;
    uint64_t limit = config.max_cpus != 0 ? config.max_cpus : CPUS_MAX;
    limit = MIN(limit, CPUS_MAX);
    for (unsigned i = 0; i < listed.count && count + 1 < limit; i++) {
        uint32_t id = listed.apic_id[i];
        if (id == apic_id()) {
            continue;
        }
        if (id > apic_id_max()) {
            unnamed++;
        } else if (prepare(count, id)) {
            count++;
        } else {
            log_line(LOG_WARN, "no memory for more than %u CPUs", count + 1);
            break;
        }
    }
    if (unnamed != 0) {
        log_line(LOG_WARN,
                 "%u CPUs have IDs that need x2APIC mode and are left out",
                 unnamed);
    }
    return count;
}

static __init bool wake(unsigned count)
{
    void *page = trampoline_open();
    if (page == NULL) {
        log_line(LOG_WARN,
                 "no page below 640 KiB to start CPUs with: one CPU is used");
        return false;
    }
    ap_trampoline_write(page, (uintptr_t)page, pt_root());
    bool woken = trampoline_seal(page) && ap_start(count, (uintptr_t)page);
    trampoline_close(page);
    if (!woken) {
        log_line(LOG_WARN, "no clock to start CPUs by: one CPU is used");
    }
    return woken;
}

// Who is alive gets the next number. One that was and does not get ready is
// broken in a way that leaves nothing to rely on.
static __init void admit(struct ap *ap, unsigned number)
{
    if (ap_state_read(ap) != AP_STATE_ALIVE) {
        log_line(LOG_WARN,
                 "the CPU with APIC ID %u does not answer and is left out",
                 ap->apic_id);
        return;
    }
    needs[number].cpu = cpus_count;
    ap_state_set(ap, AP_STATE_GO);
    if (!ap_wait(ap, AP_STATE_READY)) {
        panic("the CPU with APIC ID %u stopped while it was set up; leave it "
              "out with maxcpus=%u",
              ap->apic_id, cpus_count);
    }
    log_line(LOG_DEBUG, "CPU %u has APIC ID %u", cpus_count, ap->apic_id);
    cpus_count++;
}

__init void cpus_start(void)
{
    unsigned count = prepare_all();
    if (count == 0 || !wake(count)) {
        return;
    }
    for (unsigned i = 0; i < count; i++) {
        admit(&ap_table[i], i);
    }
}
