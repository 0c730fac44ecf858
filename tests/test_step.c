// SPDX-License-Identifier: MIT
//
// step_through(), and with it: a handler, a call and an NMI at every
// instruction boundary of the calls that map, unmap and allocate.
#include "arch/cpu.h"
#include "arch/pks.h"
#include "kernel/remote.h"
#include "mm/bracket.h"
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

// -------------------------------------------- What happens at every boundary

static struct page *frames[2]; // of two domains
static struct page *handlers;

static uint32_t stepped_level;  // trap level of what is stepped
static struct remote_call late; // delivered when at_each returns
static unsigned late_calls;

static void at_each_bracket(void *unused)
{
    (void)unused;
    handler_uses_frame(handlers);
}

static void at_each_nmi(void *unused)
{
    (void)unused;
    cpu_nmi(cpu_id(), handler_uses_frame, handlers);
}

static void at_each_call(void *unused)
{
    (void)unused;
    cpu_call(cpu_id(), handler_uses_frame, handlers);
}

// The handler of one that came between two instructions of what is stepped.
static void late_handler(void *unused)
{
    (void)unused;
    HANDLER_CHECK(percpu.trap_level == stepped_level + 1);
    handler_uses_frame(handlers);
    late_calls++;
}

// Interrupts are off in a handler: this one comes with its IRETQ, or when the
// thread turns them on.
static void at_each_late_call(void *unused)
{
    (void)unused;
    if (remote_is_done(&late)) {
        remote_call_post(cpu_id(), &late);
    }
}

// NMIs stay blocked in what this NMI interrupts, until that returns.
static void keep_nmis_blocked(void *unused)
{
    (void)unused;
    percpu.nmi_level--;
}

// So this one comes with the IRETQ of #DB's handler: between two instructions
// of what is stepped.
static void at_each_late_nmi(void *unused)
{
    (void)unused;
    HANDLER_CHECK(remote_is_done(&late));
    cpu_nmi(cpu_id(), keep_nmis_blocked, NULL);
    HANDLER_CHECK(percpu.nmi_level == percpu.trap_level);
    remote_nmi_post(cpu_id(), &late);
    HANDLER_CHECK(!remote_is_done(&late));
}

// The last waits for interrupts to be on.
static void (*const at_each[])(void *) = {at_each_bracket, at_each_nmi,
                                          at_each_call, at_each_late_nmi,
                                          at_each_late_call};

// Step through fn with each of them. Whether all went well; *fewest is how many
// times at least a handler ran.
static bool step_with_each(void (*fn)(void *), unsigned *fewest)
{
    bool in_thread = percpu.trap_level == 0;
    stepped_level = percpu.trap_level;
    *fewest = UINT32_MAX;
    late = (struct remote_call){.fn = late_handler, .done = true};
    for (unsigned i = 0; i < ARRAY_SIZE(at_each) - !in_thread; i++) {
        uint32_t rights = pks_rights();
        unsigned depth = brackets_depth();
        handler_uses();
        step_through(fn, NULL, at_each[i], NULL);
        unsigned uses = handler_uses();
        *fewest = MIN(*fewest, uses);
        if (!handlers_passed() || !rights_are(rights) ||
            brackets_depth() != depth || !remote_is_done(&late) ||
            percpu.nmi_level != 0 || percpu.trap_level != stepped_level) {
            printf("# that was with handler %u, %u times\n", i, uses);
            return false;
        }
    }
    return true;
}

// ------------------------------------------------------------------- Brackets

static void write_in_bracket(void *unused)
{
    (void)unused;
    volatile unsigned *p = kmap_local_page(frames[0]);
    *p = 1;
    kunmap_local((const void *)p);
}

static void read_in_bracket(void *unused)
{
    (void)unused;
    const volatile unsigned *p = kmap_local_page_ro(frames[0]);
    (void)*p;
    kunmap_local((const void *)p);
}

static void nest_in_one_domain(void *unused)
{
    (void)unused;
    const volatile unsigned *p = kmap_local_page_ro(frames[0]);
    volatile unsigned *q = kmap_local_page(frames[0]);
    *q = 2;
    kunmap_local((const void *)q);
    (void)*p;
    kunmap_local((const void *)p);
}

