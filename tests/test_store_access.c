// SPDX-License-Identifier: MIT
//
// Who may touch the store while somebody reads it, by brackets and through the
// mapping.
#include "lib/types.h"
#include "tests/engines.h"
#include "tests/handlers.h"
#include "tests/test_store.h"

struct stray {
    uint8_t *value;
    bool read, written;
};

static void stray_access(void *arg)
{
    struct stray *stray = arg;
    uint8_t byte;
    stray->read = probe_read(stray->value, &byte, 1, NULL);
    stray->written = probe_write(stray->value, &byte, 1, NULL);
}

static int stray_thread(void *arg)
{
    stray_access(arg);
    return 0;
}

// Inside the bracket on a leaf: what a handler and another thread may do there.
static int look_around(void *arg, const struct store_key *key,
                       const void *value, size_t size)
{
    struct stray *strays = arg;
    (void)key, (void)size;
    strays[0].value = strays[1].value = (uint8_t *)value;
    cpu_call(cpu_id(), stray_access, &strays[0]);
    struct thread *thread = thread_create("stray", stray_thread, &strays[1]);
    if (thread == NULL) {
        return -1;
    }
    thread_join(thread);
    return *(const uint8_t *)value;
}

TEST(store, open_to_its_reader_alone)
{
    NEEDS_PMEM(region);
    if (!test_engine()->others_stay_out) {
        SKIP("brackets of this engine open for all");
    }
    struct store *store = test_store_new(region, 0);
    CHECK(store != NULL);
    struct store_key key = test_store_key(1);
    uint8_t value = 42;
    struct store_view view;
    struct stray strays[2] = {{.read = true}, {.read = true}};
    CHECK_EQ(store_put(store, &key, &value, 1), 0);
    CHECK_EQ(store_view_begin(store, 0, &view), 0);
    int got = store_view_scan(&view, &test_store_lowest, &test_store_highest,
                              look_around, strays);
    store_view_end(&view);
    CHECK_EQ(got, 42);
    for (unsigned i = 0; i < ARRAY_SIZE(strays); i++) {
        CHECK(!strays[i].read);
        CHECK(!strays[i].written);
    }
    // Nor is it open to him any longer.
    CHECK_REFUSED(ACCESS_READ, (void)*(volatile uint8_t *)strays[0].value);
    CHECK_EQ(test_store_end(region, store), 0);
}

// Through the mapping everybody reads, without a bracket, and nobody writes.
TEST(store, mapped_to_read_for_all)
{
    NEEDS_PMEM(region);
    struct store *store = test_store_new(region, STORE_READ_MAPPED);
    CHECK(store != NULL);
    struct store_key key = test_store_key(1);
    uint8_t value = 42, got = 0;
    size_t size;
    struct stray strays[2] = {{.written = true}, {.written = true}};
    struct map_stats before, after;
    CHECK_EQ(store_put(store, &key, &value, 1), 0);
    map_stats_read(&before);
    CHECK_EQ(store_get(store, &key, &got, 1, &size), 0);
    map_stats_read(&after);
    CHECK_EQ(got, 42);
    CHECK_EQ(after.brackets, before.brackets);
    CHECK_EQ(after.pkrs_writes, before.pkrs_writes);
    CHECK_EQ(after.pte_writes, before.pte_writes);
    struct store_view view;
    CHECK_EQ(store_view_begin(store, 0, &view), 0);
    CHECK_EQ(store_view_scan(&view, &test_store_lowest, &test_store_highest,
                             look_around, strays),
             42);
    store_view_end(&view);
    for (unsigned i = 0; i < ARRAY_SIZE(strays); i++) {
        CHECK(strays[i].read);
        CHECK(!strays[i].written);
    }
    CHECK_FAULT(FAULT_WRITE_PROTECT, ACCESS_WRITE,
                *(volatile uint8_t *)strays[0].value = 1);
    // What is committed from now on is there, at the same addresses.
    value = 43;
    CHECK_EQ(store_put(store, &key, &value, 1), 0);
    CHECK_EQ(store_get(store, &key, &got, 1, &size), 0);
    CHECK_EQ(got, 43);
    CHECK_EQ(test_store_end(region, store), 0);
    CHECK(!probe_read(strays[0].value, &got, 1, NULL));
}

static int write_to_value(void *arg, const struct store_key *key,
                          const void *value, size_t size)
{
    (void)key, (void)size;
    return probe_write((void *)value, "x", 1, arg) ? 1 : 2;
}

TEST(store, readers_cannot_write)
{
    NEEDS_PMEM(region);
    if (!engine_refuses()) {
        SKIP("this engine refuses nothing");
    }
    struct store *store = test_store_new(region, 0);
    CHECK(store != NULL);
    struct store_key key = test_store_key(1);
    struct store_view view;
    struct fault fault = {0};
    CHECK_EQ(store_put(store, &key, "value", 5), 0);
    CHECK_EQ(store_view_begin(store, 0, &view), 0);
    int got = store_view_scan(&view, &test_store_lowest, &test_store_highest,
                              write_to_value, &fault);
    store_view_end(&view);
    CHECK_EQ(got, 2);
    CHECK_EQ(fault.access, ACCESS_WRITE);
    CHECK(page_domain(fault.page) == region->domain);
    CHECK_EQ(test_store_end(region, store), 0);
}
