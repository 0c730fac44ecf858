// SPDX-License-Identifier: MIT
//
// The fault report for programs: one line of JSON.
#include "arch/percpu.h"
#include "arch/pks.h"
#include "kernel/backtrace.h"
#include "kernel/config.h"
#include "kernel/fault.h"
#include "kernel/fault_parts.h"
#include "kernel/frame_print.h"
#include "kernel/json.h"
#include "kernel/symbols.h"
#include "kernel/thread.h"
#include "mm/bracket.h"
#include "mm/engine.h"
#include "mm/keys.h"
#include "mm/misuse.h"
#include "mm/watch.h"

#define CALLS_SHOWN 16
#define BRACKETS_SHOWN 4

static void print_json_name(const char *name, const char *text)
{
    printf(",\"%s\":", name);
    if (text != NULL) {
        print_json_string(text);
    } else {
        printf("null");
    }
}

// "prefix_function":...,"prefix_file":...,"prefix_line":...
static void print_json_place_of(const char *prefix, const char *function,
                                uintptr_t ip)
{
    const char *file;
    unsigned line;
    char name[32];
    snprintf(name, sizeof(name), "%sfunction", prefix);
    print_json_name(name, function);
    if (ip != 0 && symbol_line(ip, &file, &line)) {
        snprintf(name, sizeof(name), "%sfile", prefix);
        print_json_name(name, file);
        printf(",\"%sline\":%u", prefix, line);
    }
}

static void print_json_place(const char *prefix, uintptr_t ip)
{
    print_json_place_of(prefix, ip != 0 ? symbol_innermost(ip) : NULL, ip);
}

// {"function":...,"file":...,"line":...} of each function that the instruction
// belongs to, innermost first, with commas between.
static void print_json_frames(uintptr_t ip, bool first)
{
    struct symbol_frame frames[SYMBOL_FRAMES_MAX];
    unsigned count = symbol_frames(ip, frames);
    for (unsigned i = 0; i < count; i++) {
        printf("%s{\"function\":", first && i == 0 ? "" : ",");
        print_json_string(frames[i].function);
        if (frames[i].line != 0) {
            print_json_name("file", frames[i].file);
            printf(",\"line\":%u", frames[i].line);
        }
        printf("}");
    }
}

static void print_json_calls(const struct trap_frame *trap)
{
    uintptr_t calls[CALLS_SHOWN];
    unsigned count = trap_calls(trap, calls, CALLS_SHOWN);
    printf(",\"calls\":[");
    for (unsigned i = 0; i < count; i++) {
        print_json_frames(calls[i], i == 0);
    }
    printf("]");
}

static void print_json_code(uintptr_t ip)
{
    const uint8_t *code = fault_code(ip);
    if (code == NULL) {
        return;
    }
    printf(",\"code\":\"");
    for (unsigned i = 0; i < FAULT_CODE_BYTES; i++) {
        printf("%02x", code[i]);
    }
    printf("\",\"code_before\":%u", FAULT_CODE_BEFORE);
}

// What the keys that were not closed are called, and what they allowed.
static void print_json_open(uint32_t rights)
{
    const char *comma = "";
    printf(",\"open\":{");
    for (unsigned key = 0; engine->counts_pkrs && key < PKS_KEYS; key++) {
        if (!(rights & PKRS_AD(key))) {
            const char *name = key_name(key);
            printf("%s", comma);
            print_json_string(name != NULL ? name : "unused");
            printf(":\"%s\"", rights & PKRS_WD(key) ? "read" : "write");
            comma = ",";
        }
    }
    printf("}");
}

// The last brackets on the frame, newest first.
static void print_json_brackets(const struct page *page)
{
    unsigned cursor = 0;
    bool open;
    const struct bracket *bracket = bracket_recall(page, &cursor, &open);
    printf(",\"brackets\":[");
    for (unsigned i = 0; i < BRACKETS_SHOWN && bracket != NULL; i++) {
        printf("%s{\"open\":%s,\"ago\":%u", i == 0 ? "" : ",",
               open ? "true" : "false",
               (uint32_t)percpu.brackets_opened - bracket->sequence);
        print_json_place("map_", site_unpack(bracket->map_site) - 1);
        if (!open) {
            print_json_place("unmap_", site_unpack(bracket->unmap_site) - 1);
        }
        printf("}");
        bracket = bracket_recall(page, &cursor, &open);
    }
    printf("]");
}

void fault_print_json(const struct trap_frame *trap, const struct fault *fault,
                      const struct page *page)
{
    printf("fault {\"exception\":\"%s\",\"kind\":\"%s\",\"access\":\"%s\","
           "\"address\":\"%p\",\"ip\":\"%p\",\"error_code\":%u,\"pkey\":%d",
           trap_name(trap->vector), fault_kind_name(fault->kind),
           fault_access_name(fault->access), (void *)fault->address,
           (void *)fault->ip, fault->error_code, fault->pkey);
    print_json_name("key", fault->pkey >= 0 ? key_name(fault->pkey) : NULL);
    uintptr_t helper, caller = code_culprit(trap, &helper);
    if (caller != 0) { // what memcpy() is made of says nothing to anybody
        print_json_place_of("", symbol_find(fault->ip, NULL), fault->ip);
        print_json_place("caller_", caller - 1);
    } else {
        print_json_place("", fault->ip);
    }
    if (page != NULL) {
        printf(",\"frame\":\"0x%llx\"", (unsigned long long)page_to_phys(page));
        print_json_name("owner", frame_owner(page));
        if (frame_site(page) != 0) {
            print_json_place("owner_", frame_site(page) - 1);
        }
    }
    const struct watch *watch = fault_watch(fault);
    if (watch != NULL) {
        print_json_name("watch", watch->frozen                  ? "frozen"
                                 : watch->access == ACCESS_READ ? "access"
                                                                : "write");
        print_json_place("watch_", site_unpack(watch->site) - 1);
    }
    struct long_map map;
    if (fault_mapping(fault, page, &map)) {
        print_json_name("mapping", map.call);
        printf(",\"mapping_open\":%s", map.open ? "true" : "false");
        print_json_place("mapping_", map.site - 1);
    }
    if (page != NULL) {
        print_json_brackets(page);
    }
    print_json_code(fault->ip);
    print_json_calls(trap);
    print_json_open((uint32_t)trap->rights);
    print_json_name("thread", thread_name());
    print_json_name("engine", protect_engine_name(protect_engine()));
    printf(",\"rights\":\"0x%llx\",\"level\":%u,\"cpu\":%u}\n",
           (unsigned long long)trap->rights, percpu.trap_level - 1, fault->cpu);
}
