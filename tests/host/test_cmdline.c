// SPDX-License-Identifier: MIT
//
// kernel/cmdline: every word, every bad value.

#include "kernel/cmdline.h"

#include "boot/choose.h"
#include "tests/host/tap.h"

static struct cmdline cmdline;
static char notes[4096];

static void note(void *context, const char *message)
{
    (void)context;
    strncat(notes, message, sizeof(notes) - strlen(notes) - 2);
    strcat(notes, ";");
}

static bool parse(const char *line)
{
    notes[0] = '\0';
    memset(&cmdline, 0xa5, sizeof(cmdline));
    return cmdline_parse(&cmdline, line, note, NULL);
}

static bool refused(const char *line, const char *error)
{
    return !parse(line) && strcmp(cmdline.error, error) == 0;
}

HOST_TEST(an_empty_line_is_all_defaults)
{
    CHECK(parse(""));
    CHECK(cmdline.protect == CMDLINE_PROTECT_AUTO);
    CHECK(!cmdline.fault_relaxed && !cmdline.test && !cmdline.bench);
    CHECK(cmdline.test_globs == NULL && cmdline.bench_globs == NULL);
    CHECK(!cmdline.seed_given);
    CHECK_EQ(cmdline.max_cpus, 0);
    CHECK_EQ(cmdline.loglevel, LOG_INFO);
    CHECK_EQ(cmdline.apic, APIC_AUTO);
    CHECK(!cmdline.watchdog_given);
    CHECK_EQ(cmdline.argc, 1);
    CHECK(cmdline.argv[0] == NULL && cmdline.argv[1] == NULL);
    CHECK_STR(cmdline.error, "");
    CHECK_STR(notes, "");
}

HOST_TEST(engines)
{
    CHECK(parse("protect=pks") && cmdline.protect == PROTECT_PKS);
    CHECK(parse("protect=exact") && cmdline.protect == PROTECT_EXACT);
    CHECK(parse("protect=open") && cmdline.protect == PROTECT_OPEN);
    CHECK(parse("protect=flip") && cmdline.protect == PROTECT_FLIP);
    CHECK(parse("protect=auto") && cmdline.protect == CMDLINE_PROTECT_AUTO);
    CHECK(parse("protect=pks protect=open"));
    CHECK(cmdline.protect == PROTECT_OPEN);
}

HOST_TEST(other_words)
{
    CHECK(parse("fault=relaxed seed=0x10 maxcpus=3 loglevel=debug"));
    CHECK(cmdline.fault_relaxed);
    CHECK(cmdline.seed_given);
    CHECK_EQ(cmdline.seed, 16);
    CHECK_EQ(cmdline.max_cpus, 3);
    CHECK_EQ(cmdline.loglevel, LOG_DEBUG);
    CHECK(parse("fault=strict loglevel=0"));
    CHECK(!cmdline.fault_relaxed);
    CHECK_EQ(cmdline.loglevel, 0);
    CHECK(parse("seed=0") && cmdline.seed_given);
    CHECK(parse("apic=xapic") && cmdline.apic == APIC_XAPIC);
    CHECK(parse("apic=x2apic") && cmdline.apic == APIC_X2APIC);
    CHECK(parse("apic=x2apic apic=auto") && cmdline.apic == APIC_AUTO);
    CHECK(parse("test effort=brief") && cmdline.brief);
    CHECK(parse("effort=brief effort=full") && !cmdline.brief);
    CHECK(parse("watchdog=90") && cmdline.watchdog == 90);
    CHECK(parse("watchdog=0") && cmdline.watchdog_given);
    CHECK_EQ(cmdline.watchdog, 0);
    CHECK(parse("watchdog=86400") && cmdline.watchdog == 86400);
}

HOST_TEST(tests_and_benchmarks)
{
    CHECK(parse("test"));
    CHECK(cmdline.test && cmdline.test_globs == NULL);
    CHECK(!cmdline.bench);
    CHECK(parse("test=kmap.*,pks.?"));
    CHECK(cmdline.test);
    CHECK_STR(cmdline.test_globs, "kmap.*,pks.?");
    CHECK(parse("bench=kmap.pair test"));
    CHECK(cmdline.test && cmdline.bench);
    CHECK_STR(cmdline.bench_globs, "kmap.pair");
}

HOST_TEST(arguments)
{
    CHECK(parse("protect=open --   one two=2\ttest "));
    CHECK_EQ(cmdline.argc, 4);
    CHECK(cmdline.argv[0] == NULL);
    CHECK_STR(cmdline.argv[1], "one");
    CHECK_STR(cmdline.argv[2], "two=2");
    CHECK_STR(cmdline.argv[3], "test");
    CHECK(cmdline.argv[4] == NULL);
    CHECK(!cmdline.test);
    CHECK(parse("--") && cmdline.argc == 1);
    CHECK(parse("-- a -- b") && cmdline.argc == 4);
    CHECK_STR(cmdline.argv[2], "--");
}

