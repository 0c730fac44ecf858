// SPDX-License-Identifier: MIT
//
// Each CPU has two lists of requests, one for its interrupt handler and one for
// its NMI handler. Anybody adds to them, NMI handlers too, so adding is one
// compare-and-exchange; only their own handler takes from them, and it does not
// interrupt itself between reading the head and replacing it, so what it read
// of the first request stays true.
#include "kernel/remote.h"

#include "arch/apic.h"
#include "arch/cpu.h"
#include "arch/percpu.h"
#include "kernel/interrupt.h"
#include "mm/misuse.h"

// Lets through interrupts of the priority of VECTOR_CALL only, and with it
// those of VECTOR_FLUSH.
#define PRIORITY_CALLS (VECTOR_CALL / 16 - 1)

static struct remote_cpu {
    struct remote_call *calls;
    struct remote_call *nmis;
    uint64_t nmis_merged; // requests that ran in the NMI of another
    uint64_t nmis_stray;  // NMIs that nobody asked for
} __aligned(64) cpus[CPUS_MAX];

static void call_add(struct remote_call **list, struct remote_call *call)
{
    call->done = false;
    call->next = __atomic_load_n(list, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(list, &call->next, call, false,
                                        __ATOMIC_RELEASE, __ATOMIC_RELAXED)) {
    }
}

static struct remote_call *call_take(struct remote_call **list)
{
    struct remote_call *call = __atomic_load_n(list, __ATOMIC_ACQUIRE);
    while (call != NULL &&
           !__atomic_compare_exchange_n(list, &call, call->next, false,
                                        __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE)) {
    }
    return call;
}

// Run all that is asked for. Returns how many that were. One by one, since fn
// may be abandoned: the others are still in the list then.
static unsigned calls_run(struct remote_call **list)
{
    unsigned count = 0;
    for (struct remote_call *call; (call = call_take(list)) != NULL; count++) {
        call->fn(call->arg);
        __atomic_store_n(&call->done, true, __ATOMIC_RELEASE);
    }
    return count;
}

void remote_call_handle(void)
{
    calls_run(&cpus[cpu_id()].calls);
}

bool remote_nmi_handle(void)
{
    struct remote_cpu *cpu = &cpus[cpu_id()];
    unsigned count = calls_run(&cpu->nmis);
    if (count != 0) {
        cpu->nmis_merged += count - 1;
    } else if (cpu->nmis_merged != 0) {
        cpu->nmis_merged--;
    } else {
        cpu->nmis_stray++;
        return false;
    }
    return true;
}

uint64_t remote_nmis_stray(void)
{
    return cpus[cpu_id()].nmis_stray;
}

void remote_call_post(unsigned cpu, struct remote_call *call)
{
    call_add(&cpus[cpu].calls, call);
    apic_send(cpu_data_of(cpu)->apic_id, VECTOR_CALL);
}

void remote_nmi_post(unsigned cpu, struct remote_call *call)
{
    call_add(&cpus[cpu].nmis, call);
    apic_send_nmi(cpu_data_of(cpu)->apic_id);
}

bool remote_is_done(const struct remote_call *call)
{
    return __atomic_load_n(&call->done, __ATOMIC_ACQUIRE);
}

// An NMI's handler cannot wait: its own CPU takes no other NMI, and what it
// interrupted may be what takes the calls.
static void call_check(unsigned cpu, uintptr_t site)
{
    struct misuse misuse = {.site = {{"this call", site}}};
    if (cpu >= cpus_online()) {
        misuse.what = "call of a CPU that is not there";
        misuse_report(&misuse);
    }
    if (percpu.nmi_level != 0) {
        misuse.what = "call that waits in the handler of an NMI";
        misuse_report(&misuse);
    }
}

// Where interrupts are off, take those for which we wait and no others: who
// turned them off did so against interrupts that nobody here asked for.
static void calls_let_in(void)
{
    uint64_t priority = cpu_read_cr8();
    cpu_write_cr8(PRIORITY_CALLS);
    cpu_take_interrupts();
    cpu_write_cr8(priority);
}

void cpu_call(unsigned cpu, void (*fn)(void *arg), void *arg)
{
    struct remote_call call = {.fn = fn, .arg = arg};
    call_check(cpu, CALL_SITE());
    remote_call_post(cpu, &call);
    while (!remote_is_done(&call)) {
        if (cpu_read_flags() & RFLAGS_IF) {
            cpu_pause();
        } else {
            calls_let_in();
        }
    }
}

void cpu_nmi(unsigned cpu, void (*fn)(void *arg), void *arg)
{
    struct remote_call call = {.fn = fn, .arg = arg};
    call_check(cpu, CALL_SITE());
    remote_nmi_post(cpu, &call);
    while (!remote_is_done(&call)) {
        if (!(cpu_read_flags() & RFLAGS_IF)) {
            tlb_serve();
        }
        cpu_pause();
    }
}
