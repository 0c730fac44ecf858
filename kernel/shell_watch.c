// SPDX-License-Identifier: MIT
//
// Who touches a frame: watches, open brackets, and what happened.
#include "kernel/backtrace.h"
#include "kernel/bracket_print.h"
#include "kernel/frame_print.h"
#include "kernel/profile_print.h"
#include "kernel/shell_internal.h"
#include "kernel/thread.h"
#include "kernel/timer.h"
#include "kernel/trace_print.h"
#include "keyhole.h"
#include "mm/domain.h"
#include "mm/engine.h"
#include "mm/frames.h"
#include "mm/layout.h"
#include "mm/lock.h"
#include "mm/long_maps.h"
#include "mm/misuse.h"
#include "mm/pagetable.h"
#include "mm/profile.h"
#include "mm/trace.h"
#include "mm/vmap_slots.h"
#include "mm/watch.h"

#define HISTORY_SHOWN 10
#define HISTORY_MAX 1000
#define SITES_SHOWN 10
#define FREEZE_MAX 1024 // frames, of the largest block

// What a virtual address outside the direct map leads to, and any other address
// as it is.
static uint64_t address_physical(uintptr_t address)
{
    uint64_t size;
    bool high = address >> 47 == BITS(16, 0); // and canonical
    uint64_t leaf = high ? pt_leaf(address, &size) : 0;
    return leaf != 0 && address - DIRECT_MAP_BASE >= DIRECT_MAP_SIZE
               ? (leaf & PTE_ADDRESS & ~(size - 1)) | (address & (size - 1))
               : shell_physical(address);
}

// A frame by its physical address, or by one that it is mapped at, or would be
// in the direct map. NULL: it is none, and that was said.
static struct page *frame_from(const char *text)
{
    uintptr_t address;
    if (!shell_address(text, &address)) {
        return NULL;
    }
    uint64_t physical = address_physical(address);
    struct page *page =
        physical < DIRECT_MAP_SIZE ? phys_to_page(physical) : NULL;
    if (page == NULL) {
        shell_error("%s: no frame is there, and none is mapped there", text);
    }
    return page;
}

static void print_error(int error)
{
    switch (error) {
    case -EINVAL:
        shell_error("not allocated, or not all of one domain");
        break;
    case -EEXIST:
        shell_error("watched or frozen already");
        break;
    case -ENOENT:
        shell_error("not watched, or frozen with another number of frames");
        break;
    case -ENOSPC:
        shell_error("%d are watched already; unwatch some", WATCHES_MAX);
        break;
    default:
        shell_error("out of memory");
        break;
    }
}

static void watches_list(void)
{
    const struct watch *watch = NULL;
    unsigned count = 0;
    for (; (watch = watch_next(watch)) != NULL; count++) {
        printf("  0x%llx, %zu frame%s, %s, thread %s, %u refused\n    by ",
               (unsigned long long)page_to_phys(watch->first), watch->count,
               watch->count == 1 ? "" : "s",
               watch->frozen                  ? "frozen"
               : watch->access == ACCESS_READ ? "every access"
                                              : "writes",
               thread_name_at(watch->thread, watch->time, NULL), watch->hits);
        print_code_place(site_unpack(watch->site) - 1);
        printf("\n");
    }
    if (count == 0) {
        printf("  nothing is watched\n");
    }
}

// The words behind the address, in any order. False: one is none of them.
static bool watch_words(int argc, char **argv, enum fault_access *access,
                        enum fault_mode *mode)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "access") == 0) {
            *access = ACCESS_READ;
        } else if (strcmp(argv[i], "write") == 0) {
            *access = ACCESS_WRITE;
        } else if (strcmp(argv[i], "strict") == 0) {
            *mode = FAULT_MODE_STRICT;
        } else if (strcmp(argv[i], "relaxed") == 0) {
            *mode = FAULT_MODE_RELAXED;
        } else {
            shell_error("%s: want access or write, strict or relaxed", argv[i]);
            return false;
        }
    }
    return true;
}

void shell_watch(int argc, char **argv)
{
    enum fault_access access = ACCESS_READ;
    enum fault_mode mode = FAULT_MODE_RELAXED;
    if (argc == 1) {
        watches_list();
        return;
    }
    struct page *page = frame_from(argv[1]);
    if (page == NULL || !watch_words(argc - 2, argv + 2, &access, &mode)) {
        return;
    }
    int error = watch_page(page, access, mode);
    if (error != 0) {
        print_error(error);
        return;
    }
    printf("  %s to frame 0x%llx %s reported, and %s\n",
           access == ACCESS_READ ? "every access" : "writes",
           (unsigned long long)page_to_phys(page),
           access == ACCESS_READ ? "is" : "are",
           mode == FAULT_MODE_RELAXED ? "let through" : "refused");
}

