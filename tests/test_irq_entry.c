// SPDX-License-Identifier: MIT
//
// The first and last instructions of a trap: what they save, what they cost,
// and an NMI between any two of them.
#include "arch/cpu.h"
#include "arch/pks.h"
#include "kernel/guard.h"
#include "kernel/remote.h"
#include "mm/bracket.h"
#include "mm/domain.h"
#include "mm/engine.h"
#include "mm/layout.h"
#include "tests/breakpoint.h"
#include "tests/engines.h"
#include "tests/handlers.h"

#define RFLAGS_DF BIT(10) // SDM 1, 3.4.3

static struct page *page;

// ------------------------------------------------------------- Saved, restored

// The CPU runs a call that was posted with interrupts off when a test executes
// INT itself.
static bool interrupt_keeps_registers(void)
{
    uint64_t flags = 0;
    struct remote_call call = {.fn = stub_clobber, .arg = &flags};
    uint64_t before = cpu_interrupts_off();
    remote_call_post(cpu_id(), &call);
    bool kept = stub_interrupt_keeps_registers();
    cpu_interrupts_restore(before);
    return kept && remote_is_done(&call) && flags != 0 && !(flags & RFLAGS_DF);
}

static void keep_in_nmi(void *unused)
{
    (void)unused;
    HANDLER_CHECK(interrupt_keeps_registers());
    HANDLER_CHECK(percpu.nmi_level == percpu.trap_level);
}

TEST(irq, registers_and_flags_survive)
{
    CHECK(interrupt_keeps_registers());
    cpu_nmi(cpu_id(), keep_in_nmi, NULL);
    CHECK(handlers_passed());
}

static void open_and_throw(void *unused)
{
    (void)unused;
    pks_set_rights(PKRS_CLOSED & ~PKRS_AD(page_domain(page)->key));
    kunmap_local(NULL);
}

static void leave_word_open(void *unused)
{
    (void)unused;
    percpu.bracket_top[-1].rights &= ~PKRS_AD(page_domain(page)->key);
}

// A handler that is abandoned while it has more than nothing, without a
// bracket, or leaves its sentinel with more: the next one at its level starts
// as closed as any.
TEST(irq, handlers_inherit_nothing)
{
    page = alloc_page(domain_ram);
    CHECK(page != NULL);
    CHECK_MISUSE(cpu_call(cpu_id(), open_and_throw, NULL));
    cpu_call(cpu_id(), handler_uses_frame, page);
    CHECK(handlers_passed());
    CHECK_MISUSE(cpu_nmi(cpu_id(), open_and_throw, NULL));
    cpu_nmi(cpu_id(), handler_uses_frame, page);
    CHECK(handlers_passed());
    cpu_call(cpu_id(), leave_word_open, NULL);
    cpu_call(cpu_id(), handler_uses_frame, page);
    CHECK(handlers_passed());
    CHECK(rights_are(PKRS_CLOSED));
    free_page(page);
}

static bool caught_by_the_thread;

static void fault_in_handler(void *unused)
{
    (void)unused;
    *(volatile char *)TEST_REGION_BASE = 1;
}

static void call_faulting_handler(void *unused)
{
    (void)unused;
    cpu_call(cpu_id(), fault_in_handler, NULL);
}

static void call_protected(void *unused)
{
    (void)unused;
    printf("# a report that this test asks for:\n");
    (void)run_protected(call_faulting_handler, NULL, NULL);
    caught_by_the_thread = true;
}

// run_protected() is for what its function does, not for who interrupts it.
TEST(irq, a_handlers_fault_is_not_the_threads)
{
    struct fault fault;
    caught_by_the_thread = false;
    CHECK(!run_reported(call_protected, NULL, &fault));
    CHECK_EQ(fault.kind, FAULT_NOT_PRESENT);
    CHECK(!caught_by_the_thread);
    CHECK_EQ(percpu.trap_level, 0);
}

