// SPDX-License-Identifier: MIT
//
// Handlers inside handlers, faults inside handlers, and handlers that do not
// come back.
#include "arch/cpu.h"
#include "arch/pks.h"
#include "kernel/guard.h"
#include "kernel/interrupt.h"
#include "kernel/remote.h"
#include "mm/bracket.h"
#include "mm/layout.h"
#include "tests/engines.h"
#include "tests/handlers.h"
#include "tests/irq_frames.h"

// --------------------------------------------------------------------- Probes

static void touch(void *address)
{
    *(volatile unsigned *)address = 1;
}

// In a handler, while the thread has irq_threads_address open for writing.
static void reach_for_threads_frame(void *unused)
{
    (void)unused;
    unsigned value;
    struct fault fault;
    void *at = (void *)irq_threads_address;
    if (!test_engine()->others_stay_out) {
        HANDLER_CHECK(probe_read(at, &value, 4, &fault) && value == 7);
        return;
    }
    HANDLER_CHECK(!probe_read(at, &value, 4, &fault));
    HANDLER_CHECK(is_refusal(&fault, ACCESS_READ, at, irq_threads));
    HANDLER_CHECK(!probe_write(at, &value, 4, &fault));
    HANDLER_CHECK(is_refusal(&fault, ACCESS_WRITE, at, irq_threads));
    HANDLER_CHECK(!run_protected(touch, at, &fault));
    HANDLER_CHECK(is_refusal(&fault, ACCESS_WRITE, at, irq_threads));
    HANDLER_CHECK(rights_are(PKRS_CLOSED));

    const void *own = kmap_local_page_ro(irq_threads);
    HANDLER_CHECK((own == at) == test_engine()->brackets_are_direct);
    HANDLER_CHECK(probe_read(own, &value, 4, &fault) && value == 7);
    HANDLER_CHECK(fault.kind == FAULT_NONE);
    HANDLER_CHECK(!probe_write((void *)own, &value, 4, &fault));
    kunmap_local(own);
    HANDLER_CHECK(!probe_read(own, &value, 4, NULL));
}

TEST(irq, probes_in_handlers)
{
    CHECK(irq_frames_get());
    unsigned *p = kmap_local_page(irq_threads);
    uint32_t rights = pks_rights();
    irq_threads_address = p;
    *p = 7;
    for (unsigned i = 0; i < IRQ_SENDERS; i++) {
        irq_senders[i](cpu_id(), reach_for_threads_frame, NULL);
        CHECK(handlers_passed());
        CHECK(rights_are(rights));
        CHECK_EQ(*(volatile unsigned *)p, 7);
    }
    kunmap_local(p);
    irq_frames_put();
}

// -------------------------------------------------------------------- Nesting

static void nmi_in_call_in_bracket(void *unused)
{
    (void)unused;
    reach_for_threads_frame(NULL);
    handler_uses_frame(
        irq_threads); // closed again: its slot is above no sentinel
}

static void call_in_bracket(void *unused)
{
    (void)unused;
    // Brackets that are closed again, for an NMI's sentinel to lie over.
    const void *first = kmap_local_page(irq_threads);
    const void *second = kmap_local_page(irq_handlers);
    const void *third = kmap_local_page(irq_handlers);
    kunmap_local(third);
    kunmap_local(second);
    kunmap_local(first);

    volatile unsigned *p = kmap_local_page(irq_handlers);
    uint32_t rights = pks_rights();
    cpu_nmi(cpu_id(), nmi_in_call_in_bracket, NULL);
    HANDLER_CHECK(rights_are(rights));
    HANDLER_CHECK(brackets_depth() == 1);
    *p = 9;
    HANDLER_CHECK(*p == 9);
    kunmap_local((const void *)p);
    HANDLER_CHECK(rights_are(PKRS_CLOSED));
}

TEST(irq, nmi_in_call_in_bracket)
{
    NEEDS_ACCOUNT();
    CHECK(irq_frames_get());
    volatile unsigned *p = kmap_local_page(irq_threads);
    uint32_t rights = pks_rights();
    irq_threads_address = (const void *)p;
    for (unsigned i = 0; i < 3; i++) {
        *p = 7;
        cpu_call(cpu_id(), call_in_bracket, NULL);
        CHECK(handlers_passed());
        CHECK(rights_are(rights));
        CHECK_EQ(brackets_depth(), 1);
        CHECK(*p != 7);
    }
    kunmap_local((const void *)p);
    CHECK_EQ(percpu.nmi_level, 0);
    irq_frames_put();
}

static void probe_closed(void *closed)
{
    char byte;
    struct fault fault;
    HANDLER_CHECK(!probe_read(closed, &byte, 1, &fault));
    HANDLER_CHECK(fault.address == (uintptr_t)closed);
}

// It may be the handler of a #PF that has not read CR2 yet which it interrupts.
TEST(irq, nmi_leaves_cr2)
{
    NEEDS_REFUSALS();
    CHECK(irq_frames_get());
    uintptr_t address = 0x123456789abc;
    void *closed = page_direct_map_address(irq_handlers);
    uint64_t flags = cpu_interrupts_off();
    cpu_write_cr2(address);
    cpu_nmi(cpu_id(), probe_closed, closed);
    uintptr_t left = cpu_read_cr2();
    cpu_interrupts_restore(flags);
    CHECK(handlers_passed());
    CHECK_EQ(left, address);
    irq_frames_put();
}

