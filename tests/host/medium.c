// SPDX-License-Identifier: MIT
//
// The host's medium: brackets, and who may touch which frame. A frame that no
// bracket opens is poisoned, and one that none opens for writing is read-only
// in the host's page tables.

#include "tests/host/medium.h"

#include <pthread.h>
#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "tests/host/medium_internal.h"

static struct medium *media;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; // of all counts
struct medium_counts medium_counted;

static __thread struct medium_bracket brackets[MEDIUM_BRACKETS];
static __thread unsigned brackets_open;

void medium_misuse(const char *what)
{
    fprintf(stderr, "MISUSE: %s\n", what);
    abort();
}

static void *demand_memory(void *memory)
{
    if (memory == NULL) {
        medium_misuse("the host is out of memory");
    }
    return memory;
}

static void protect(struct medium *medium, size_t frame, size_t count, int prot)
{
    if (mprotect(medium->image + frame * PAGE_SIZE, count * PAGE_SIZE, prot) !=
        0) {
        medium_misuse("mprotect");
    }
}

// The host's permissions as the frame's state wants them.
static void protect_again(struct medium *medium, size_t frame)
{
    bool write = medium->writers[frame] > 0 && !medium->frozen[frame];

    protect(medium, frame, 1, write ? PROT_READ | PROT_WRITE : PROT_READ);
}

struct medium *medium_create(size_t bytes)
{
    struct medium *medium = demand_memory(calloc(1, sizeof(*medium)));
    size_t frames = bytes / PAGE_SIZE;
    uint8_t *around;

