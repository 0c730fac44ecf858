// SPDX-License-Identifier: MIT
//
// Code that runs on a stack made at run time: its calls, faults and handlers.
#include "keyhole.h"
#include "lib/types.h"
#include "mm/stack.h"

struct errand {
    char *top;
    uintptr_t here;
    unsigned depth, deepest;
    struct fault fault;
    bool done;
};

static __noinline void go_deep(struct errand *errand, unsigned depth)
{
    volatile char local[200];
    local[0] = (char)depth;
    errand->here = (uintptr_t)local;
    errand->deepest = depth;
    if (depth < errand->depth) {
        go_deep(errand, depth + 1);
    }
    (void)local[0];
}

static void run_errand(void *arg)
{
    struct errand *errand = arg;
    go_deep(errand, 1);
    errand->done = true;
}

TEST(stack, code_runs_on_it)
{
    struct errand errand = {.top = stack_create("errand", 4), .depth = 40};
    CHECK(errand.top != NULL);
    stack_call(run_errand, &errand, errand.top);
    CHECK(errand.done);
    CHECK_EQ(errand.deepest, 40);
    CHECK((uintptr_t)errand.top - errand.here < 4 * PAGE_SIZE);
    CHECK((uintptr_t)errand.top - errand.here > 40 * 200);
    stack_destroy(errand.top);
}

static void fault_there(void *arg)
{
    static volatile uintptr_t nowhere = 8;
    (void)arg;
    *(volatile char *)nowhere = 0;
}

static void protect_there(void *arg)
{
    struct errand *errand = arg;
    errand->done = !run_protected(fault_there, NULL, &errand->fault);
}

static void bracket_there(void *arg)
{
    struct errand *errand = arg;
    struct page *page = alloc_page(domain_ram);
    unsigned *p = kmap_local_page(page);
    *p = 42;
    cpu_call(cpu_id(), protect_there, errand); // an interrupt on this stack
    errand->done = errand->done && *p == 42;
    kunmap_local(p);
    free_page(page);
}

static void call_fault(void *arg)
{
    struct errand *errand = arg;
    stack_call(fault_there, NULL, errand->top);
}

TEST(stack, faults_and_handlers_on_it)
{
    struct errand errand = {.top = stack_create("errand", 4)};
    CHECK(errand.top != NULL);
    stack_call(protect_there, &errand, errand.top);
    CHECK(errand.done);
    CHECK_EQ(errand.fault.address, 8);
    errand.done = false;
    stack_call(bracket_there, &errand, errand.top);
    CHECK(errand.done);
    // Abandoned there, gone on here.
    CHECK(!run_protected(call_fault, &errand, &errand.fault));
    CHECK_EQ(errand.fault.address, 8);
    CHECK_EQ(errand.fault.kind, FAULT_NOT_PRESENT);
    stack_destroy(errand.top);
}
