// SPDX-License-Identifier: MIT
//
// Interrupts and NMIs: a handler starts with every key closed, brackets for
// itself, and leaves the rights of what it interrupted as they were.
#include "arch/cpu.h"
#include "arch/pks.h"
#include "kernel/misuse.h"
#include "kernel/timer.h"
#include "mm/bracket.h"
#include "tests/engines.h"
#include "tests/handlers.h"
#include "tests/irq_frames.h"

// ----------------------------------------------------------------- Being sent

static void note_level(void *level)
{
    *(unsigned *)level = percpu.trap_level;
}

TEST(irq, call_and_nmi_reach_this_cpu)
{
    for (unsigned i = 0; i < IRQ_SENDERS; i++) {
        unsigned level = 0;
        for (unsigned times = 0; times < 3; times++) {
            level = 0;
            irq_senders[i](cpu_id(), note_level, &level);
            CHECK_EQ(level, 1);
        }
        CHECK_EQ(percpu.trap_level, 0);
        CHECK_EQ(percpu.handler_next, percpu.handler_first); // all slots free
    }
    CHECK_EQ(percpu.nmi_level, 0);
}

static void nested_call(void *level)
{
    cpu_call(cpu_id(), note_level, level);
    HANDLER_CHECK(!(cpu_read_flags() & RFLAGS_IF));
}

TEST(irq, call_in_a_handler)
{
    unsigned level = 0;
    cpu_call(cpu_id(), nested_call, &level);
    CHECK_EQ(level, 2);
    CHECK(handlers_passed());
}

static volatile unsigned ticks;

static void tick(void)
{
    ticks++;
}

TEST(irq, call_with_interrupts_off)
{
    unsigned level = 0;
    CHECK_EQ(timer_start(100, tick), 0);
    cpu_cli();
    ticks = 0;
    uint64_t start = cpu_read_tsc();
    while (cpu_read_tsc() - start < 1000000) {
        cpu_pause(); // the timer's interrupt waits by now
    }
    cpu_call(cpu_id(), note_level, &level);
    bool still_off = !(cpu_read_flags() & RFLAGS_IF);
    unsigned ticks_before = ticks;
    cpu_sti();
    for (unsigned i = 0; ticks == 0 && i < 10000000; i++) {
        cpu_pause();
    }
    timer_stop();
    CHECK_EQ(level, 1);
    CHECK(still_off);
    CHECK_EQ(ticks_before, 0);
    CHECK(ticks != 0);
}

static void wait_in_nmi(void *unused)
{
    (void)unused;
    unsigned level = 0;
    cpu_nmi(cpu_id(), note_level, &level);
}

static void protected_wait(void *fault)
{
    HANDLER_CHECK(!run_protected(wait_in_nmi, NULL, fault));
}

TEST(irq, misuse_of_calls)
{
    unsigned level = 0;
    CHECK_MISUSE(cpu_call(cpus_online(), note_level, &level));
    CHECK_MISUSE(cpu_nmi(cpus_online(), note_level, &level));
    struct fault fault;
    cpu_nmi(cpu_id(), protected_wait, &fault);
    CHECK(handlers_passed());
    CHECK_EQ(fault.kind, FAULT_OTHER);
    CHECK_EQ(level, 0);
}

// --------------------------------------------------------------------- Rights

TEST(irq, handler_starts_closed_and_brackets)
{
    CHECK(irq_frames_get());
    for (unsigned i = 0; i < IRQ_SENDERS; i++) {
        handler_uses();
        irq_senders[i](cpu_id(), handler_uses_frame, irq_handlers);
        CHECK(rights_are(PKRS_CLOSED));

        volatile unsigned *p = kmap_local_page(irq_threads);
        uint32_t rights = pks_rights();
        irq_senders[i](cpu_id(), handler_uses_frame, irq_handlers);
        irq_senders[i](cpu_id(), handler_uses_frame, irq_threads);
        CHECK(rights_are(rights));
        CHECK_EQ(*p, 3);
        *p = 0;
        kunmap_local((const void *)p);

        const volatile unsigned *r = kmap_local_page_ro(irq_threads);
        rights = pks_rights();
        irq_senders[i](cpu_id(), handler_uses_frame, irq_handlers);
        CHECK(rights_are(rights));
        CHECK_EQ(*r, 0);
        CHECK_REFUSED(ACCESS_WRITE, *(volatile unsigned *)r = 0);
        kunmap_local((const void *)r);
        CHECK_EQ(handler_uses(), 4);
    }
    CHECK(handlers_passed());
    irq_frames_put();
}

static void unmap(void *address)
{
    kunmap_local(address);
}

static void unmap_threads_bracket(void *map_site)
{
    struct fault fault;
    HANDLER_CHECK(!run_protected(unmap, (void *)irq_threads_address, &fault));
    HANDLER_CHECK(fault.kind == FAULT_OTHER);
    HANDLER_CHECK(misuse_last()->address == irq_threads_address);
    *(uintptr_t *)map_site = misuse_last()->site[1].ip;

    // Nor with a bracket of its own open.
    const void *own = kmap_local_page(irq_handlers);
    HANDLER_CHECK(!run_protected(unmap, (void *)irq_threads_address, &fault));
    kunmap_local(own);
}

TEST(irq, handler_cannot_unmap_the_threads_bracket)
{
    NEEDS_ACCOUNT();
    CHECK(irq_frames_get());
    volatile unsigned *p = kmap_local_page(irq_threads);
    uintptr_t map_site = site_unpack(bracket_innermost()->map_site);
    irq_threads_address = (const void *)p;
    for (unsigned i = 0; i < IRQ_SENDERS; i++) {
        uintptr_t found = 0;
        irq_senders[i](cpu_id(), unmap_threads_bracket, &found);
        CHECK(handlers_passed());
        CHECK_EQ(found, map_site);
        *p = 1;
    }
    kunmap_local((const void *)p);
    irq_frames_put();
}

// ---------------------------------------------------------------------- Timer

static void tick_with_bracket(void)
{
    handler_uses_frame(irq_handlers);
    ticks++;
}

TEST(irq, timer_in_brackets)
{
    CHECK(irq_frames_get());
    handler_uses();
    ticks = 0;
    CHECK_EQ(timer_start(200, tick_with_bracket), 0);
    unsigned rounds = 0;
    for (; (rounds < 200 || ticks < 20) && rounds < 1000000; rounds++) {
        volatile unsigned *p = kmap_local_page(irq_threads);
        *p = rounds;
        volatile unsigned *q = kmap_local_page(irq_threads);
        *q += 1;
        kunmap_local((const void *)q);
        CHECK_EQ(*p, rounds + 1);
        kunmap_local((const void *)p);
        CHECK(rights_are(PKRS_CLOSED));
    }
    timer_stop();
    CHECK(handlers_passed());
    CHECK(ticks >= 20);
    CHECK_EQ(handler_uses(), ticks);

    unsigned stopped_at = ticks;
    uint64_t start = cpu_read_tsc();
    while (cpu_read_tsc() - start < 1000000) {
        cpu_pause();
    }
    CHECK_EQ(ticks, stopped_at);
    irq_frames_put();
}

TEST(irq, timer_refuses_periods)
{
    CHECK_EQ(timer_start(0, tick), -EINVAL);
    CHECK_EQ(timer_start(UINT64_MAX, tick), -EINVAL);
}
