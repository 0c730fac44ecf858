// SPDX-License-Identifier: MIT
//
// From a machine that is up to a result.
#include "kernel/run.h"

#include "arch/power.h"
#include "kernel/config.h"
#include "kernel/fault.h"
#include "kernel/profile_print.h"
#include "kernel/shell.h"
#include "kernel/trace_print.h"
#include "kernel/watchdog.h"
#include "lib/log.h"

#define PROFILE_SHOWN 20

extern const char app_name[]; // made by the build; "" without an application
__weak int app_main(int argc, char **argv);

static uint64_t watchdog_seconds(void)
{
    if (config.watchdog_given) {
        return config.watchdog;
    }
    return config.test ? WATCHDOG_TESTS_S + WATCHDOG_TESTS_CPU_S * cpus_online()
                       : 0;
}

void run(void)
{
    bool passed = true;
    watchdog_start(watchdog_seconds());
    static char *argv[ARRAY_SIZE(config.argv)];
    if (config.test || config.bench) {
        if (config.test) {
            passed = tests_run(config.test_globs);
        }
        if (config.bench) {
            passed = benches_run(config.bench_globs) && passed;
        }
    } else if (app_main != NULL) {
        // The program may write to its arguments; the boot words are constant.
        static char words[sizeof(config.line)];
        memcpy(words, config.line, sizeof(words));
        for (int i = 1; i < config.argc; i++) {
            argv[i] = words + (config.argv[i] - config.line);
        }
        argv[0] = (char *)app_name;
        passed = app_main(config.argc, argv) == 0;
    } else {
        fault_report_for_programs(false);
        if (log_shows(LOG_INFO)) {
            demo_run();
        }
        passed = shell_run() == 0;
    }
    if (config.trace == TRACE_DUMP) {
        trace_dump();
    } else if (config.trace == TRACE_TOP) {
        profile_print(PROFILE_SHOWN);
    }
    power_exit(passed ? EXIT_PASSED : EXIT_FAILED);
}