static void nest_domains(void *unused)
{
    (void)unused;
    volatile unsigned *p = kmap_local_page(frames[0]);
    volatile unsigned *q = kmap_local_page(frames[1]);
    *q = 3;
    *p = 3;
    volatile unsigned *again = kmap_local_page(frames[1]);
    *again = 4;
    kunmap_local((const void *)again);
    kunmap_local((const void *)q);
    *p = 4;
    kunmap_local((const void *)p);
}

static void ranges(void *unused)
{
    (void)unused;
    volatile char *p = kmap_local_range(frames[0], 100, PAGE_SIZE);
    p[PAGE_SIZE - 1] = 5;
    const volatile char *r = kmap_local_range_ro(frames[0], 0, 2);
    (void)*r;
    kunmap_local((const void *)r);
    p[0] = 5;
    kunmap_local((const void *)p);
}

static void copies(void *unused)
{
    (void)unused;
    unsigned char bytes[24];
    memcpy_page(frames[1], 8, frames[0], 16, 24);
    memcpy_from_page(bytes, frames[1], 8, 24);
    memzero_page(frames[1], 0, 64);
}

static bool frames_get(void)
{
    struct domain *other = domain_create("stepped");
    if (other == NULL) {
        return false;
    }
    frames[0] = alloc_pages(domain_ram, 1);
    frames[1] = alloc_page(other);
    handlers = alloc_page(domain_ram);
    return frames[0] != NULL && frames[1] != NULL && handlers != NULL;
}

static void frames_put(void)
{
    struct domain *other = page_domain(frames[1]);
    free_pages(frames[0], 1);
    free_page(frames[1]);
    free_page(handlers);
    domain_destroy(other);
}

// Closed, with a bracket on the same domain open, and on another.
TEST(step, handlers_at_every_instruction_of_brackets)
{
    static void (*const stepped[])(void *) = {
        write_in_bracket, read_in_bracket, nest_in_one_domain,
        nest_domains,     ranges,          copies};
    CHECK(frames_get());
    for (unsigned i = 0; i < ARRAY_SIZE(stepped); i++) {
        unsigned fewest;
        late_calls = 0;
        CHECK(step_with_each(stepped[i], &fewest));
        CHECK(fewest > 40);
        CHECK(late_calls > 80);
        CHECK(rights_are(PKRS_CLOSED));
        for (unsigned outer = 0; i < 2 && outer < 2; outer++) {
            volatile unsigned *p = kmap_local_page(frames[outer]);
            CHECK(step_with_each(stepped[i], &fewest));
            *p = i;
            kunmap_local((const void *)p);
            CHECK(rights_are(PKRS_CLOSED));
        }
    }
    frames_put();
}

static void nest_domains_in_handler(void *passed)
{
    unsigned fewest;
    const void *p = kmap_local_page(frames[1]);
    bool good = step_with_each(write_in_bracket, &fewest);
    kunmap_local(p);
    *(bool *)passed = good && step_with_each(nest_domains, &fewest) &&
                      step_with_each(ranges, &fewest);
}

// Where the next handler's brackets begin right above this one's.
TEST(step, handlers_at_every_instruction_of_brackets_in_a_handler)
{
    bool passed = false;
    CHECK(frames_get());
    cpu_call(cpu_id(), nest_domains_in_handler, &passed);
    CHECK(passed);
    CHECK(rights_are(PKRS_CLOSED));
    frames_put();
}

// ------------------------------------------------------------------ Allocator

static void allocate(void *unused)
{
    (void)unused;
    free_page(alloc_page(domain_ram));
}

// Interrupts are off for most of it: a call waits, an NMI does not.
TEST(step, handlers_at_every_instruction_of_the_allocator)
{
    CHECK(frames_get());
    unsigned fewest;
    volatile unsigned *p = kmap_local_page(frames[1]);
    CHECK(step_with_each(allocate, &fewest));
    *p = 1;
    kunmap_local((const void *)p);
    CHECK(fewest > 0);
    CHECK(rights_are(PKRS_CLOSED));
    struct page *page = alloc_page(domain_ram);
    CHECK(page != NULL && page_domain(page) == domain_ram);
    free_page(page);
    frames_put();
}
