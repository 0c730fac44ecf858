// SPDX-License-Identifier: MIT
//
// Strict and relaxed by domain and by watch, and callbacks: who is let through,
// for how long, and that nobody else gets anything of it.
#include "arch/percpu.h"
#include "kernel/config.h"
#include "kernel/fault.h"
#include "kernel/guard.h"
#include "mm/domain.h"
#include "mm/frames.h"
#include "mm/layout.h"
#include "tests/engines.h"
#include "tests/handlers.h"
#include "tests/threads.h"

static struct domain *domain;
static struct page *page, *pair;
static volatile uint64_t *direct; // in the direct map

// Two frames side by side, and one elsewhere.
static bool frames_get(void)
{
    domain = domain_create("modes");
    page = domain != NULL ? alloc_page(domain) : NULL;
    pair = domain != NULL ? alloc_pages(domain, 1) : NULL;
    if (page == NULL || pair == NULL) {
        return false;
    }
    direct = page_direct_map_address(page);
    printf("# reports that this test asks for:\n");
    return true;
}

static void frames_put(void)
{
    free_page(page);
    free_pages(pair, 1);
    CHECK_EQ(domain_destroy(domain), 0);
}

// ---------------------------------------------------------------- By a domain

static volatile bool written, checked;

static int writes_and_waits(void *unused)
{
    (void)unused;
    uint64_t before = faults_count();
    uint64_t seen = *direct; // to read alone, at first
    *direct = 5 + 0 * seen;
    direct[1] = 6;
    uint64_t faults = faults_count() - before;
    written = true;
    while (!checked) {
        thread_yield();
    }
    return *direct == 5 && direct[1] == 6 ? (int)faults : -1;
}

static void handler_finds_it_closed(void *unused)
{
    (void)unused;
    HANDLER_CHECK(!probe_write((void *)direct, &(uint64_t){0}, 8, NULL));
}

// The thread has the domain until it ends; nobody else has any of it.
TEST(fault_mode, relaxed_for_one_thread)
{
    if (protect_engine() != PROTECT_PKS) {
        SKIP("needs pks");
    }
    CHECK(frames_get());
    domain_set_fault_mode(domain, FAULT_MODE_RELAXED);
    written = checked = false;
    struct thread *thread = thread_here("writer", writes_and_waits, NULL);
    CHECK(thread != NULL);
    while (!written) {
        thread_yield();
    }
    uint64_t value;
    bool other = probe_read((void *)direct, &value, sizeof(value), NULL);
    cpu_call(cpu_id(), handler_finds_it_closed, NULL);
    cpu_nmi(cpu_id(), handler_finds_it_closed, NULL);
    CHECK_EQ(domain->pins, 1);
    checked = true;
    CHECK_EQ(thread_join(thread), 2); // the second write did not fault
    CHECK(!other && handlers_passed());
    CHECK_EQ(domain->pins, 0); // the key is no longer the thread's
    frames_put();
}

static uint64_t handler_faults;

static void handler_writes(void *unused)
{
    (void)unused;
    uint64_t before = faults_count();
    direct[0] = 1;
    direct[0] = 2;
    handler_faults = faults_count() - before;
}

// A handler gets each access alone, and leaves nothing open.
TEST(fault_mode, relaxed_for_a_handler)
{
    if (protect_engine() != PROTECT_PKS) {
        SKIP("needs pks");
    }
    CHECK(frames_get());
    memset_page(page, 0, 0, PAGE_SIZE);
    domain_set_fault_mode(domain, FAULT_MODE_RELAXED);
    cpu_call(cpu_id(), handler_writes, NULL);
    CHECK_EQ(handler_faults, 2);
    CHECK(!probe_write((void *)direct, &(uint64_t){0}, 8, NULL));
    domain_set_fault_mode(domain, FAULT_MODE_STRICT);
    uint64_t value;
    memcpy_from_page(&value, page, 0, sizeof(value));
    CHECK_EQ(value, 2);
    CHECK_EQ(domain->pins, 0);
    frames_put();
}

static void write_directly(void *unused)
{
    (void)unused;
    *direct = 9;
}

TEST(fault_mode, strict_whatever_the_boot_word_says)
{
    if (!engine_refuses()) {
        SKIP("needs an engine that refuses");
    }
    CHECK(frames_get());
    struct fault fault;
    domain_set_fault_mode(domain, FAULT_MODE_STRICT);
    CHECK(!run_reported(write_directly, NULL, &fault));
    CHECK_EQ(fault.kind, test_engine()->closed);
    CHECK_EQ(fault.access, ACCESS_WRITE);
    CHECK_EQ(fault.address, direct);
    frames_put();
}

