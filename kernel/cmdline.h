// SPDX-License-Identifier: MIT
//
// The boot command line as a struct. Pure: tells what was asked for, does
// nothing about it. Runs on the host too.
#pragma once

#include "arch/apic.h"
#include "keyhole.h"
#include "lib/boot_info.h"
#include "lib/log.h"
#include "lib/types.h"

#define CMDLINE_ARGS_MAX 32
#define CMDLINE_ERROR_MAX 128

#define CMDLINE_PROTECT_AUTO (-1)
#ifdef KEYHOLE_DEBUG
#define CMDLINE_TRACE_DEFAULT TRACE_ON
#else
#define CMDLINE_TRACE_DEFAULT TRACE_OFF
#endif
#define CMDLINE_WATCHDOG_MAX 86400

// The history of brackets: off, kept, or kept and printed at the end of the
// run, all of it, or as a profile.
enum trace_mode { TRACE_OFF, TRACE_ON, TRACE_DUMP, TRACE_TOP };

struct cmdline {
    int protect;             // enum protect_engine, or CMDLINE_PROTECT_AUTO
    bool fault_relaxed;      // fault=relaxed
    bool test;               // run tests, then exit
    bool bench;              // run benchmarks, then exit
    const char *test_globs;  // comma list; NULL: all tests
    const char *bench_globs; // comma list; NULL: all benchmarks
    bool seed_given;
    uint64_t seed;
    bool brief;        // effort=brief
    uint64_t max_cpus; // 0: as many as there are
    bool watchdog_given;
    uint64_t watchdog; // seconds; 0: off
    enum trace_mode trace;
    enum apic_mode apic;
    int loglevel; // 0 to 7; LOG_INFO if not given
    int argc;     // 1 at least
    // argv[0] is NULL, for the caller to fill; the rest point into `line`.
    char *argv[1 + CMDLINE_ARGS_MAX + 1];
    char error[CMDLINE_ERROR_MAX]; // "" if all is well
    char line[BOOT_CMDLINE_MAX];   // our copy, cut into words
};

// Told about each word that is ignored, in words for people. `message` is valid
// during the call only.
typedef void (*cmdline_note_fn)(void *context, const char *message);

// Read `line` into `out`. The later of two equal words wins. `note` may be
// NULL. Returns false at the first bad value: out->error then says which, and
// what would be right.
//
//     protect=pks|exact|open|flip|auto   fault=strict|relaxed
//     test  test=GLOB[,GLOB]             bench  bench=GLOB[,GLOB]
//     seed=N  maxcpus=N  effort=full|brief
//                                        loglevel=0..7|error|warn|info|debug
//     apic=auto|xapic|x2apic             watchdog=N
//     -- ARGS
//
// A first word that starts with `/` is the kernel's path, as some loaders pass
// it, and is skipped.
bool cmdline_parse(struct cmdline *out, const char *line, cmdline_note_fn note,
                   void *context);
