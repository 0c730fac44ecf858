// SPDX-License-Identifier: MIT
//
// A place to come back to that has its catch reported.
#include "kernel/guard.h"

bool run_reported(void (*fn)(void *arg), void *arg, struct fault *fault)
{
    struct catch_frame frame;
    if (catch_enter(&frame) == 0) {
        frame.report = true;
        fn(arg);
        catch_leave(&frame);
    }
    if (fault != NULL) {
        *fault = frame.fault;
    }
    return frame.fault.kind == FAULT_NONE;
}