void shell_unwatch(int argc, char **argv)
{
    (void)argc;
    struct page *page = frame_from(argv[1]);
    if (page == NULL) {
        return;
    }
    int hits = unwatch_page(page);
    if (hits < 0) {
        print_error(hits);
        return;
    }
    printf("  %d access%s\n", hits, hits == 1 ? "" : "es");
}

static bool range_from(int argc, char **argv, struct page **first,
                       uint64_t *count)
{
    *count = 1;
    *first = frame_from(argv[1]);
    return *first != NULL &&
           (argc < 3 || shell_number(argv[2], FREEZE_MAX, count));
}

void shell_freeze(int argc, char **argv)
{
    struct page *first;
    uint64_t count;
    if (!range_from(argc, argv, &first, &count)) {
        return;
    }
    int error = freeze_range(first, count, FAULT_MODE_DEFAULT);
    if (error != 0) {
        print_error(error);
        return;
    }
    printf("  %llu frame%s from 0x%llx on can be read only\n",
           (unsigned long long)count, count == 1 ? "" : "s",
           (unsigned long long)page_to_phys(first));
}

void shell_thaw(int argc, char **argv)
{
    struct page *first;
    uint64_t count;
    if (!range_from(argc, argv, &first, &count)) {
        return;
    }
    int hits = thaw_range(first, count);
    if (hits < 0) {
        print_error(hits);
        return;
    }
    printf("  %d write%s refused meanwhile\n", hits,
           hits == 1 ? " was" : "s were");
}

// Those that are open to everybody. How many lines.
static unsigned mappings_print(struct page *page)
{
    uintptr_t kmap_site = 0, vmap_site = 0;
    uint64_t lock = mm_lock();
    if (long_kmap_is_open(page)) {
        kmap_site = kmap_site_of(page);
    }
    if (long_maps_touched(page)) {
        vmap_holds_locked(page, &vmap_site);
    }
    mm_unlock(lock);
    if (kmap_site != 0) {
        printf("    kmap() by ");
        print_code_place(kmap_site - 1);
        printf("\n");
    }
    if (vmap_site != 0) {
        printf("    vmap() by ");
        print_code_place(vmap_site - 1);
        printf("\n");
    }
    return (kmap_site != 0) + (vmap_site != 0);
}

// What is known of a frame: whose, by which call, what is open on it, and what
// was.
void shell_who(int argc, char **argv)
{
    (void)argc;
    struct page *page = frame_from(argv[1]);
    if (page == NULL) {
        return;
    }
    const struct domain *domain = page_domain(page);
    frame_print(page, domain != NULL && engine->counts_pkrs
                          ? (int)domain_leaf_key(domain)
                          : -1);
    if (watch_of(page) != NULL) {
        watch_print(watch_of(page));
    }
    printf("  brackets open on it:\n");
    if (brackets_print(page) + mappings_print(page) == 0) {
        printf("    none\n");
    }
    trace_print_frame(page);
}

// From now on, brackets that are open for longer count as slow.
static void limit_set(const char *microseconds)
{
    uint64_t us;
    if (!shell_number(microseconds, 1000000, &us)) {
        return;
    }
    profile_limit = (uint32_t)(clock_ticks(us) / BRACKET_TIME_UNIT);
    printf("  slow is over %llu us from now on\n", (unsigned long long)us);
}

void shell_brackets(int argc, char **argv)
{
    uint64_t count = SITES_SHOWN;
    if (argc == 1) {
        printf("  %u open\n", brackets_print(NULL));
        return;
    }
    if (strcmp(argv[1], "--over") == 0) {
        limit_set(argc > 2 ? argv[2] : "");
        return;
    }
    if (strcmp(argv[1], "--top") != 0) {
        shell_error("%s: want --top or --over, and a number", argv[1]);
        return;
    }
    if (argc > 2 && !shell_number(argv[2], PROFILE_SITES, &count)) {
        return;
    }
    if (!profile_print((unsigned)count)) {
        shell_error("there is no history; boot with trace=on");
    }
}

void shell_history(int argc, char **argv)
{
    uint64_t count = HISTORY_SHOWN;
    if (argc > 1 && !shell_number(argv[1], HISTORY_MAX, &count)) {
        return;
    }
    if (!trace_is_on) {
        shell_error("there is no history; boot with trace=on");
    } else if (trace_print_last((unsigned)count, "  newest first:\n") == 0 &&
               count != 0) {
        printf("  nothing has happened\n");
    }
}
