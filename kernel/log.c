// SPDX-License-Identifier: MIT
//
// Messages that depend on the boot word loglevel=.
#include "lib/log.h"

#include "kernel/config.h"
#include "kernel/console.h"

bool log_shows(enum log_level level)
{
    return (int)level <= config.loglevel;
}

void log_line(enum log_level level, const char *format, ...)
{
    if (!log_shows(level)) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    uint64_t flags = console_begin();
    printf("keyhole: ");
    console_vprintf(format, arguments);
    printf("\n");
    console_end(flags);
    va_end(arguments);
}