HOST_TEST(at_most_32_arguments)
{
    char line[256] = "--";

    for (unsigned i = 0; i < 32; i++) {
        strcat(line, " x");
    }
    CHECK(parse(line));
    CHECK_EQ(cmdline.argc, 33);
    CHECK(cmdline.argv[33] == NULL);
    strcat(line, " y");
    CHECK(refused(line, "--: want at most 32 words"));
}

HOST_TEST(spaces_do_not_matter)
{
    CHECK(parse("   test \t  seed=1\n"));
    CHECK(cmdline.test && cmdline.seed_given);
    CHECK_STR(notes, "");
}

HOST_TEST(the_kernels_path_is_skipped)
{
    CHECK(parse("/boot/keyhole.elf test"));
    CHECK(cmdline.test);
    CHECK_STR(notes, "");
    CHECK(parse("test /boot/keyhole.elf"));
    CHECK_STR(notes, "unknown boot word ignored: /boot/keyhole.elf;");
}

HOST_TEST(unknown_words_are_noted)
{
    CHECK(parse("quiet test protec=pks testing =x seeds=1"));
    CHECK(cmdline.test && !cmdline.seed_given);
    CHECK_STR(notes, "unknown boot word ignored: quiet;"
                     "unknown boot word ignored: protec=pks;"
                     "unknown boot word ignored: testing;"
                     "unknown boot word ignored: =x;"
                     "unknown boot word ignored: seeds=1;");
    CHECK(cmdline_parse(&cmdline, "quiet", NULL, NULL));
}

HOST_TEST(bad_values_are_refused)
{
    CHECK(refused("protect=foo",
                  "protect=foo: want pks, exact, open, flip or auto"));
    CHECK(refused("protect", "protect: want pks, exact, open, flip or auto"));
    CHECK(refused("protect=", "protect=: want pks, exact, open, flip or auto"));
    CHECK(refused("protect=PKS",
                  "protect=PKS: want pks, exact, open, flip or auto"));
    CHECK(refused("fault=1", "fault=1: want strict or relaxed"));
    CHECK(refused("test=", "test=: want nothing, or =NAME with * and ?, "
                           "commas between"));
    CHECK(refused("seed=-1", "seed=-1: want a number"));
    CHECK(cmdline.trace == TRACE_OFF);
    CHECK(parse("trace=on") && cmdline.trace == TRACE_ON);
    CHECK(parse("trace=on trace=dump") && cmdline.trace == TRACE_DUMP);
    CHECK(refused("trace", "trace: want on, off, dump or top"));
    CHECK(refused("watchdog", "watchdog: want seconds, 0 to 86400"));
    CHECK(
        refused("watchdog=86401", "watchdog=86401: want seconds, 0 to 86400"));
    CHECK(refused("seed", "seed: want a number"));
    CHECK(refused("maxcpus=0", "maxcpus=0: want a number from 1 up"));
    CHECK(refused("loglevel=8", "loglevel=8: want 0 to 7, or error, warn, "
                                "info or debug"));
    CHECK(refused("effort=none", "effort=none: want full or brief"));
    CHECK(refused("apic=pic", "apic=pic: want auto, xapic or x2apic"));
    CHECK(refused("apic", "apic: want auto, xapic or x2apic"));
}

HOST_TEST(long_lines_are_cut)
{
    char line[BOOT_CMDLINE_MAX + 100];

    memset(line, 'x', sizeof(line));
    line[sizeof(line) - 1] = '\0';
    CHECK(parse(line));
    CHECK(strstr(notes, "cut short") != NULL);
    memcpy(line, "seed=", 5);
    CHECK(!parse(line));
    CHECK_EQ(strlen(cmdline.error), 5 + 40 + strlen(": want a number"));
}

HOST_TEST(the_copy_is_our_own)
{
    char line[] = "test=abc -- def";

    CHECK(parse(line));
    memset(line, 'x', sizeof(line) - 1);
    CHECK_STR(cmdline.test_globs, "abc");
    CHECK_STR(cmdline.argv[1], "def");
}

// Before the kernel that will parse the words is there.
HOST_TEST(the_second_kernel_is_for_open_alone)
{
    CHECK(boot_wants_open("protect=open"));
    CHECK(boot_wants_open("test \t protect=open\n"));
    CHECK(boot_wants_open("protect=pks protect=open seed=1"));
    CHECK(!boot_wants_open(""));
    CHECK(!boot_wants_open("protect=open protect=exact")); // the last one
    CHECK(!boot_wants_open("protect=openly"));
    CHECK(!boot_wants_open("protect=ope"));
    CHECK(!boot_wants_open("xprotect=open"));
    CHECK(!boot_wants_open("test -- protect=open")); // the application's
    CHECK(boot_wants_open("protect=open -- protect=pks"));
    CHECK(boot_wants_open("--x protect=open"));
}
