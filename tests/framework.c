// SPDX-License-Identifier: MIT
//
// Runs the registered tests and prints KTAP. One after the other, on the boot
// stack; a test that faults, misuses a call or leaves a bracket open
// fails, and so does one whose other threads do, and the next one runs.
#include <stdarg.h>

#include "arch/cpu.h"
#include "arch/percpu.h"
#include "kernel/audit_print.h"
#include "kernel/backtrace.h"
#include "kernel/catch.h"
#include "kernel/config.h"
#include "kernel/console.h"
#include "kernel/fault.h"
#include "kernel/heap_leaks.h"
#include "kernel/misuse.h"
#include "kernel/run.h"
#include "kernel/sched.h"
#include "kernel/thread.h"
#include "kernel/watchdog.h"
#include "keyhole.h"
#include "lib/glob.h"
#include "mm/bracket.h"
#include "mm/heap.h"
#include "mm/keys.h"
#include "mm/long_maps.h"
#include "tests/engines.h"
#include "tests/framework.h"
#include "tests/scratch.h"

extern const struct test_entry __tests_start[], __tests_end[];

static struct {
    bool failed;
    const char *skip; // NULL: not skipped
} now;

// ------------------------------------------------------------------- Verdicts

void test_fail(const char *file, int line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    printf("# %s:%d: ", file, line);
    console_vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
    now.failed = true;
}

void test_fail_eq(const char *file, int line, uint64_t got, uint64_t want)
{
    if (got < 1000000 && want < 1000000) {
        test_fail(file, line, "CHECK_EQ failed: got %llu, want %llu",
                  (unsigned long long)got, (unsigned long long)want);
    } else {
        test_fail(file, line, "CHECK_EQ failed: got 0x%llx, want 0x%llx",
                  (unsigned long long)got, (unsigned long long)want);
    }
}

void test_skip(const char *why)
{
    now.skip = why;
}

void test_verdict_reset(void)
{
    now.failed = false;
    now.skip = NULL;
}

bool test_verdict_failed(void)
{
    return now.failed;
}

const char *test_verdict_skip(void)
{
    return now.skip;
}

// What really happened, for a check that wanted something else.
static void caught_print(const char *file, int line, const char *want,
                         const struct catch_frame *caught,
                         const char *statement)
{
    if (caught->misuse) {
        test_fail(file, line, "%s: want %s, got misuse: %s", statement, want,
                  misuse_last()->what);
    } else if (caught->fault.kind == FAULT_NONE) {
        test_fail(file, line, "%s: want %s, but it went through", statement,
                  want);
    } else {
        test_fail(file, line, "%s: want %s, got %s on %s of 0x%lx, error 0x%x",
                  statement, want, fault_kind_name(caught->fault.kind),
                  fault_access_name(caught->fault.access),
                  caught->fault.address, caught->fault.error_code);
    }
}

bool test_caught_fault(const char *file, int line,
                       const struct catch_frame *caught, enum fault_kind kind,
                       enum fault_access access, const char *statement)
{
    if (!caught->misuse && caught->fault.kind == kind &&
        (kind == FAULT_NONE || caught->fault.access == access)) {
        return true;
    }
    char want[64];
    snprintf(want, sizeof(want), "%s on %s", fault_kind_name(kind),
             fault_access_name(access));
    caught_print(file, line, want, caught, statement);
    return false;
}

bool test_caught_refusal(const char *file, int line,
                         const struct catch_frame *caught,
                         enum fault_access access, const char *statement)
{
    const struct test_engine *want = test_engine();
    bool read_only = access == ACCESS_WRITE && !caught->misuse &&
                     caught->fault.kind == want->read_only;
    return test_caught_fault(file, line, caught,
                             read_only ? want->read_only : want->closed, access,
                             statement);
}

bool test_caught_misuse(const char *file, int line,
                        const struct catch_frame *caught, const char *statement)
{
    if (caught->misuse) {
        return true;
    }
    caught_print(file, line, "a misuse report", caught, statement);
    return false;
}

uint64_t test_seed(void)
{
    static bool known;
    static uint64_t seed;
    if (!known) {
        seed = config.seed_given ? config.seed : cpu_read_tsc() & 0xffffffff;
        known = true;
        printf("# seed=%llu\n", (unsigned long long)seed);
    }
    return seed;
}

// --------------------------------------------------------------------- Running

