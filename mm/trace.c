// SPDX-License-Identifier: MIT
//
// Writing the rings, and reading them while they are written.
#include "mm/trace.h"

#include "arch/cpu.h"
#include "arch/percpu.h"
#include "arch/pks.h"
#include "lib/log.h"
#include "mm/frames.h"
#include "mm/heap.h"
#include "mm/layout.h"
#include "mm/misuse.h"
#include "mm/profile.h"
#include "mm/watch_internal.h"

_Static_assert(ARRAY_SIZE(((struct trace_cursor *)0)->next) == CPUS_MAX,
               "trace.h");

__ro_after_init bool trace_is_on;

__init void trace_init(void)
{
    for (unsigned cpu = 0; trace_is_on && cpu < CPUS_MAX; cpu++) {
        struct cpu_data *data = cpu_data_of(cpu);
        if (data == NULL) {
            continue;
        }
        data->trace_ring = kzalloc(TRACE_EVENTS * sizeof(struct trace_event));
        if (data->trace_ring == NULL) {
            log_line(LOG_WARN, "no memory for the history of CPU %u", cpu);
        }
    }
    if (trace_is_on) {
        vmap_watch_locked(false); // nobody else runs
        profile_init();
    }
}

// A place for an event, which says that it is being written. Interrupts off; an
// NMI in between gets the next. NULL: no ring.
static inline struct trace_event *event_begin(uint32_t *number)
{
    struct trace_event *ring = percpu.trace_ring;
    if (ring == NULL) {
        return NULL;
    }
    uint32_t last = 1;
    __asm__ volatile("xaddl %0, %%gs:%c1"
                     : "+r"(last)
                     : "i"(offsetof(struct cpu_data, trace_newest))
                     : "cc", "memory");
    *number = last + 1;
    struct trace_event *event = &ring[*number % TRACE_EVENTS];
    event->number = 0;
    cpu_compiler_barrier();
    event->time = cpu_read_tsc();
    event->thread = percpu.thread;
    event->cpu = percpu.cpu;
    event->level = (uint8_t)percpu.trap_level;
    return event;
}

static inline void event_end(struct trace_event *event, uint32_t number)
{
    cpu_compiler_barrier();
    event->number = number;
}

static void record(enum trace_kind kind, struct bracket *slot, uint32_t first,
                   uintptr_t address, uint32_t rights, int32_t site)
{
    uint64_t flags = cpu_interrupts_off();
    uint32_t number;
    struct trace_event *event = event_begin(&number);
    if (event != NULL) {
        size_t frames = bracket_frames(slot);
        event->kind = (uint8_t)kind;
        event->address = address;
        event->frame = first;
        event->frames = (uint16_t)MIN(frames, (size_t)UINT16_MAX);
        event->rights = rights;
        event->site = site;
        uint32_t now = (uint32_t)(event->time / BRACKET_TIME_UNIT);
        event_end(event, number);
        if (kind == TRACE_MAP) {
            slot->map_time = now; // release builds have no other stamp
        } else if (kind == TRACE_UNMAP) {
            profile_note(slot, now, site);
        }
    }
    cpu_interrupts_restore(flags);
}

void trace_bracket_slow(enum trace_kind kind, struct bracket *slot,
                        uint32_t first, uintptr_t address, int32_t site)
{
    record(kind, slot, first, address,
           kind == TRACE_UNMAP ? slot[-1].rights : pks_rights(), site);
}

void trace_long_slow(enum trace_kind kind, uint64_t first, size_t frames,
                     uintptr_t address, uintptr_t site)
{
    uint64_t flags = cpu_interrupts_off();
    uint32_t number;
    struct trace_event *event = event_begin(&number);
    if (event != NULL) {
        event->kind = (uint8_t)kind;
        event->address = address;
        event->frame = (uint32_t)first;
        event->frames = (uint16_t)MIN(frames, (size_t)UINT16_MAX);
        event->rights = pks_rights();
        event->site = site_pack(site);
        event_end(event, number);
    }
    cpu_interrupts_restore(flags);
}

uint64_t trace_list_first(struct page *const pages[], size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (pages[i] != pages[0] + i) {
            return 0;
        }
    }
    return page_frame(pages[0]);
}

void trace_fault(const struct fault *fault, uint32_t rights)
{
    uint64_t flags = cpu_interrupts_off();
    uint32_t number;
    struct trace_event *event = event_begin(&number);
    if (event != NULL) {
        event->kind = TRACE_FAULT;
        event->address = fault->address;
        event->frame =
            fault->page != NULL ? page_to_phys(fault->page) / PAGE_SIZE : 0;
        event->frames = 1;
        event->rights = rights;
        event->site = site_pack(fault->ip);
        event_end(event, number);
    }
    cpu_interrupts_restore(flags);
}

__used void trace_map(struct bracket *slot, uintptr_t address, uint32_t rights)
{
    record(TRACE_MAP, slot, trace_frame(slot), address, rights, slot->map_site);
}

__used void trace_unmap(struct bracket *top, uintptr_t address, uint32_t rights,
                        uintptr_t site)
{
    record(TRACE_UNMAP, top - 1, trace_frame(top - 1), address, rights,
           site_pack(site));
}

// --------------------------------------------------------------------- Reading

uint32_t trace_newest(unsigned cpu)
{
    const struct cpu_data *data = cpu_data_of(cpu);
    return data == NULL || data->trace_ring == NULL
               ? 0
               : __atomic_load_n(&data->trace_newest, __ATOMIC_ACQUIRE);
}

bool trace_read(unsigned cpu, uint32_t number, struct trace_event *event)
{
    const struct trace_event *from =
        &cpu_data_of(cpu)->trace_ring[number % TRACE_EVENTS];
    *event = *(const volatile struct trace_event *)from;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return number != 0 && event->number == number &&
           __atomic_load_n(&from->number, __ATOMIC_RELAXED) == number;
}

void trace_begin(struct trace_cursor *cursor)
{
    for (unsigned cpu = 0; cpu < CPUS_MAX; cpu++) {
        cursor->next[cpu] = cpu < cpus_count ? trace_newest(cpu) : 0;
    }
}

bool trace_back(struct trace_cursor *cursor, struct trace_event *event)
{
    struct trace_event at;
    unsigned best = CPUS_MAX;
    for (unsigned cpu = 0; cpu < cpus_count; cpu++) {
        while (cursor->next[cpu] != 0 &&
               !trace_read(cpu, cursor->next[cpu], &at)) {
            bool gone = trace_newest(cpu) - cursor->next[cpu] >= TRACE_EVENTS;
            cursor->next[cpu] = gone ? 0 : cursor->next[cpu] - 1;
        }
        if (cursor->next[cpu] != 0 &&
            (best == CPUS_MAX || at.time > event->time)) {
            *event = at;
            best = cpu;
        }
    }
    if (best == CPUS_MAX) {
        return false;
    }
    cursor->next[best]--;
    return true;
}
