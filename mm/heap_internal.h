// SPDX-License-Identifier: MIT
//
// The parts of the heap among themselves.
//
//   heap.c         the public calls: a stack of free objects for each size
//   heap_slab.c    slabs, from which these stacks are filled
//   heap_large.c   objects of whole pages
//   heap_memory.c  frames behind a range of the arena
//   heap_check.c   debug builds: red zones, poison, who made an object
//   heap_report.c  misuse, usage, leaks
//
// All of an object's state that the heap relies on lies outside the arena: a
// byte for each 16 bytes of slab says whether a live or a freed object starts
// there, a header for each slab which of its objects it still has. heap_lock
// guards all but the stacks, which belong to this CPU: there interrupts are
// off. mm_lock may be taken inside heap_lock.
#pragma once

#include "arch/spinlock.h"
#include "mm/frames.h"
#include "mm/heap.h"
#include "mm/layout.h"

#ifdef KEYHOLE_DEBUG
#define HEAP_CHECKS 1
#else
#define HEAP_CHECKS 0
#endif

#define HEAP_GRAIN 16
#define HEAP_SMALL_MAX 3072 // a slot larger than this is of whole pages

// Number, size of the next smaller, size: four to a power of two, so that at
// most a fifth of a slot is unused from 64 bytes on.
#define HEAP_SIZES(X)                                                          \
    X(1, 0, 16)                                                                \
    X(2, 16, 32)                                                               \
    X(3, 32, 48)                                                               \
    X(4, 48, 64)                                                               \
    X(5, 64, 80)                                                               \
    X(6, 80, 96)                                                               \
    X(7, 96, 112)                                                              \
    X(8, 112, 128)                                                             \
    X(9, 128, 160)                                                             \
    X(10, 160, 192)                                                            \
    X(11, 192, 224)                                                            \
    X(12, 224, 256)                                                            \
    X(13, 256, 320)                                                            \
    X(14, 320, 384)                                                            \
    X(15, 384, 448)                                                            \
    X(16, 448, 512)                                                            \
    X(17, 512, 640)                                                            \
    X(18, 640, 768)                                                            \
    X(19, 768, 896)                                                            \
    X(20, 896, 1024)                                                           \
    X(21, 1024, 1280)                                                          \
    X(22, 1280, 1536)                                                          \
    X(23, 1536, 1792)                                                          \
    X(24, 1792, 2048)                                                          \
    X(25, 2048, 2560)                                                          \
    X(26, 2560, 3072)
#define HEAP_CLASSES 27 // 0 is none

extern const uint16_t heap_class_size[HEAP_CLASSES];

extern struct spinlock heap_lock;

// ----------------------------------------------------- Frames behind the arena

// A mapped range: its blocks of frames are linked through struct page.
struct heap_memory {
    uint32_t first; // frame number, 0: no frames
    uint32_t pages;
};

// Put frames behind [base, base + pages). False: out of memory, *memory is
// nothing, or what could not be unmapped.
bool heap_memory_map(uintptr_t base, size_t pages, struct heap_memory *memory);

// Unmap the range and give its frames back. False: no page table is left to do
// that (mm/tables.h); *memory is as before, try again later.
bool heap_memory_unmap(uintptr_t base, struct heap_memory *memory);

// Give back frames that are no longer mapped; *memory is nothing then. mm_lock
// held.
void heap_memory_give_locked(struct heap_memory *memory);

// Grow a table at `base` to hold at least `size` bytes, zeroed; *mapped is how
// many it holds. False: out of memory.
bool heap_table_grow(uintptr_t base, size_t size, size_t *mapped);

// ------------------------------------------------------------------- Slabs

#define SLAB_SIZE KIB(16)
#define SLAB_PAGES (SLAB_SIZE / PAGE_SIZE)
#define SLAB_GRAINS (SLAB_SIZE / HEAP_GRAIN)

struct slab {
    uint64_t free[SLAB_GRAINS / 64]; // objects that the slab has, by number
    uint64_t free_words;             // bit n: free[n] is not 0
    struct slab *next, *prev;        // with free objects; `next`: unused slabs
    struct heap_memory memory;
    uint16_t objects; // that fit
    uint16_t free_count;
    uint8_t class;
    bool used; // false: `memory` is nothing, or has still to be unmapped
} __aligned(256);

_Static_assert(sizeof(struct slab) == 256, "a header for each slab");
_Static_assert(HEAP_SLABS_SIZE / SLAB_SIZE * sizeof(struct slab) <=
                   HEAP_HEADERS_SIZE,
               "mm/layout.h");