unsigned test_rounds(unsigned all)
{
    return config.brief ? MAX(all / TEST_SHARE, 1u) : all;
}

// Multiples of the golden ratio: where they wrap is spread evenly, and meets no
// period of what is tried.
bool test_takes(unsigned number)
{
    if (!config.brief) {
        return true;
    }
    uint64_t at = (test_seed() + number) * 0x9e3779b97f4a7c15ull;
    return at < UINT64_MAX / TEST_SHARE;
}

static unsigned tests_count(const char *globs)
{
    unsigned count = 0;
    for (const struct test_entry *t = __tests_start; t < __tests_end; t++) {
        count += globs == NULL || glob_list_match(globs, t->name);
    }
    return count;
}

// Open brackets at the end of a test: name one, and close them.
static void leftovers_check(uint32_t rights)
{
    const struct bracket *open = bracket_innermost();
    if (open == NULL) {
        return;
    }
    unsigned depth = brackets_depth();
    printf("# the test ends with %u open bracket%s; the innermost was mapped "
           "at ",
           depth, depth == 1 ? "" : "s");
    print_call_site(site_unpack(open->map_site));
    printf("\n");
    now.failed = true;
    brackets_abandon(percpu.bracket_top - depth, rights);
}

static void test_body(const struct test_entry *test)
{
    struct catch_frame frame;
    if (catch_enter(&frame) == 0) {
        frame.report = true;
        test->run();
        catch_leave(&frame);
    } else {
        now.failed = true;
    }
    percpu.catches = NULL; // a check that returned early left its own there
    if (!console_at_line_start()) {
        printf("\n");
    }
    leftovers_check(frame.rights);
}

void test_thread_failed(const struct thread *thread)
{
    printf("# thread %s ended by what is reported above\n", thread->name);
    now.failed = true;
}

static int test_thread(void *test)
{
    watchdog_expect(((const struct test_entry *)test)->name);
    keys_pause_end();
    sched_slice_forget(); // so that no interrupt comes that the test did not
                          // ask
    test_body(test);
    return 0;
}

// Run the test in a thread of its own, on one CPU; fail it for what it leaves
// behind.
static void test_alone(const struct test_entry *test)
{
    size_t mapped = long_maps_open(), threads = threads_count();
    struct thread *thread =
        thread_create_on(0, "test", test_thread, (void *)test);
    if (thread == NULL) {
        printf("# no memory for the test's thread\n");
        now.failed = true;
        return;
    }
    thread_join(thread);
    if (long_maps_open() > mapped) {
        printf("# the test ends with %zu kmap() or vmap() open\n",
               long_maps_open() - mapped);
        now.failed = true;
    }
    if (threads_count() > threads) {
        printf("# the test ends with %zu threads that nobody joined\n",
               threads_count() - threads);
        now.failed = true;
    }
}

static void test_run(const struct test_entry *test, unsigned number,
                     unsigned counts[3])
{
    test_verdict_reset();
    test_alone(test);
    if (now.failed) {
        counts[1]++;
        printf("not ok %u - %s\n", number, test->name);
    } else if (now.skip != NULL) {
        counts[2]++;
        printf("ok %u - %s # SKIP %s\n", number, test->name, now.skip);
    } else {
        counts[0]++;
        printf("ok %u - %s\n", number, test->name);
    }
}

bool tests_run(const char *globs)
{
    unsigned counts[3] = {0}; // passed, failed, skipped
    unsigned number = 0;
    scratch_prepare();
    uint32_t mark = heap_mark();
    printf("KTAP version 1\n1..%u\n", tests_count(globs));
    if (config.brief) {
        (void)test_seed(); // handlers will ask for it
    }
    thread_failures_to(test_thread_failed);
    for (const struct test_entry *t = __tests_start; t < __tests_end; t++) {
        if (globs == NULL || glob_list_match(globs, t->name)) {
            test_run(t, ++number, counts);
        }
    }
    thread_failures_to(NULL);
    watchdog_expect(NULL);
    heap_leaks_print(mark);
    printf("# %u passed, %u failed, %u skipped\n", counts[0], counts[1],
           counts[2]);
    if (number == 0) {
        printf("# no test matches %s\n", globs != NULL ? globs : "*");
    }
    // What the tests have left behind must be as sound as what they found.
    return audit_print("# audit: ") && counts[1] == 0 && number != 0;
}
