// SPDX-License-Identifier: MIT
//
// What the rings hold, for people and for tools/trace-json.
#include "kernel/trace_print.h"

#include "arch/cpu.h"
#include "kernel/backtrace.h"
#include "kernel/json.h"
#include "kernel/symbols.h"
#include "kernel/thread.h"
#include "kernel/timer.h"
#include "mm/frames.h"
#include "mm/misuse.h"
#include "mm/section.h"
#include "mm/trace.h"

#define SHOWN_OF_FRAME 3
#define SHOWN_OF_DOMAIN 2

static const char *const kinds[] = {
    [TRACE_MAP] = "map",       [TRACE_UNMAP] = "unmap",   [TRACE_LEFT] = "left",
    [TRACE_KMAP] = "kmap",     [TRACE_KUNMAP] = "kunmap", [TRACE_VMAP] = "vmap",
    [TRACE_VUNMAP] = "vunmap", [TRACE_FAULT] = "fault",
};

void print_ago(uint64_t ticks)
{
    uint64_t per_ms = clock_ticks(1000);
    if (per_ms == 0) {
        printf("%llu ticks ago", (unsigned long long)ticks);
    } else if (ticks < 10 * per_ms) {
        printf("%llu us ago", (unsigned long long)(ticks * 1000 / per_ms));
    } else {
        printf("%llu ms ago", (unsigned long long)(ticks / per_ms));
    }
}

static void print_event(const struct trace_event *event, bool with_frame)
{
    printf("    %-5s by ", kinds[event->kind]);
    print_code_place(site_unpack(event->site) - (event->kind != TRACE_FAULT));
    printf("\n          ");
    if (with_frame) {
        printf("frame 0x%llx", (unsigned long long)event->frame * PAGE_SIZE);
        if (event->frames > 1) {
            printf(" and %u more", event->frames - 1);
        }
        printf(", ");
    }
    printf("thread %s, CPU %u, ",
           thread_name_at(event->thread, event->time, NULL), event->cpu);
    if (event->level != 0) {
        printf("trap level %u, ", event->level);
    }
    print_ago(cpu_read_tsc() - event->time);
    printf("\n");
}

static bool is_of_frame(const struct trace_event *event,
                        const struct page *page)
{
    uint64_t frame = page_to_phys(page) / PAGE_SIZE;
    return event->frame != 0 && frame - event->frame < event->frames;
}

static bool is_of_domain(const struct trace_event *event,
                         const struct page *page)
{
    phys_addr_t at = (phys_addr_t)event->frame * PAGE_SIZE;
    return event->frame != 0 && section_is_ready(at) &&
           page_domain(page) != NULL &&
           page_domain(frame_page(event->frame)) == page_domain(page);
}

// The newest that are about the frame, or only about its domain; the fault that
// is being reported, and those after it, are none of them.
static void print_matching(const struct page *page, bool of_frame,
                           unsigned count, const char *title)
{
    struct trace_cursor cursor;
    struct trace_event event;
    unsigned shown = 0;
    trace_begin(&cursor);
    while (shown < count && trace_back(&cursor, &event)) {
        bool here = is_of_frame(&event, page);
        if (event.kind != TRACE_FAULT &&
            (of_frame ? here : !here && is_of_domain(&event, page))) {
            if (shown++ == 0) {
                printf("  %s\n", title);
            }
            print_event(&event, !of_frame);
        }
    }
}

void trace_print_frame(const struct page *page)
{
    if (trace_is_on) {
        print_matching(page, true, SHOWN_OF_FRAME,
                       "history of this frame, newest first:");
        print_matching(page, false, SHOWN_OF_DOMAIN, "history of its domain:");
    }
}

unsigned trace_print_last(unsigned count, const char *title)
{
    struct trace_cursor cursor;
    struct trace_event event;
    unsigned shown = 0;
    trace_begin(&cursor);
    for (; shown < count && trace_back(&cursor, &event); shown++) {
        if (shown == 0) {
            printf("%s", title);
        }
        print_event(&event, true);
    }
    return shown;
}

static void print_json(const struct trace_event *event, uint64_t per_ms)
{
    uintptr_t ip = site_unpack(event->site) - (event->kind != TRACE_FAULT);
    const char *function = symbol_innermost(ip), *file;
    unsigned line;
    printf("trace {\"kind\":\"%s\",\"ticks\":%llu,\"ticks_per_ms\":%llu,"
           "\"cpu\":%u,\"level\":%u,\"number\":%u,\"address\":\"0x%llx\","
           "\"frame\":\"0x%llx\",\"frames\":%u,\"rights\":\"0x%x\",\"thread\":",
           kinds[event->kind], (unsigned long long)event->time,
           (unsigned long long)per_ms, event->cpu, event->level, event->number,
           (unsigned long long)event->address,
           (unsigned long long)event->frame * PAGE_SIZE, event->frames,
           event->rights);
    uint64_t born;
    print_json_string(thread_name_at(event->thread, event->time, &born));
    printf(",\"id\":\"0x%llx/%llu\"",
           (unsigned long long)(uintptr_t)event->thread,
           (unsigned long long)born);
    if (function != NULL) {
        printf(",\"function\":\"%s\"", function);
    }
    if (symbol_line(ip, &file, &line)) {
        printf(",\"file\":");
        print_json_string(file);
        printf(",\"line\":%u", line);
    }
    printf("}\n");
}

void trace_dump(void)
{
    static struct trace_cursor cursor; // large, and the stack may be what broke
    struct trace_event event;
    uint64_t per_ms = clock_ticks(1000);
    trace_begin(&cursor);
    while (trace_back(&cursor, &event)) {
        print_json(&event, per_ms);
    }
}
