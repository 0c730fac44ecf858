// SPDX-License-Identifier: MIT
//
// The store of this tree for the yardstick, on plain memory: what the kernel's
// calls do is left out, and cheap. So what is counted is the store's own code,
// with its checksums, copies, and one instruction for each line that it
// flushes. What brackets cost is for the kernel's benchmarks.
#include "apps/store/store.h"

#include "kernel/mutex.h"
#include "yardstick.h"

#include <stdlib.h>
#include <sys/mman.h>

#define BYTES_PER_ITEM 400
#define LINE 64

static struct store *store;
static struct store_tx *tx;
static struct store_view view;
static bool in_view;

static struct page *frames;
static char *memory;
static size_t memory_size;

// ------------------------------------------------------- The kernel's calls

static char *address_of(const struct page *page)
{
    return memory + (size_t)(page - frames) * PAGE_SIZE;
}

void *kmap_local_range(struct page *first, size_t offset, size_t length)
{
    (void)length;
    return address_of(first) + offset;
}

const void *kmap_local_range_ro(struct page *first, size_t offset,
                                size_t length)
{
    return kmap_local_range(first, offset, length);
}

void kunmap_local(const void *address)
{
    (void)address;
}

phys_addr_t page_to_phys(const struct page *page)
{
    return (uintptr_t)address_of(page);
}

void *vmap_range(phys_addr_t base, size_t length, unsigned prot)
{
    (void)length, (void)prot;
    return (void *)(uintptr_t)base; // NOLINT(performance-no-int-to-ptr)
}

void vunmap(const void *address)
{
    (void)address;
}

int freeze_range(struct page *first, size_t count, enum fault_mode mode)
{
    (void)first, (void)count, (void)mode;
    return 0;
}

int thaw_range(struct page *first, size_t count)
{
    (void)first, (void)count;
    return 0;
}

void pmem_flush(const void *address, size_t length)
{
    uintptr_t end = (uintptr_t)address + length;

    for (uintptr_t at = (uintptr_t)address & -LINE; at < end; at += LINE) {
        __asm__ volatile("clflush (%0)" : : "r"(at) : "memory");
    }
}

void pmem_drain(void)
{
    __asm__ volatile("sfence" : : : "memory");
}

void pmem_persist(const void *address, size_t length)
{
    pmem_flush(address, length);
    pmem_drain();
}

void *kmalloc(size_t size)
{
    return malloc(size);
}

void *kzalloc(size_t size)
{
    return calloc(1, size);
}

void kfree(void *object)
{
    free(object);
}

// One thread: nobody to wait for.
void mutex_init(struct mutex *mutex, const char *name)
{
    (void)name;
    mutex->held = false;
}

void mutex_lock(struct mutex *mutex)
{
    mutex->held = true;
}

bool mutex_trylock(struct mutex *mutex)
{
    mutex->held = true;
    return true;
}

void mutex_unlock(struct mutex *mutex)
{
    mutex->held = false;
}

bool mutex_is_held(const struct mutex *mutex)
{
    return mutex->held;
}

// ---------------------------------------------------------------- The store

static void check(int status)
{
    if (status != 0) {
        yardstick_fail("store", status == -ENOSPC ? "-ENOSPC" : "an error");
    }
}

static void open_store(const char *folder, uint64_t items)
{
    static const uint8_t uuid[STORE_UUID_SIZE] = "yardstick";

    (void)folder;
    memory_size = (items + 20000) * BYTES_PER_ITEM & -(size_t)STORE_BLOCK_SIZE;
    memory = mmap(NULL, memory_size, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    frames = calloc(memory_size / PAGE_SIZE, sizeof(*frames));
    if (memory == MAP_FAILED || frames == NULL) {
        yardstick_fail("store", "no memory");
    }
    check(store_format(frames, memory_size, uuid, false));
    check(store_mount(frames, memory_size, 0, &store, NULL));
}

static void close_store(void)
{
    check(store_unmount(store));
    munmap(memory, memory_size);
    free(frames);
}

static void begin(void)
{
    check(store_begin(store, &tx));
}

static void commit(void)
{
    check(store_commit(tx));
}

static struct store_key key_of(const struct yardstick_key *key)
{
    return (struct store_key){key->object, key->offset, key->type};
}

static void put(const struct yardstick_key *key, const void *value)
{
    struct store_key name = key_of(key);

    check(store_tx_put(tx, &name, value, YARDSTICK_VALUE_SIZE));
}

static void view_begin(void)
{
    check(store_view_begin(store, 0, &view));
    in_view = true;
}

static void view_end(void)
{
    store_view_end(&view);
    in_view = false;
}

static void get(const struct yardstick_key *key, void *value)
{
    struct store_key name = key_of(key);
    size_t size;

    check(in_view
              ? store_view_get(&view, &name, value, YARDSTICK_VALUE_SIZE, &size)
              : store_get(store, &name, value, YARDSTICK_VALUE_SIZE, &size));
}

struct scan {
    uint64_t sum;
    unsigned count, seen;
};

static int scan_one(void *arg, const struct store_key *key, const void *value,
                    size_t size)
{
    struct scan *scan = arg;

    (void)key, (void)size;
    scan->sum += yardstick_sum(value);
    return ++scan->seen == scan->count;
}

static uint64_t scan(const struct yardstick_key *from, unsigned count,
                     unsigned *seen)
{
    static const struct store_key last = {UINT64_MAX - 1, UINT64_MAX, 255};
    struct store_key first = key_of(from);
    struct scan found = {.count = count};
    struct store_view scanned;

    check(store_view_begin(store, 0, &scanned));
    if (store_view_scan(&scanned, &first, &last, scan_one, &found) < 0) {
        yardstick_fail("store", "a scan failed");
    }
    store_view_end(&scanned);
    *seen = found.seen;
    return found.sum;
}

const struct yardstick_engine yardstick_store = {
    .name = "store",
    .open = open_store,
    .close = close_store,
    .begin = begin,
    .put = put,
    .commit = commit,
    .get = get,
    .view_begin = view_begin,
    .view_end = view_end,
    .scan = scan,
};
