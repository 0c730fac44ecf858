// SPDX-License-Identifier: MIT
//
// A handler, a call and an NMI at every instruction boundary of a function.
#include "tests/step_each.h"

#include "arch/cpu.h"
#include "arch/pks.h"
#include "kernel/remote.h"
#include "lib/types.h"
#include "mm/bracket.h"
#include "tests/framework.h"
#include "tests/handlers.h"

struct page *step_frame;

static uint32_t stepped_level;  // trap level of what is stepped
static struct remote_call late; // delivered when at_each returns
static unsigned late_calls;
static bool rights_of_brackets; // what step_with_each_sound() adds

static void at_each_bracket(void *unused)
{
    (void)unused;
    handler_uses_frame(step_frame);
}

static void at_each_nmi(void *unused)
{
    (void)unused;
    cpu_nmi(cpu_id(), handler_uses_frame, step_frame);
}

static void at_each_call(void *unused)
{
    (void)unused;
    cpu_call(cpu_id(), handler_uses_frame, step_frame);
}

// The handler of one that came between two instructions of what is stepped.
static void late_handler(void *unused)
{
    (void)unused;
    HANDLER_CHECK(percpu.trap_level == stepped_level + 1);
    handler_uses_frame(step_frame);
    late_calls++;
}

static void late_nmi_handler(void *unused)
{
    HANDLER_CHECK(!rights_of_brackets ||
                  interrupted_rights_are_sound(trap_of_nmi()));
    late_handler(unused);
}

// Interrupts are off in a handler: this one comes with its IRETQ, or when the
// thread turns them on.
static void at_each_late_call(void *unused)
{
    (void)unused;
    if (remote_is_done(&late)) {
        late.fn = late_handler;
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
    late.fn = late_nmi_handler;
    remote_nmi_post(cpu_id(), &late);
    HANDLER_CHECK(!remote_is_done(&late));
}

// The last waits for interrupts to be on.
static void (*const at_each[])(void *) = {at_each_bracket, at_each_nmi,
                                          at_each_call, at_each_late_nmi,
                                          at_each_late_call};

static unsigned step_number;

static void at_each_taken(void *number)
{
    if (test_takes(step_number++)) {
        at_each[*(unsigned *)number](NULL);
    }
}

bool step_with_each(void (*fn)(void *), unsigned *fewest)
{
    bool in_thread = percpu.trap_level == 0;
    stepped_level = percpu.trap_level;
    *fewest = UINT32_MAX;
    late = (struct remote_call){.done = true};
    for (unsigned i = 0; i < ARRAY_SIZE(at_each) - !in_thread; i++) {
        uint32_t rights = pks_rights();
        unsigned depth = brackets_depth();
        handler_uses();
        step_through(fn, NULL, at_each_taken, &i);
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

bool step_with_each_sound(void (*fn)(void *), unsigned *fewest)
{
    rights_of_brackets = true;
    bool sound = step_with_each(fn, fewest);
    rights_of_brackets = false;
    return sound;
}

unsigned step_late_calls(void)
{
    unsigned calls = late_calls;
    late_calls = 0;
    return calls;
}