static struct remote_call second_nmi;
static volatile unsigned second_nmi_runs;

static void run_second_nmi(void *unused)
{
    (void)unused;
    HANDLER_CHECK(percpu.trap_level == 1); // not inside the first
    HANDLER_CHECK(percpu.nmi_level == 1);
    second_nmi_runs++;
}

// All ways back into an NMI's handler; none may let the next NMI in. The
// request runs behind this one, in the first NMI or in the second.
static void exceptions_in_nmi(void *closed)
{
    second_nmi.fn = run_second_nmi;
    second_nmi_runs = 0;
    remote_nmi_post(cpu_id(), &second_nmi);
    unsigned value = 1;
    struct fault fault;
    HANDLER_CHECK(!probe_read(closed, &value, 4, &fault));
    HANDLER_CHECK(!probe_write(closed, &value, 4, &fault));
    HANDLER_CHECK(!run_protected(touch, closed, &fault));
    HANDLER_CHECK(is_refusal(&fault, ACCESS_WRITE, closed, irq_threads));
    __asm__ volatile("int %0" : : "i"(VECTOR_CALL) : "memory");
    handler_uses_frame(irq_handlers);
    HANDLER_CHECK(percpu.nmi_level == 1 && percpu.trap_level == 1);
    HANDLER_CHECK(second_nmi_runs == 0);
}

TEST(irq, nmi_waits_for_nmi)
{
    NEEDS_REFUSALS();
    CHECK(irq_frames_get());
    uint64_t stray = remote_nmis_stray();
    for (unsigned i = 0; i < 3; i++) {
        cpu_nmi(cpu_id(), exceptions_in_nmi,
                page_direct_map_address(irq_threads));
        CHECK(handlers_passed());
        CHECK(remote_is_done(&second_nmi));
        CHECK_EQ(second_nmi_runs, 1);
        CHECK_EQ(percpu.nmi_level, 0);
    }
    CHECK_EQ(remote_nmis_stray(), stray);
    irq_frames_put();
}

// ------------------------------------------------------------------ Abandoned

static void leave_bracket_open(void *unused)
{
    (void)unused;
    kmap_local_page(irq_handlers);
}

static void fault_in_handler(void *unused)
{
    (void)unused;
    kmap_local_page(irq_handlers);
    *(volatile char *)irq_threads_address = 1;
}

struct sending {
    void (*send)(unsigned cpu, void (*fn)(void *), void *arg);
    void (*fn)(void *);
    bool interrupts_off;
};

static void send(void *arg)
{
    struct sending *sending = arg;
    printf("# a report that this test asks for:\n");
    if (sending->interrupts_off) {
        cpu_cli();
    }
    sending->send(cpu_id(), sending->fn, NULL);
}

// A handler that is abandoned leaves no interrupt in service, no NMI blocked
// and no bracket open. Its report is shown: this is the way of a failing test.
TEST(irq, abandoned_handlers)
{
    NEEDS_ACCOUNT();
    CHECK(irq_frames_get());
    struct domain *other = domain_create("other");
    CHECK(other != NULL);
    struct page *page = alloc_page(other);
    volatile unsigned *p = kmap_local_page(page);
    uint32_t rights = pks_rights();
    // Of another domain than the handler's; or nothing, where that is open.
    irq_threads_address = test_engine()->others_stay_out
                              ? (const void *)p
                              : (const void *)TEST_REGION_BASE;
    enum fault_kind refused = test_engine()->others_stay_out
                                  ? test_engine()->closed
                                  : FAULT_NOT_PRESENT;
    for (unsigned i = 0; i < 3 * IRQ_SENDERS; i++) {
        struct sending sending = {
            .send = irq_senders[i / 3],
            .fn = i % 3 ? fault_in_handler : leave_bracket_open,
            .interrupts_off = i % 3 == 2,
        };
        struct fault fault;
        CHECK(!run_reported(send, &sending, &fault));
        CHECK_EQ(fault.kind, i % 3 ? refused : FAULT_OTHER);
        CHECK(rights_are(rights));
        CHECK_EQ(brackets_depth(), 1);
        CHECK_EQ(percpu.trap_level, 0);
        CHECK_EQ(percpu.nmi_level, 0);
        CHECK_EQ(cpu_read_cr8(), 0);
        CHECK(cpu_read_flags() & RFLAGS_IF);
        *p = i;
        cpu_call(cpu_id(), handler_uses_frame, irq_handlers);
        cpu_nmi(cpu_id(), handler_uses_frame, irq_handlers);
        CHECK(handlers_passed());
    }
    kunmap_local((const void *)p);
    free_page(page);
    CHECK_EQ(domain_destroy(other), 0);
    irq_frames_put();
}

TEST(irq, open_bracket_in_handler_names_its_map)
{
    NEEDS_ACCOUNT();
    CHECK(irq_frames_get());
    for (unsigned i = 0; i < IRQ_SENDERS; i++) {
        struct sending sending = {.send = irq_senders[i],
                                  .fn = leave_bracket_open};
        struct fault fault;
        CHECK(!run_reported(send, &sending, &fault));
        uintptr_t offset = fault.ip - (uintptr_t)leave_bracket_open;
        CHECK(offset != 0 && offset < 64);
    }
    irq_frames_put();
}
