// SPDX-License-Identifier: MIT
//
// step_through(): RFLAGS.TF is set around the call of fn, and the trap handler
// sorts out which #DB is for whom. The CPU clears TF when it delivers a trap
// and the return puts it back, so handlers run at full speed.
#include "kernel/step.h"

#include "arch/percpu.h"
#include "arch/regs.h"
#include "mm/misuse.h"

struct step {
    void (*fn)(void *arg);
    void (*at_each)(void *at_arg);
    void *at_arg;
    struct step *outer;
    uint32_t level; // trap level of fn
    bool inside;    // fn has begun
};

void step_call(void (*fn)(void *arg), void *arg);
extern const char step_call_end[];

bool step_handle(struct trap_frame *trap)
{
    struct step *step = percpu.step;
    if (step == NULL || step->level != percpu.trap_level - 1) {
        return false;
    }
    if (!step->inside) {
        step->inside = trap->rip == (uintptr_t)step->fn;
        return true; // an instruction on the way to fn, not of it
    }
    if (trap->rip == (uintptr_t)step_call_end) {
        percpu.step = step->outer;
        trap->rflags &= ~RFLAGS_TF;
    }
    step->at_each(step->at_arg);
    return true;
}

// POPFQ and RET, by which a trap returns into an NMI's handler, would take #DB
// between the two, for ever.
void step_through(void (*fn)(void *arg), void *arg,
                  void (*at_each)(void *at_arg), void *at_arg)
{
    struct step step = {
        .fn = fn,
        .at_each = at_each,
        .at_arg = at_arg,
        .outer = percpu.step,
        .level = percpu.trap_level,
    };
    if (percpu.nmi_level != 0) {
        misuse_report(&(struct misuse){
            .what = "step_through in the handler of an NMI",
            .site = {{"this call", CALL_SITE()}},
        });
    }
    percpu.step = &step;
    step_call(fn, arg);
}