// A state byte: the class of the live object that starts there, HEAP_FREED and
// the class of one that was freed, or 0.
#define HEAP_FREED 0x80

static inline bool heap_is_live(uint8_t state)
{
    return (int8_t)state > 0;
}

_Static_assert(HEAP_CLASSES <= HEAP_FREED, "a state byte");
_Static_assert(HEAP_GRAIN == BIT(HEAP_STATES_SHIFT), "mm/layout.h");

// How many state bytes are mapped: the arena behind them is not used yet.
extern size_t heap_states_mapped;

// Of an address in the arena.
static inline uint8_t *heap_state(uintptr_t address)
{
    return (uint8_t *)((intptr_t)address >> HEAP_STATES_SHIFT);
}

static inline struct slab *slab_at(size_t number)
{
    return (struct slab *)HEAP_HEADERS_BASE + number;
}

static inline uintptr_t slab_base(const struct slab *slab)
{
    return HEAP_SLABS_BASE +
           (slab - (const struct slab *)HEAP_HEADERS_BASE) * SLAB_SIZE;
}

static inline struct slab *slab_of(uintptr_t object)
{
    return slab_at((object - HEAP_SLABS_BASE) / SLAB_SIZE);
}

// The number of slabs that there are or were.
size_t slabs_count_locked(void);

// Take up to `max` objects of a class. Returns how many; 0: out of memory.
size_t slab_take_locked(unsigned class, void **objects, size_t max);

// Give objects of a class back to their slabs. An empty slab is kept for the
// next need if it is the only one of its class, else given back.
void slab_give_locked(unsigned class, void *const *objects, size_t count);

// Give back all that the stacks and slabs keep.
void heap_trim_locked(void);
void slab_trim_locked(unsigned class);

// ----------------------------------------------------------- Large objects

#define LARGE_ORDERS 20 // slots of 2 to 2^20 pages: an object and its guard
#define LARGE_SPAN (HEAP_LARGE_SIZE / LARGE_ORDERS)
#define LARGE_PAGES_MAX (BIT(LARGE_ORDERS) - 1)

struct large {
    uint64_t size; // asked for
    struct heap_memory memory;
    uint32_t next; // free slot of this order, plus 1; LARGE_LIVE: none
    int32_t alloc_site, free_site;
    uint32_t serial;
};

#define LARGE_LIVE (~0u)

void *large_alloc(size_t size, uintptr_t site);
void large_free(uintptr_t object, uintptr_t site);

// The slot that holds an address of the region, and where the slot begins.
// NULL: never used.
struct large *large_find(uintptr_t address, uintptr_t *base);

// Slot `number` of an order from 1 on; NULL: there are no more.
struct large *large_at_locked(unsigned order, size_t number, uintptr_t *base);

// ------------------------------------------------------------------ Checks

#define HEAP_POISON 0x6b // freed, or never used
#define HEAP_FRESH 0x5a  // given by kmalloc()
#define HEAP_RED 0xbb    // between an object's end and its slot's

// Debug builds keep these behind the objects of a slab, counted from its end.
struct heap_track {
    uint32_t size; // asked for
    uint32_t serial;
    int32_t alloc_site, free_site;
};

#define HEAP_TRACK_SIZE (HEAP_CHECKS ? sizeof(struct heap_track) : 0)

// The slot that an object of `size` bytes needs: in debug builds with room for
// a red zone, aligned as the object must be. `size` is not above
// HEAP_SMALL_MAX; the result may be.
static inline size_t heap_slot_size(size_t size)
{
    if (!HEAP_CHECKS) {
        return size;
    }
    bool power_of_two = size >= HEAP_GRAIN && (size & (size - 1)) == 0;
    return power_of_two ? 2 * size : size + HEAP_GRAIN;
}

// Serial number of the newest object.
extern uint32_t heap_serial;

struct heap_track *heap_track(const struct slab *slab, uintptr_t object);

// A slab's objects are new.
void heap_check_new(const struct slab *slab);
// An object leaves the heap or comes back to it. Do not return if its memory
// was written to when it should not have been.
void heap_check_alloc(void *object, size_t size, unsigned class,
                      uintptr_t site);
void heap_check_free(void *object, unsigned class, uintptr_t site);
void heap_check_large_alloc(uintptr_t object, const struct large *large);
void heap_check_large_free(uintptr_t object, const struct large *large,
                           uintptr_t site);

// ----------------------------------------------------------------- Reports

// Whatever is wrong with this free.
__noreturn __cold void heap_misuse_free(uintptr_t object, uintptr_t site);