// ------------------------------------------------------------------------ Cost

// Writes of IA32_PKRS, or, where windows are hidden, of page-table entries: as
// many, and one flush.
static bool interrupt_costs(bool in_bracket)
{
    struct map_stats before, after;
    uint64_t want = in_bracket && test_engine()->others_stay_out ? 2 : 0;
    bool pks = protect_engine() == PROTECT_PKS;
    map_stats_read(&before);
    stub_call_interrupt(NULL);
    map_stats_read(&after);
    uint64_t pkrs = after.pkrs_writes - before.pkrs_writes,
             pte = after.pte_writes - before.pte_writes,
             flushes = after.full_flushes - before.full_flushes;
    bool right = pkrs == (pks ? want : 0) && pte == (pks ? 0 : want) &&
                 flushes == (pks ? 0 : want / 2);
    if (!right) {
        printf("# %llu writes of IA32_PKRS, %llu of entries, %llu flushes\n",
               (unsigned long long)pkrs, (unsigned long long)pte,
               (unsigned long long)flushes);
    }
    return right;
}

TEST(irq, entry_and_exit_write_what_they_must)
{
    page = alloc_page(domain_ram);
    CHECK(page != NULL);
    CHECK(interrupt_costs(false));
    volatile char *p = kmap_local_page(page);
    CHECK(interrupt_costs(true));
    *p = 1;
    kunmap_local((const void *)p);
    CHECK(interrupt_costs(false));
    free_page(page);
}

// ------------------------------------------------------- NMIs inside the entry

#define ENTRY_BYTES 384 // more than entry and exit have

static struct remote_call nmi;
static unsigned hits;

// Has brackets of its own, and walks the chain of all.
static void nmi_handler(void *unused)
{
    (void)unused;
    struct map_stats stats;
    handler_uses_frame(page);
    const void *p = kmap_local_page_ro(page);
    map_stats_read(&stats);
    kunmap_local(p);
}

static void send_nmi(void)
{
    hits++;
    remote_nmi_post(cpu_id(), &nmi);
    for (unsigned i = 0; !remote_is_done(&nmi) && i < 1000000; i++) {
        cpu_pause();
    }
    HANDLER_CHECK(remote_is_done(&nmi));
}

// An interrupt with a breakpoint, and an NMI, at each of its instructions.
static bool entry_with_nmis(unsigned *count)
{
    uint32_t rights = pks_rights();
    unsigned depth = brackets_depth();
    struct bracket *next = percpu.handler_next;
    hits = 0;
    for (unsigned i = 0; i < ENTRY_BYTES; i++) {
        breakpoint_set((uintptr_t)engine->trap_entry + i);
        stub_call_interrupt(NULL);
        breakpoint_clear();
        if (!handlers_passed() || !rights_are(rights) ||
            brackets_depth() != depth || percpu.handler_next != next ||
            percpu.trap_level != 0 || percpu.nmi_level != 0) {
            printf("# that was %u bytes into the entry\n", i);
            return false;
        }
    }
    *count = hits;
    return true;
}

TEST(irq, nmi_at_every_instruction_of_entry_and_exit)
{
    unsigned closed = 0, open = 0;
    page = alloc_page(domain_ram);
    CHECK(page != NULL);
    nmi = (struct remote_call){.fn = nmi_handler};
    breakpoints_begin(send_nmi);
    bool good = entry_with_nmis(&closed);
    volatile char *p = kmap_local_page(page);
    good = good && entry_with_nmis(&open);
    *p = 1;
    kunmap_local((const void *)p);
    breakpoints_end();
    CHECK(good);
    CHECK(closed > (protect_engine() == PROTECT_PKS ? 50 : 40));
    // The two writes of the register, or of what there is instead.
    CHECK(test_engine()->others_stay_out ? open > closed : open == closed);
    CHECK(rights_are(PKRS_CLOSED));
    free_page(page);
}