static void write_read_only(void *unused)
{
    (void)unused;
    volatile uint64_t *at = (volatile uint64_t *)kmap_local_page_ro(page);
    *at = 11;
    kunmap_local((const void *)at);
}

// A leaf that does not allow it: that access goes through, the next does not.
TEST(fault_mode, relaxed_through_a_leaf)
{
    if (test_engine()->read_only != FAULT_WRITE_PROTECT) {
        SKIP("needs an engine whose read-only brackets are leaves");
    }
    CHECK(frames_get());
    domain_set_fault_mode(domain, FAULT_MODE_RELAXED);
    uint64_t value, before = faults_count();
    CHECK(run_reported(write_read_only, NULL, NULL));
    CHECK_EQ(faults_count() - before, 1);
    const uint64_t *at = kmap_local_page_ro(page);
    CHECK(!probe_write((void *)at, &(uint64_t){0}, 8, NULL));
    kunmap_local(at);
    memcpy_from_page(&value, page, 0, sizeof(value));
    CHECK_EQ(value, 11);
    frames_put();
}

// -------------------------------------------------------------- By a callback

static struct {
    unsigned calls, retries;
    enum fault_answer answer;
    struct fault fault;
    bool level_is_handler, faults_itself;
} callback;

static enum fault_answer called(const struct fault *fault, void *arg)
{
    callback.calls++;
    callback.fault = *fault;
    callback.level_is_handler = percpu.trap_level > 0 && arg == &callback;
    if (callback.faults_itself) {
        struct fault inner;
        callback.level_is_handler &=
            !probe_write((void *)direct, &(uint64_t){0}, 8, &inner);
        direct[3] = 4; // goes by the mode
    }
    return callback.calls <= callback.retries ? FAULT_ANSWER_RETRY
                                              : callback.answer;
}

static bool written_with(enum fault_answer answer, unsigned retries)
{
    callback.calls = 0;
    callback.answer = answer;
    callback.retries = retries;
    return run_reported(write_directly, NULL, NULL) &&
           callback.level_is_handler && callback.fault.page == page &&
           callback.fault.access == ACCESS_WRITE;
}

static int with_callback(void *unused)
{
    (void)unused;
    bool right = written_with(FAULT_ANSWER_RELAXED, 3) && callback.calls == 4;
    return right && *direct == 9;
}

TEST(fault_mode, callback_decides)
{
    if (protect_engine() != PROTECT_PKS) {
        SKIP("needs pks");
    }
    CHECK(frames_get());
    memset(&callback, 0, sizeof(callback));
    CHECK_EQ(domain_set_fault_callback(domain, called, &callback), 0);
    domain_set_fault_mode(domain, FAULT_MODE_RELAXED);
    CHECK(!written_with(FAULT_ANSWER_STRICT, 0));
    CHECK_EQ(callback.calls, 1);
    domain_set_fault_mode(domain, FAULT_MODE_STRICT);
    CHECK(!written_with(FAULT_ANSWER_MODE, 2));
    CHECK_EQ(callback.calls, 3);
    CHECK_EQ(in_another_thread(with_callback), 1);
    // Neither probes nor what run_protected() catches are its business.
    callback.calls = 0;
    CHECK(!probe_write((void *)direct, &(uint64_t){0}, 8, NULL));
    CHECK(!run_protected(write_directly, NULL, NULL));
    CHECK_EQ(callback.calls, 0);
    CHECK_EQ(domain_set_fault_callback(domain, NULL, NULL), 0);
    CHECK(!run_reported(write_directly, NULL, NULL));
    CHECK_EQ(callback.calls, 0);
    frames_put();
}

static int callback_faults(void *unused)
{
    (void)unused;
    return written_with(FAULT_ANSWER_MODE, 0) && callback.calls == 1 &&
           direct[3] == 4;
}

TEST(fault_mode, callback_that_faults)
{
    if (protect_engine() != PROTECT_PKS) {
        SKIP("needs pks");
    }
    CHECK(frames_get());
    memset(&callback, 0, sizeof(callback));
    callback.faults_itself = true;
    CHECK_EQ(domain_set_fault_callback(domain, called, &callback), 0);
    domain_set_fault_mode(domain, FAULT_MODE_RELAXED);
    CHECK_EQ(in_another_thread(callback_faults), 1);
    CHECK_EQ(domain_set_fault_callback(domain, NULL, NULL), 0);
    frames_put();
}
