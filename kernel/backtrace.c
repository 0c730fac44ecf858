// SPDX-License-Identifier: MIT
//
// Walking frame pointers, with suspicion: the stack may be what is broken.
#include "kernel/backtrace.h"

#include "arch/trap.h"
#include "kernel/symbols.h"
#include "keyhole.h"
#include "mm/image.h"

#define FRAMES_MAX 32

static void print_place(const struct symbol_frame *frame)
{
    if (frame->line != 0) {
        printf(" (%s:%u)", frame->file, frame->line);
    }
}

// `shown` is the address to print, `looked_up` the one whose line it is, and
// `outer` stands before the function that another is in line in.
static void print_address(uintptr_t shown, uintptr_t looked_up,
                          const char *outer)
{
    struct symbol_frame frames[SYMBOL_FRAMES_MAX];
    unsigned n = symbol_frames(looked_up, frames);
    uintptr_t offset = 0;
    if (n == 0) {
        printf("0x%lx", shown);
        return;
    }
    for (unsigned i = 0; i < n - 1; i++) {
        printf("%s", frames[i].function);
        print_place(&frames[i]);
        printf(", inlined%s", outer);
    }
    symbol_find(looked_up, &offset);
    printf("%s+0x%lx", frames[n - 1].function, offset + (shown - looked_up));
    print_place(&frames[n - 1]);
}

#define ON_THE_SAME_LINE " in "
#define ON_A_LINE_OF_ITS_OWN "\n    "

void print_code_address(uintptr_t address)
{
    print_address(address, address, ON_THE_SAME_LINE);
}

void print_call_site(uintptr_t return_address)
{
    print_address(return_address, return_address - 1, ON_THE_SAME_LINE);
}

void print_code_place(uintptr_t address)
{
    struct symbol_frame frames[SYMBOL_FRAMES_MAX];
    if (symbol_frames(address, frames) == 0) {
        printf("0x%lx", address);
        return;
    }
    printf("%s", frames[0].function);
    print_place(&frames[0]);
}

// --------------------------------------------------------------- The caller

#define CALL_SIZE 5      // E8 and a distance
#define LEAF_SLOTS_MAX 8 // what a function without a frame keeps on the stack

#define FRAME_MADE 4 // bytes of code that do so

// Whether a function begins with PUSH RBP, and MOV RBP, RSP.
static bool has_frame(uintptr_t function)
{
    static const uint8_t prologue[FRAME_MADE] = {0x55, 0x48, 0x89, 0xe5};
    return memcmp((const void *)function, prologue, sizeof(prologue)) == 0;
}

// Whether a return address is that of a call of `function`.
static bool is_call_of(uintptr_t ip, uintptr_t function)
{
    if (!image_is_text(ip - CALL_SIZE) || !image_is_text(ip - 1)) {
        return false;
    }
    int32_t distance;
    memcpy(&distance, (const void *)(ip - sizeof(distance)), sizeof(distance));
    return *(const uint8_t *)(ip - CALL_SIZE) == 0xe8 &&
           ip + (uintptr_t)(intptr_t)distance == function;
}

// Whether it is one of a call through a register.
static bool is_indirect_call(uintptr_t ip)
{
    const uint8_t *before = (const uint8_t *)ip - 2;
    return image_is_text(ip - 2) && image_is_text(ip - 1) &&
           before[0] == 0xff && (before[1] & 0xf8) == 0xd0;
}

// A function that calls nobody keeps no frame: who called it is among the first
// words on the stack, and the chain of frames begins with its caller's.
static uintptr_t leaf_caller(const struct trap_frame *trap)
{
    uintptr_t bottom, top, offset;
    if (symbol_find(trap->rip, &offset) == NULL ||
        (has_frame(trap->rip - offset) && offset >= FRAME_MADE) ||
        !stack_find(trap->rsp, &bottom, &top) || trap->rsp % 8 != 0) {
        return 0;
    }
    const uintptr_t *word = (const uintptr_t *)trap->rsp;
    for (unsigned i = 0; i < LEAF_SLOTS_MAX && (uintptr_t)&word[i + 1] <= top &&
                         (uintptr_t)&word[i] != trap->rbp;
         i++) {
        if (is_call_of(word[i], trap->rip - offset) ||
            (i == 0 && is_indirect_call(word[i]))) {
            return word[i];
        }
    }
    return 0;
}

uintptr_t code_caller(const struct trap_frame *trap)
{
    uintptr_t caller = leaf_caller(trap), bottom, top;
    if (caller != 0 || !stack_find(trap->rbp, &bottom, &top) ||
        trap->rbp % 8 != 0 || top - trap->rbp < 16) {
        return caller;
    }
    caller = ((const uintptr_t *)trap->rbp)[1];
    return image_is_text(caller) ? caller : 0;
}

bool code_is_a_helper(uintptr_t address)
{
    const char *file;
    unsigned line;
    return symbol_line(address, &file, &line) &&
           strcmp(file, "lib/string.c") == 0;
}

// ---------------------------------------------------------------- The chain

// The entries of traps, and how many words they have on the stack above the
// trap frame when they call trap_handle().
static const struct entry {
    const char *name;
    unsigned words;
} entries[] = {
    {"trap_entry_pks", 0},
    {"trap_entry_exact", 1},
    {"trap_entry_tables", 0},
    {"trap_entry_plain", 0},
};

// What trap_handle() was called for, by its frame; NULL: this is another's.
static const struct trap_frame *trap_of(uintptr_t rbp, uintptr_t top)
{
    const uintptr_t *frame = (const uintptr_t *)rbp;
    const char *caller = symbol_find(frame[1] - 1, NULL);
    for (unsigned i = 0; caller != NULL && i < ARRAY_SIZE(entries); i++) {
        if (strcmp(caller, entries[i].name) == 0 &&
            top - rbp >=
                16 + 8 * entries[i].words + sizeof(struct trap_frame)) {
            return (const struct trap_frame *)&frame[2 + entries[i].words];
        }
    }
    return NULL;
}

static void print_interrupted(const struct trap_frame *trap)
{
    printf("    ");
    print_address(trap->rip, trap->rip, ON_A_LINE_OF_ITS_OWN);
    printf(", interrupted by vector %llu\n", (unsigned long long)trap->vector);
}

static void print_caller(uintptr_t return_address)
{
    printf("    ");
    print_address(return_address, return_address - 1, ON_A_LINE_OF_ITS_OWN);
    printf("\n");
}

void print_trap_backtrace(const struct trap_frame *trap)
{
    uintptr_t caller = leaf_caller(trap);
    if (caller != 0) {
        print_caller(caller);
    }
    print_backtrace(trap->rbp);
}

void print_backtrace(uintptr_t rbp)
{
    for (unsigned i = 0; i < FRAMES_MAX; i++) {
        uintptr_t bottom, top;
        if (!stack_find(rbp, &bottom, &top) || rbp % 8 != 0 || top - rbp < 16) {
            return;
        }
        const uintptr_t *frame = (const uintptr_t *)rbp;
        if (!image_is_text(frame[1])) {
            return;
        }
        print_caller(frame[1]);
        const struct trap_frame *trap = trap_of(rbp, top);
        if (trap != NULL) {
            print_interrupted(trap);
        }
        if (frame[0] <= rbp && frame[0] >= bottom) {
            return; // callers lie higher up, or on another stack
        }
        rbp = frame[0];
    }
}
