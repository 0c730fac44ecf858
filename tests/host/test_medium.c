// SPDX-License-Identifier: MIT
//
// The host's medium: what its brackets give, and that it ends who goes past
// them. Who must be ended is forked.

#include "tests/host/medium.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/mutex.h"
#include "tests/host/tap.h"

#define BYTES (16 * PAGE_SIZE)

static struct medium *medium;
static struct page *pages;

// Whether a program that does this is ended, by abort(), a fault or the
// sanitizer. What it has to say is not for the console.
static bool ends(void (*run)(void))
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, STDERR_FILENO);
        run();
        _exit(0);
    }
    return child > 0 && waitpid(child, &status, 0) == child &&
           !(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void begin(void)
{
    medium = medium_create(BYTES);
    pages = medium_pages(medium);
}

static void end(void)
{
    medium_destroy(medium);
}

static void nothing_wrong(void)
{
    uint8_t *to = kmap_local_range(pages, 100, PAGE_SIZE);

    memset(to, 1, PAGE_SIZE);
    kunmap_local(to);
}

static void read_closed(void)
{
    const volatile uint8_t *at = kmap_local_range_ro(pages, 0, 1);

    kunmap_local((const void *)at);
    (void)*at;
}

static void copy_from_closed(void)
{
    uint8_t byte[8];
    const uint8_t *at = kmap_local_range_ro(pages, 0, PAGE_SIZE);

    memcpy(byte, at + PAGE_SIZE - 1, 2);
    kunmap_local(at);
    _exit(byte[0]);
}

static void write_read_only(void)
{
    volatile uint8_t *at = (uint8_t *)kmap_local_range_ro(pages, 0, 1);

    *at = 1;
}

static void write_beside(void)
{
    uint8_t *inner = kmap_local_range(pages + 1, 0, PAGE_SIZE);
    const uint8_t *outer = kmap_local_range_ro(pages, 0, 2 * PAGE_SIZE);

    inner[0] = 1;
    *(volatile uint8_t *)outer = 1;
}

static void *map_all(void)
{
    return vmap_range(page_to_phys(pages), BYTES, MAP_READ);
}

static void write_mapped(void)
{
    *(volatile uint8_t *)map_all() = 1;
}

static void read_unmapped(void)
{
    const volatile uint8_t *at = map_all();

    vunmap((const void *)at);
    (void)*at;
}

static void unmap_what_is_not_mapped(void)
{
    vunmap((const uint8_t *)map_all() + PAGE_SIZE);
}

static void map_all_to_write(void)
{
    vmap_range(page_to_phys(pages), BYTES, MAP_READ | MAP_WRITE);
}

static void map_more_than_all(void)
{
    vmap_range(page_to_phys(pages + 1), BYTES, MAP_READ);
}

static void unmap_out_of_order(void)
{
    const void *outer = kmap_local_range_ro(pages, 0, 1);

    kmap_local_range_ro(pages, 1, 1);
    kunmap_local(outer);
}

static void unmap_twice(void)
{
    const void *at = kmap_local_page_ro(pages);

    kunmap_local(at);
    kunmap_local(at);
}

static void map_nothing(void)
{
    kmap_local_range_ro(pages, 0, 0);
}

static void map_past_the_end(void)
{
    kmap_local_range_ro(pages + 1, 1, BYTES - PAGE_SIZE);
}

static void map_a_stranger(void)
{
    static struct page stranger;

    kmap_local_page_ro(&stranger);
}

static void too_many_brackets(void)
{
    for (unsigned i = 0; i < 33; i++) {
        kmap_local_page_ro(pages);
    }
}

static void flush_closed(void)
{
    const void *at = kmap_local_page_ro(pages);

    pmem_flush(at, PAGE_SIZE + 1);
}

static void destroy_open(void)
{
    kmap_local_page_ro(pages);
    medium_destroy(medium);
}

static void lock_twice(void)
{
    static struct mutex mutex = MUTEX("test");

    mutex_lock(&mutex);
    mutex_lock(&mutex);
}

static void unlock_unheld(void)
{
    static struct mutex mutex = MUTEX("test");

    mutex_unlock(&mutex);
}

HOST_TEST(whoever_goes_past_a_bracket_is_ended)
{
    begin();
    CHECK(!ends(nothing_wrong));
    CHECK(ends(read_closed));
    CHECK(ends(copy_from_closed));
    CHECK(ends(write_read_only));
    CHECK(ends(write_beside));
    CHECK(ends(unmap_out_of_order));
    CHECK(ends(unmap_twice));
    CHECK(ends(map_nothing));
    CHECK(ends(map_past_the_end));
    CHECK(ends(map_a_stranger));
    CHECK(ends(too_many_brackets));
    CHECK(ends(flush_closed));
    CHECK(ends(destroy_open));
    CHECK(ends(write_mapped));
    CHECK(ends(read_unmapped));
    CHECK(ends(unmap_what_is_not_mapped));
    CHECK(ends(map_all_to_write));
    CHECK(ends(map_more_than_all));
    CHECK(ends(lock_twice));
    CHECK(ends(unlock_unheld));
    end();
}

HOST_TEST(a_mapping_is_readable_without_a_bracket)
{
    begin();
    const uint8_t *at = map_all();
    CHECK_EQ(at[BYTES - 1], 0);
    nothing_wrong();
    CHECK_EQ(at[100], 1);
    CHECK(ends(write_mapped));
    vunmap(at);
    CHECK(ends(read_closed));
    end();
}

HOST_TEST(rights_add_up_and_go_one_by_one)
{
    begin();
    uint8_t *outer = kmap_local_range(pages, 10, 2 * PAGE_SIZE);
    const uint8_t *inner = kmap_local_range_ro(pages, 5, PAGE_SIZE);
    outer[0] = 7;
    CHECK_EQ(inner[5], 7);
    kunmap_local(inner);
    outer[2 * PAGE_SIZE - 1] = 9;
    kunmap_local(outer);
    uint8_t bytes[2];
    medium_read(medium, 10, bytes, 1);
    medium_read(medium, 2 * PAGE_SIZE + 9, bytes + 1, 1);
    CHECK_EQ(bytes[0], 7);
    CHECK_EQ(bytes[1], 9);
    end();
}

static void write_frozen(void)
{
    volatile uint8_t *at = kmap_local_page(pages + 2);

    *at = 1;
}

static unsigned hooked;
static size_t hook_offset, hook_length;

static void note_freeze(struct medium *of, size_t offset, size_t length)
{
    (void)of;
    hooked++;
    hook_offset = offset;
    hook_length = length;
}

HOST_TEST(nobody_writes_to_frozen_frames)
{
    uint8_t byte = 3;

    begin();
    medium_on_freeze(note_freeze);
    CHECK_EQ(freeze_range(pages + 2, 2, FAULT_MODE_DEFAULT), 0);
    medium_on_freeze(NULL);
    CHECK(hooked == 1 && hook_offset == 2 * PAGE_SIZE);
    CHECK_EQ(hook_length, 2 * PAGE_SIZE);
    CHECK(ends(write_frozen));
    CHECK(!ends(nothing_wrong));
    CHECK_EQ(freeze_range(pages + 3, 2, FAULT_MODE_DEFAULT), -EEXIST);
    CHECK_EQ(freeze_range(pages + 4, 1, FAULT_MODE_DEFAULT), 0);
    CHECK_EQ(freeze_range(pages, 17, FAULT_MODE_DEFAULT), -EINVAL);
    CHECK_EQ(thaw_range(pages + 2, 1), -ENOENT);
    CHECK_EQ(thaw_range(pages + 2, 3), -ENOENT);
    CHECK_EQ(thaw_range(pages + 3, 1), -ENOENT);
    medium_write(medium, 2 * PAGE_SIZE, &byte, 1);
    byte = 0;
    medium_read(medium, 2 * PAGE_SIZE, &byte, 1);
    CHECK_EQ(byte, 3);
    CHECK_EQ(thaw_range(pages + 2, 2), 0);
    CHECK(!ends(write_frozen));
    CHECK_EQ(thaw_range(pages + 4, 1), 0);
    CHECK_EQ(thaw_range(pages + 4, 1), -ENOENT);
    end();
}

HOST_TEST(what_is_asked_to_fail_fails_once)
{
    begin();
    medium_fail_freeze(2, -ENOSPC);
    CHECK_EQ(freeze_range(pages, 1, FAULT_MODE_DEFAULT), 0);
    CHECK_EQ(freeze_range(pages + 1, 1, FAULT_MODE_DEFAULT), -ENOSPC);
    CHECK_EQ(freeze_range(pages + 1, 1, FAULT_MODE_DEFAULT), 0);
    CHECK_EQ(thaw_range(pages, 1) + thaw_range(pages + 1, 1), 0);
    medium_fail_allocation(2);
    void *first = kmalloc(1), *second = kzalloc(1), *third = kzalloc(1);
    CHECK(first != NULL && second == NULL && third != NULL);
    kfree(first);
    kfree(third);
    kfree(NULL);
    struct medium_counts counts;
    medium_count(&counts);
    CHECK_EQ(counts.allocated, 0);
    end();
}

HOST_TEST(lines_and_fences_are_counted)
{
    struct medium_counts before, after;

    begin();
    medium_count(&before);
    uint8_t *at = kmap_local_page(pages);
    pmem_flush(at, 0);
    pmem_flush(at + 63, 1);
    pmem_flush(at + 63, 2);
    pmem_persist(at, PAGE_SIZE);
    kunmap_local(at);
    pmem_drain();
    pmem_copy_to(pages, 60, "12345678", 8);
    medium_count(&after);
    CHECK_EQ(after.lines - before.lines, 1 + 2 + 64 + 2);
    CHECK_EQ(after.fences - before.fences, 2);
    CHECK_EQ(after.write_brackets - before.write_brackets, 2);
    char text[8];
    medium_read(medium, 60, text, 8);
    CHECK(memcmp(text, "12345678", 8) == 0);
    end();
}
