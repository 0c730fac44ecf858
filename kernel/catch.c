// SPDX-License-Identifier: MIT
//
// The chain of places to come back to, and probes, which are the cheap form.
#include "kernel/catch.h"

#include "arch/asm.h"
#include "arch/cpu.h"
#include "arch/percpu.h"
#include "arch/pks.h"
#include "arch/tlb.h"
#include "kernel/console.h"
#include "kernel/lock_check.h"
#include "kernel/pass.h"
#include "kernel/sched.h"
#include "lib/panic.h"
#include "mm/bracket.h"
#include "mm/lock.h"

_Static_assert(offsetof(struct catch_frame, rip) == CATCH_RIP, "asm.h");
_Static_assert(offsetof(struct catch_frame, rflags) == CATCH_RFLAGS, "asm.h");

_Static_assert(sizeof(struct fault) == FAULT_SIZE, "asm.h");

__noreturn void catch_resume(const struct catch_frame *frame);
__noreturn void catch_resume_in_nmi(const struct catch_frame *frame);
bool probe_passed(struct fault *fault);

void catch_push(struct catch_frame *frame)
{
    frame->outer = percpu.catches;
    frame->rights = pks_rights();
    frame->bracket_top = percpu.bracket_top;
    frame->step = percpu.step;
    frame->priority = cpu_read_cr8();
    frame->handler_level = percpu.trap_level;
    frame->report = false;
    frame->handlers_too = false;
    frame->misuse = false;
    frame->locks = (uint8_t)lock_check_count();
    frame->fault = (struct fault){.kind = FAULT_NONE, .pkey = -1};
    percpu.catches = frame;
}

void catch_leave(struct catch_frame *frame)
{
    // Frames inside it whose function returned early go with it.
    percpu.catches = frame->outer;
}

struct catch_frame *catch_find(uint32_t level)
{
    struct catch_frame *frame = percpu.catches;
    while (frame != NULL && frame->handler_level != level && !frame->report &&
           !frame->handlers_too) {
        frame = frame->outer;
    }
    return frame;
}

void catch_throw(struct catch_frame *frame)
{
    if (mm_lock_held()) {
        panic("abandoned inside the memory manager, which is now locked for "
              "good (report above)");
    }
    if (tlb_is_asking()) {
        panic("abandoned between asking other CPUs and their answer (report "
              "above)");
    }
    if (sched_lock_held()) {
        panic("abandoned between two threads (report above)");
    }
    cpu_cli(); // nothing moves to another CPU half-way; flags come back last
    pass_abandon(frame->handler_level);
    if (percpu.callback_level > frame->handler_level) {
        percpu.callback_level = 0; // it is abandoned
    }
    console_abandon();
    lock_check_abandon(frame->locks);
    percpu.catches = frame->outer;
    percpu.step = frame->step;
    percpu.trap_level = frame->handler_level;
    brackets_abandon(frame->bracket_top, frame->rights);
    // The thread may have come from another CPU since.
    percpu.handler_next =
        percpu.handler_first + frame->handler_level * BRACKET_LEVEL_SLOTS;
    if (cpu_read_cr8() != frame->priority) {
        cpu_write_cr8(frame->priority);
    }
    if (percpu.nmi_level > frame->handler_level) {
        percpu.nmi_level = 0; // the NMI's handler is abandoned: unblock
    }
    if (percpu.nmi_level != 0) {
        catch_resume_in_nmi(frame);
    }
    catch_resume(frame);
}

bool run_protected(void (*fn)(void *), void *arg, struct fault *fault)
{
    struct catch_frame frame;
    if (catch_enter(&frame) == 0) {
        fn(arg);
        catch_leave(&frame);
    }
    if (fault != NULL) {
        *fault = frame.fault;
    }
    return frame.fault.kind == FAULT_NONE;
}

// The end of a probe that was not refused, and wants to be told.
bool probe_passed(struct fault *fault)
{
    *fault = (struct fault){.kind = FAULT_NONE, .pkey = -1, .cpu = percpu.cpu};
    return true;
}
