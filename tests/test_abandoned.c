// SPDX-License-Identifier: MIT
//
// A handler that fails abandons what it interrupted, at whatever instruction
// that is: nothing is open then, or mapped, that was not before.
#include "arch/pks.h"
#include "arch/tlb.h"
#include "kernel/catch.h"
#include "kernel/watchdog.h"
#include "lib/types.h"
#include "mm/audit.h"
#include "mm/context.h"
#include "mm/domain.h"
#include "mm/lock.h"
#include "tests/engines.h"
#include "tests/framework.h"
#include "tests/handlers.h"

#define BLOCK_ORDER 2

static struct page *frame, *block; // closed, unless fn() has them open
static struct page *taken;         // by fn(), or for it to give
static unsigned left;              // steps until the handler fails
static bool in_fills;              // of which those alone count

static bool frames_get(void)
{
    frame = alloc_page(domain_ram);
    block = alloc_pages(domain_ram, BLOCK_ORDER);
    return frame != NULL && block != NULL;
}

static void frames_put(void)
{
    free_page(frame);
    free_pages(block, BLOCK_ORDER);
}

// Nobody is abandoned inside the locks of the memory manager and of shootdowns:
// that ends the run.
static void fail_in_time(void *unused)
{
    (void)unused;
    bool filling = percpu.frame_filling != DOMAIN_NONE ||
                   mm_context_of_thread()->filling != NULL;
    if (in_fills && !filling) {
        return;
    }
    if (left > 0) {
        left--;
    } else if (!mm_lock_held() && !tlb_is_asking()) {
        kunmap_local((const void *)frame); // was never mapped
    }
}

// Step `number` of fn(). False: it has fewer.
static bool abandon_at(void (*fn)(void *), unsigned number)
{
    struct catch_frame catch;
    if (catch_enter(&catch) == 0) {
        catch.handlers_too = true;
        left = number;
        step_through(fn, NULL, fail_in_time, NULL);
        catch_leave(&catch);
        return false;
    }
    return true;
}

static bool is_closed(struct page *page)
{
    uint64_t word;
    return !engine_refuses() || !probe_read(page_direct_map_address(page),
                                            &word, sizeof(word), NULL);
}

static bool nothing_is_open(void)
{
    static struct audit_report report;
    return rights_are(PKRS_CLOSED) && is_closed(frame) && is_closed(block) &&
           audit_run(&report);
}

// The first of every so many steps of fn() that leaves something open; -1:
// none. *steps: how many there are. prepare() comes before each that is tried.
static int abandon_each(void (*prepare)(void), void (*fn)(void *),
                        unsigned stride, unsigned *steps)
{
    *steps = 0;
    for (unsigned i = 0;; i += stride, ++*steps) {
        if (!test_takes(*steps)) {
            continue;
        }
        watchdog_progress(); // with flip it takes long
        if (prepare != NULL) {
            prepare();
        }
        if (!abandon_at(fn, i)) {
            return -1;
        }
        if (!nothing_is_open()) {
            return (int)i;
        }
    }
}

// ----------------------------------------------------------------- Brackets

static void open_one(void *unused)
{
    (void)unused;
    kunmap_local(kmap_local_page(frame));
}

static void open_range(void *unused)
{
    (void)unused;
    kunmap_local(kmap_local_range(block, 0, PAGE_SIZE << BLOCK_ORDER));
}

static void open_scattered(void *unused)
{
    (void)unused;
    struct page *const pages[] = {block + 2, frame, block};
    kunmap_local(kmap_local_pages(pages, ARRAY_SIZE(pages)));
}

TEST(abandoned, brackets)
{
    NEEDS_ACCOUNT();
    in_fills = false;
    static void (*const fns[])(void *) = {open_one, open_range, open_scattered};
    CHECK(frames_get());
    for (unsigned i = 0; i < ARRAY_SIZE(fns); i++) {
        unsigned steps;
        CHECK_EQ(abandon_each(NULL, fns[i], 1, &steps), -1);
        CHECK(steps > 20);
    }
    frames_put();
}

// -------------------------------------------------------------- What is filled

// A fill is hundreds of steps that are alike. Outside of fills, a frame that is
// half on a list is lost, and the audit says so.
#define STRIDE 61

static void take_one(void *unused)
{
    (void)unused;
    taken = alloc_page(domain_ram);
}

static void give_one(void *unused)
{
    (void)unused;
    struct page *page = taken;
    free_page(page);
}

static void one_to_give(void)
{
    taken = alloc_page(domain_ram);
}

static void take_block(void *unused)
{
    (void)unused;
    taken = alloc_pages(domain_ram, 1);
}

static void give_block(void *unused)
{
    (void)unused;
    free_pages(taken, 1);
}

static void block_to_give(void)
{
    taken = alloc_pages(domain_ram, 1);
}

TEST(abandoned, fills)
{
    NEEDS_ACCOUNT();
    unsigned steps;
    uint32_t pins = domain_ram->pins;
    CHECK(frames_get());
    in_fills = true;
    CHECK_EQ(abandon_each(NULL, take_one, STRIDE, &steps), -1);
    CHECK(steps > 5);
    free_page(taken);
    CHECK_EQ(abandon_each(one_to_give, give_one, STRIDE, &steps), -1);
    CHECK(steps > 5);
    CHECK_EQ(abandon_each(NULL, take_block, STRIDE, &steps), -1);
    CHECK(steps > 10);
    free_pages(taken, 1);
    CHECK_EQ(abandon_each(block_to_give, give_block, STRIDE, &steps), -1);
    CHECK(steps > 10);
    in_fills = false;
    // Keys that are pinned could not be taken from their domains.
    CHECK_EQ(domain_ram->pins, pins);
    frames_put();
}

// ------------------------------------------------------------------ In
// handlers

// The list ends with its page, and the next page is nobody's: two of three
// frames are mapped when the handler is refused.
static void open_half_a_list(void *unused)
{
    (void)unused;
    struct page **list = kmap_local_page(frame);
    const size_t last = PAGE_SIZE / sizeof(void *) - 2;
    list[last] = block;
    list[last + 1] = block + 1;
    kunmap_local(kmap_local_pages(&list[last], 3));
}

TEST(abandoned, half_a_list_in_a_handler)
{
    NEEDS_REFUSALS();
    CHECK(frames_get());
    struct catch_frame catch;
    bool refused = true;
    if (catch_enter(&catch) == 0) {
        catch.handlers_too = true;
        cpu_call(cpu_id(), open_half_a_list, NULL);
        catch_leave(&catch);
        refused = false;
    }
    CHECK(refused);
    CHECK(nothing_is_open());
    frames_put();
}
