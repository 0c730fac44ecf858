// SPDX-License-Identifier: MIT
//
// What the kernel says without being asked. Every layer may; the kernel layer
// supplies it.
#pragma once

#include "lib/types.h"

// The numbers of Linux's loglevel. LOG_ERROR: something is broken. LOG_WARN: it
// goes on with less than it could have. LOG_INFO: what a user wants to see
// once. LOG_DEBUG: what helps to find out why a machine is not what it should
// be.
enum log_level {
    LOG_ERROR = 3,
    LOG_WARN = 4,
    LOG_INFO = 6,
    LOG_DEBUG = 7,
};

// Whether messages of this level are shown, by the boot word loglevel=.
bool log_shows(enum log_level level);

// Print a line, "keyhole: " and this, if its level is shown. The format has no
// newline. In any context in which printf() may be called.
void log_line(enum log_level level, const char *format, ...) __printf(2, 3);