    if (bytes == 0 || bytes % PAGE_SIZE != 0) {
        medium_misuse("a medium of no whole frames");
    }
    around = mmap(NULL, bytes + 2 * PAGE_SIZE, PROT_NONE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (around == MAP_FAILED ||
        mprotect(around + PAGE_SIZE, bytes, PROT_READ) != 0) {
        medium_misuse("the host is out of memory");
    }
    medium->image = around + PAGE_SIZE;
    medium->bytes = bytes;
    medium->frames = frames;
    medium->pages = demand_memory(calloc(frames, sizeof(*medium->pages)));
    medium->readers = demand_memory(calloc(frames, sizeof(uint16_t)));
    medium->writers = demand_memory(calloc(frames, sizeof(uint16_t)));
    medium->frozen = demand_memory(calloc(frames, 1));
    __asan_poison_memory_region(medium->image, bytes);
    pthread_mutex_lock(&lock);
    medium->next = media;
    media = medium;
    pthread_mutex_unlock(&lock);
    return medium;
}

void medium_destroy(struct medium *medium)
{
    struct medium **link = &media;

    for (size_t i = 0; i < medium->frames; i++) {
        if (medium->readers[i] + medium->writers[i] > 0 || medium->frozen[i]) {
            medium_misuse("a medium ends with an open bracket or frozen");
        }
    }
    pthread_mutex_lock(&lock);
    while (*link != medium) {
        link = &(*link)->next;
    }
    *link = medium->next;
    pthread_mutex_unlock(&lock);
    __asan_unpoison_memory_region(medium->image, medium->bytes);
    munmap(medium->image - PAGE_SIZE, medium->bytes + 2 * PAGE_SIZE);
    free(medium->pages);
    free(medium->readers);
    free(medium->writers);
    free(medium->frozen);
    free(medium);
}

struct page *medium_pages(const struct medium *medium)
{
    return medium->pages;
}

size_t medium_bytes(const struct medium *medium)
{
    return medium->bytes;
}

// Past the sanitizer, which is right about everybody else.
static void copy_raw(void *to, const void *from, size_t length)
{
    __asm__ volatile("rep movsb"
                     : "+D"(to), "+S"(from), "+c"(length)
                     :
                     : "memory");
}

static void demand_inside(const struct medium *medium, size_t offset,
                          size_t length)
{
    if (offset > medium->bytes || length > medium->bytes - offset) {
        medium_misuse("a read or write outside of the medium");
    }
}

void medium_read(const struct medium *medium, size_t offset, void *to,
                 size_t length)
{
    demand_inside(medium, offset, length);
    copy_raw(to, medium->image + offset, length);
}

void medium_write(struct medium *medium, size_t offset, const void *from,
                  size_t length)
{
    demand_inside(medium, offset, length);
    if (length == 0) {
        return;
    }
    size_t first = offset / PAGE_SIZE;
    size_t end = (offset + length - 1) / PAGE_SIZE + 1;
    pthread_mutex_lock(&lock);
    protect(medium, first, end - first, PROT_READ | PROT_WRITE);
    copy_raw(medium->image + offset, from, length);
    protect(medium, first, end - first, PROT_READ);
    for (size_t i = first; i < end; i++) {
        if (medium->writers[i] > 0) {
            protect_again(medium, i);
        }
    }
    pthread_mutex_unlock(&lock);
}

// ------------------------------------------------------------------ Brackets

static bool has_page(const struct medium *medium, uintptr_t page)
{
    return page >= (uintptr_t)medium->pages &&
           page < (uintptr_t)(medium->pages + medium->frames);
}

static bool has_byte(const struct medium *medium, uintptr_t address)
{
    return address - (uintptr_t)medium->image < medium->bytes;
}

static struct medium *find(bool (*has)(const struct medium *, uintptr_t),
                           uintptr_t what)
{
    pthread_mutex_lock(&lock);
    struct medium *medium = media;
    while (medium != NULL && !has(medium, what)) {
        medium = medium->next;
    }
    pthread_mutex_unlock(&lock);
    if (medium == NULL) {
        medium_misuse("a frame of no medium");
    }
    return medium;
}

struct medium *medium_of(const struct page *page)
{
    return find(has_page, (uintptr_t)page);
}

struct medium *medium_at(uintptr_t address)
{
    return find(has_byte, address);
}

void medium_turn(const struct medium_bracket *bracket, int by)
{
    struct medium *medium = bracket->medium;
    size_t last = (bracket->offset + bracket->length - 1) / PAGE_SIZE;

    pthread_mutex_lock(&lock);
    for (size_t i = bracket->offset / PAGE_SIZE; i <= last; i++) {
        uint16_t *users =
            bracket->writable ? &medium->writers[i] : &medium->readers[i];
        void *frame = medium->image + i * PAGE_SIZE;
        *users = (uint16_t)(*users + by);
        if (medium->readers[i] + medium->writers[i] == 0) {
            __asan_poison_memory_region(frame, PAGE_SIZE);
        } else {
            __asan_unpoison_memory_region(frame, PAGE_SIZE);
        }
        if (bracket->writable) {
            protect_again(medium, i);
        }
    }
    pthread_mutex_unlock(&lock);
}

static void *map(struct page *first, size_t offset, size_t length, bool write)
{
    struct medium *medium = medium_of(first);
    size_t place = (size_t)(first - medium->pages) * PAGE_SIZE;

    if (length == 0 || offset > medium->bytes - place ||
        length > medium->bytes - place - offset) {
        medium_misuse("a bracket that is empty or leaves its medium");
    }
    if (brackets_open == MEDIUM_BRACKETS) {
        medium_misuse("too many brackets");
    }
    struct medium_bracket *bracket = &brackets[brackets_open++];
    *bracket = (struct medium_bracket){medium, place + offset, length, write};
    medium_turn(bracket, 1);
    __atomic_fetch_add(&medium_counted.brackets, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&medium_counted.write_brackets, write, __ATOMIC_RELAXED);
    return medium->image + bracket->offset;
}

void *kmap_local_range(struct page *first, size_t offset, size_t length)
{
    return map(first, offset, length, true);
}

const void *kmap_local_range_ro(struct page *first, size_t offset,
                                size_t length)
{
    return map(first, offset, length, false);
}

void *kmap_local_page(struct page *page)
{
    return map(page, 0, PAGE_SIZE, true);
}

const void *kmap_local_page_ro(struct page *page)
{
    return map(page, 0, PAGE_SIZE, false);
}

void kunmap_local(const void *address)
{
    if (brackets_open == 0) {
        medium_misuse("no bracket is open");
    }
    struct medium_bracket *bracket = &brackets[brackets_open - 1];
    if (address != bracket->medium->image + bracket->offset) {
        medium_misuse("an unmap out of order");
    }
    struct medium *medium = bracket->medium;
    if (bracket->writable && medium->watcher != NULL) {
        medium->watcher->unmap(medium->watcher_arg, bracket->offset,
                               bracket->length);
    }
    brackets_open--;
    medium_turn(bracket, -1);
}

unsigned medium_brackets(const struct medium_bracket **first)
{
    *first = brackets;
    return brackets_open;
}

void medium_watch(struct medium *medium, const struct medium_watcher *watcher,
                  void *arg)
{
    medium->watcher = watcher;
    medium->watcher_arg = arg;
}

void medium_tell_drain(uintptr_t site)
{
    pthread_mutex_lock(&lock);
    for (struct medium *one = media; one != NULL; one = one->next) {
        if (one->watcher != NULL) {
            one->watcher->drain(one->watcher_arg, site);
        }
    }
    pthread_mutex_unlock(&lock);
}

// ------------------------------------------------------------------ Freezing

static unsigned freeze_fails_in;
static int freeze_error;
static medium_freeze_hook *freeze_hook;

void medium_fail_freeze(unsigned nth, int error)
{
    freeze_fails_in = nth;
    freeze_error = error;
}

void medium_on_freeze(medium_freeze_hook *hook)
{
    freeze_hook = hook;
}

// Whether frames are frozen as one range: 1 where it begins, 2 further on.
static bool is_frozen_as(const struct medium *medium, size_t first,
                         size_t count)
{
    bool whole = medium->frozen[first] == 1;

    for (size_t i = 1; i < count; i++) {
        whole = whole && medium->frozen[first + i] == 2;
    }
    return whole && (first + count == medium->frames ||
                     medium->frozen[first + count] != 2);
}

int freeze_range(struct page *first, size_t count, enum fault_mode mode)
{
    struct medium *medium = medium_of(first);
    size_t place = (size_t)(first - medium->pages);

    (void)mode;
    if (count == 0 || count > medium->frames - place) {
        return -EINVAL;
    }
    if (freeze_fails_in > 0 && --freeze_fails_in == 0) {
        return freeze_error;
    }
    pthread_mutex_lock(&lock);
    bool free = true;
    for (size_t i = 0; i < count; i++) {
        free = free && !medium->frozen[place + i];
    }
    for (size_t i = 0; free && i < count; i++) {
        medium->frozen[place + i] = i == 0 ? 1 : 2;
        protect_again(medium, place + i);
    }
    medium_counted.freezes += free;
    pthread_mutex_unlock(&lock);
    if (free && freeze_hook != NULL) {
        freeze_hook(medium, place * PAGE_SIZE, count * PAGE_SIZE);
    }
    return free ? 0 : -EEXIST;
}

int thaw_range(struct page *first, size_t count)
{
    struct medium *medium = medium_of(first);
    size_t place = (size_t)(first - medium->pages);

    if (count == 0 || count > medium->frames - place) {
        return -ENOENT;
    }
    pthread_mutex_lock(&lock);
    bool frozen = is_frozen_as(medium, place, count);
    for (size_t i = 0; frozen && i < count; i++) {
        medium->frozen[place + i] = 0;
        protect_again(medium, place + i);
    }
    pthread_mutex_unlock(&lock);
    return frozen ? 0 : -ENOENT;
}
