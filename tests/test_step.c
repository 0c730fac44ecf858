// SPDX-License-Identifier: MIT
//
// step_through() itself. What it is for is in test_step_maps.c.
#include "arch/cpu.h"
#include "arch/pks.h"
#include "kernel/misuse.h"
#include "tests/handlers.h"

// ------------------------------------------------------------ What is stepped

static unsigned steps;

static void count_step(void *unused)
{
    (void)unused;
    HANDLER_CHECK(rights_are(PKRS_CLOSED));
    HANDLER_CHECK(percpu.trap_level == 1);
    HANDLER_CHECK(!(cpu_read_flags() & RFLAGS_TF));
    steps++;
}

TEST(step, every_instruction_once)
{
    steps = 0;
    step_through(stub_five, NULL, count_step, NULL);
    CHECK_EQ(steps, 5);
    CHECK(percpu.step == NULL);
    CHECK(!(cpu_read_flags() & RFLAGS_TF));
    CHECK(cpu_read_flags() & RFLAGS_IF);
    CHECK(handlers_passed());
}

// INT itself ends in its handler, not in a #DB.
TEST(step, handlers_are_not_stepped)
{
    steps = 0;
    step_through(stub_interrupted, NULL, count_step, NULL);
    CHECK_EQ(steps, 3);
    CHECK(handlers_passed());
}

// A #DB that no step_through() asked for, behind the NOP.
static void debug_trap(void *unused)
{
    (void)unused;
    __asm__ volatile("pushfq; orl %0, (%%rsp); popfq; nop"
                     :
                     : "i"((uint32_t)RFLAGS_TF)
                     : "cc", "memory");
}

static void trap_in_handler(void *unused)
{
    (void)unused;
    struct fault fault;
    if (steps++ == 2) {
        HANDLER_CHECK(!run_protected(debug_trap, NULL, &fault));
        HANDLER_CHECK(fault.kind == FAULT_OTHER);
    }
}

// In a handler it is not one of fn's.
TEST(step, other_traps_are_not_steps)
{
    steps = 0;
    step_through(stub_five, NULL, trap_in_handler, NULL);
    CHECK_EQ(steps, 5);
    CHECK(handlers_passed());
}

static void step_five(void *unused)
{
    (void)unused;
    step_through(stub_five, NULL, count_step, NULL);
}

static unsigned outer_steps;

static void count_outer_step(void *unused)
{
    (void)unused;
    outer_steps++;
}

TEST(step, nests)
{
    steps = outer_steps = 0;
    step_through(step_five, NULL, count_outer_step, NULL);
    CHECK_EQ(steps, 5);
    CHECK(outer_steps > 10);
    CHECK(!(cpu_read_flags() & RFLAGS_TF));
    CHECK(handlers_passed());
}

static void count_in_handler(void *unused)
{
    (void)unused;
    HANDLER_CHECK(percpu.trap_level == 2);
    steps++;
}

static void step_five_in_handler(void *unused)
{
    (void)unused;
    step_through(stub_five, NULL, count_in_handler, NULL);
}

TEST(step, in_handlers)
{
    steps = 0;
    cpu_call(cpu_id(), step_five_in_handler, NULL);
    CHECK_EQ(steps, 5);
    step_through(stub_five, NULL, step_five_in_handler, NULL);
    CHECK_EQ(steps, 30);
    CHECK(handlers_passed());
}

static void step_five_protected(void *fault)
{
    HANDLER_CHECK(!run_protected(step_five, NULL, fault));
}

TEST(step, not_in_nmi)
{
    struct fault fault = {.kind = FAULT_NONE};
    cpu_nmi(cpu_id(), step_five_protected, &fault);
    CHECK_EQ(fault.kind, FAULT_OTHER);
    CHECK(handlers_passed());
    const char *what = misuse_last()->what;
    CHECK(what != NULL);
    CHECK_EQ(strcmp(what, "step_through in the handler of an NMI"), 0);
}

static void fault_at_once(void *address)
{
    *(volatile char *)address = 0;
}

static void step_into_fault(void *address)
{
    step_through(fault_at_once, address, count_outer_step, NULL);
}

static void catch_fault(void *address)
{
    run_protected(fault_at_once, address, NULL);
}

TEST(step, through_faults)
{
    // What was being stepped is abandoned.
    char *unmapped = (char *)8;
    struct fault fault;
    CHECK(!run_protected(step_into_fault, unmapped, &fault));
    CHECK_EQ(fault.address, 8);
    CHECK(percpu.step == NULL);
    CHECK(!(cpu_read_flags() & RFLAGS_TF));
    steps = 0;
    step_through(stub_five, NULL, count_step, NULL);
    CHECK_EQ(steps, 5);

    // What is being stepped goes on.
    outer_steps = 0;
    step_through(catch_fault, unmapped, count_outer_step, NULL);
    CHECK(outer_steps > 20);
    CHECK(handlers_passed());
}
