// SPDX-License-Identifier: MIT
//
// The history of brackets and faults: a ring of events for each CPU, the oldest
// of which are overwritten. With the boot word trace=on every map and unmap of
// a local bracket comes by here, those that change no rights too: the calls of
// the hot paths are given hooks when they get their targets, so that they cost
// nothing where the history is off (mm/engine.h).
#pragma once

#include "keyhole.h"
#include "lib/types.h"
#include "mm/bracket.h"

#define TRACE_EVENTS 1024 // of each CPU

// TRACE_LEFT: the code that had mapped it, `site`, was abandoned inside it.
enum trace_kind {
    TRACE_MAP, // local brackets
    TRACE_UNMAP,
    TRACE_LEFT,
    TRACE_KMAP, // mappings for everybody, kmap_range() and vmap_range() too
    TRACE_KUNMAP,
    TRACE_VMAP,
    TRACE_VUNMAP,
    TRACE_FAULT,
};

struct trace_event {
    uint64_t time;    // ticks of the TSC
    uint64_t address; // that the call was given, or was refused
    const struct thread *thread;
    uint32_t frame;  // number of the first; 0: none
    uint32_t number; // of this CPU's events, from 1; 0: being written
    int32_t site;    // packed (mm/misuse.h)
    uint32_t rights; // from here on; of a fault: when it came
    uint16_t frames;
    uint8_t kind;  // enum trace_kind
    uint8_t level; // of traps, 0 in a thread
    uint32_t cpu;
};

extern bool trace_is_on;

// Get rings for all CPUs. Boot, with the heap and the number of CPUs. Without
// memory there is no history, and a line says so.
void trace_init(void);

// Note a bracket that took no hot path: `slot` is its own, `first` the number
// of its first frame, 0: they do not lie side by side. Any context.
#define trace_bracket(...)                                                     \
    do {                                                                       \
        if (unlikely(trace_is_on)) {                                           \
            trace_bracket_slow(__VA_ARGS__);                                   \
        }                                                                      \
    } while (0)
__cold void trace_bracket_slow(enum trace_kind kind, struct bracket *slot,
                               uint32_t first, uintptr_t address, int32_t site);

// `first` of a bracket that is not special.
static inline uint32_t trace_frame(const struct bracket *slot)
{
    uintptr_t direct = bracket_direct_address(slot) - DIRECT_MAP_BASE;
    return direct < DIRECT_MAP_SIZE ? direct / PAGE_SIZE : 0;
}

// Note a mapping for everybody. Any context.
#define trace_long(...)                                                        \
    do {                                                                       \
        if (unlikely(trace_is_on)) {                                           \
            trace_long_slow(__VA_ARGS__);                                      \
        }                                                                      \
    } while (0)
__cold void trace_long_slow(enum trace_kind kind, uint64_t first, size_t frames,
                            uintptr_t address, uintptr_t site);

// `first` of a list.
uint64_t trace_list_first(struct page *const pages[], size_t count);

void trace_fault(const struct fault *fault, uint32_t rights);

// The hooks (mm/trace_calls.asm), what they note, and what they go on to. The
// slot is that of the bracket, below the top or about to be; `top` is above it.
void trace_map(struct bracket *slot, uintptr_t address, uint32_t rights);
void trace_unmap(struct bracket *top, uintptr_t address, uint32_t rights,
                 uintptr_t site);
void trace_map_call(void), trace_map_range_call(void), trace_unmap_call(void);
extern void (*trace_target[])(void);

// Copy event `number` of a CPU. False: overwritten, or being written.
bool trace_read(unsigned cpu, uint32_t number, struct trace_event *event);
// The number of its newest event; 0: none.
uint32_t trace_newest(unsigned cpu);

// Walk back through the events of all CPUs, newest first. False: no more.
struct trace_cursor {
    uint32_t next[64]; // CPUS_MAX
};
void trace_begin(struct trace_cursor *cursor);
bool trace_back(struct trace_cursor *cursor, struct trace_event *event);
