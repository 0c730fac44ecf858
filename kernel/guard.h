// SPDX-License-Identifier: MIT
//
// Running what may fault, with the report shown: for code that people watch.
#pragma once

#include "keyhole.h"
#include "lib/types.h"

// As run_protected(), but what stopped fn is printed: a fault report, or a
// misuse report. True: fn returned. False: it was abandoned and its brackets
// are closed; *fault (may be NULL) says what happened. Thread context.
bool run_reported(void (*fn)(void *arg), void *arg, struct fault *fault);
