// SPDX-License-Identifier: MIT
//
// Faults on purpose, one of each kind, so that their reports can be seen.
#include "kernel/guard.h"
#include "kernel/shell_internal.h"
#include "keyhole.h"
#include "lib/panic.h"
#include "mm/stack.h"

#define NOT_CANONICAL 0x0001000000000000ull

__noreturn void shell_lose_stack(void);
void shell_probe_to_nowhere(void);

// Where a closed key is; set up before the fault, outside of it.
static struct page *closed_page;

// The byte at an address that the compiler knows nothing about.
static inline volatile uint8_t *byte_at(volatile uintptr_t address)
{
    return (volatile uint8_t *)address;
}

static void fault_pkey(void *unused)
{
    (void)unused;
    (void)*byte_at((uintptr_t)page_direct_map_address(closed_page));
}

static void fault_read_only(void *unused)
{
    (void)unused;
    *byte_at((uintptr_t)&fault_read_only) = 0;
}

static __noinline void fault_not_present(void *unused)
{
    (void)unused;
    (void)*byte_at(0);
}

static void fault_execute(void *unused)
{
    static volatile uint8_t ret = 0xc3; // RET, in data
    (void)unused;
    ((void (*)(void))(uintptr_t)&ret)();
}

static void fault_gp(void *unused)
{
    (void)unused;
    (void)*byte_at(NOT_CANONICAL);
}

static void fault_ud(void *unused)
{
    (void)unused;
    __builtin_trap();
}

static void fault_misuse(void *unused)
{
    static uint8_t not_a_frame;
    (void)unused;
    kunmap_local(&not_a_frame);
}

// Deeper than any stack; the compiler is not to see that.
static __noinline unsigned dig(volatile unsigned depth)
{
    volatile uint8_t local[256];
    local[0] = (uint8_t)depth;
    return depth == 0 ? 0 : dig(depth - 1) + local[0];
}

static void fault_stack(void *unused)
{
    (void)unused;
    dig(1u << 20);
}

// On a stack outside the image, which is kept for the next time.
static void run_elsewhere(void (*run)(void *unused))
{
    static void *top;
    if (top == NULL) {
        top = stack_create("shell", 4);
    }
    if (top != NULL) {
        stack_call(run, NULL, top);
    }
}

static void fault_stack_own(void *unused)
{
    (void)unused;
    run_elsewhere(fault_stack);
}

// With a frame of its own, so that the report leads through it.
static void call_not_present(void *unused)
{
    fault_not_present(unused);
}

static void fault_elsewhere(void *unused)
{
    (void)unused;
    run_elsewhere(call_not_present);
}

static void fault_double(void *unused)
{
    (void)unused;
    shell_lose_stack();
}

// A probe whose answer has no place: the handler faults when it writes it.
static void fault_nested(void *unused)
{
    (void)unused;
    shell_probe_to_nowhere();
}

static void fault_panic(void *unused)
{
    (void)unused;
    panic("asked for on the console");
}

static const struct fault_case {
    const char *name;
    const char *help;
    bool ends; // ends the run
    void (*run)(void *unused);
} cases[] = {
    {"pkey", "read a frame behind a closed key", false, fault_pkey},
    {"read-only", "write to the kernel's code", false, fault_read_only},
    {"not-present", "read address 0", false, fault_not_present},
    {"execute", "call data", false, fault_execute},
    {"gp", "read an address that is not canonical", false, fault_gp},
    {"ud", "an undefined instruction", false, fault_ud},
    {"misuse", "close a bracket that was never opened", false, fault_misuse},
    {"elsewhere", "read address 0 on another stack", false, fault_elsewhere},
    {"stack", "recurse until the stack ends", true, fault_stack},
    {"stack-own", "the same on a stack made for it", true, fault_stack_own},
    {"double", "fault with a stack pointer that points nowhere", true,
     fault_double},
    {"nested", "fault inside the fault handler", true, fault_nested},
    {"panic", "panic()", true, fault_panic},
};

const char *shell_fault_kind(unsigned index)
{
    return index < ARRAY_SIZE(cases) ? cases[index].name : NULL;
}

void shell_fault_list(void)
{
    printf("  KIND is one of\n");
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        printf("    %-12s %s%s\n", cases[i].name, cases[i].help,
               cases[i].ends ? "; ends the run" : "");
    }
}

static const struct fault_case *case_find(const char *name)
{
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        if (strcmp(cases[i].name, name) == 0) {
            return &cases[i];
        }
    }
    return NULL;
}

void shell_fault(int argc, char **argv)
{
    const struct fault_case *wanted = argc > 1 ? case_find(argv[1]) : NULL;
    if (wanted == NULL) {
        shell_fault_list();
        return;
    }
    closed_page = alloc_page(domain_ram);
    if (closed_page == NULL) {
        shell_error("no free frame");
        return;
    }
    if (wanted->ends) {
        wanted->run(NULL);
    } else if (run_reported(wanted->run, NULL, NULL)) {
        printf("nothing refused that\n");
    }
    free_page(closed_page);
}
