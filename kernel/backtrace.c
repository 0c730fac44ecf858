// SPDX-License-Identifier: MIT
//
// Walking frame pointers, with suspicion: the stack may be what is broken.
#include "kernel/backtrace.h"

#include "arch/trap.h"
#include "kernel/symbols.h"
#include "keyhole.h"
#include "mm/image.h"

#define FRAMES_MAX 32     // and lines
#define LINES_IN_REPORT 8 // so that it fits a screen

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

#define CALL_SIZE 5 // E8 and a distance
#define CALL_INDIRECT_MAX 7
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

// Whether it is one of a call through a register or memory: FF /2, with what
// the byte after it asks for (SDM 2A 2.1.5).
static bool is_indirect_call(uintptr_t ip)
{
    for (unsigned size = 2; size <= CALL_INDIRECT_MAX; size++) {
        const uint8_t *code = (const uint8_t *)ip - size;
        if (!image_is_text(ip - size) || !image_is_text(ip - 1)) {
            return false;
        }
        unsigned mode = code[1] >> 6, base = code[1] & 7;
        bool far = mode == 2 || (mode == 0 && base == 5);
        unsigned want = 2 + (mode != 3 && base == 4) + (mode == 1) + 4 * far;
        if (code[0] == 0xff && (code[1] & 0x38) == 0x10 && size == want) {
            return true;
        }
    }
    return false;
}

// A function that calls nobody keeps no frame: who called it is among the first
// words on the stack, and the chain of frames begins with its caller's. What is
// called and is no code is like that as well.
static uintptr_t leaf_caller(const struct trap_frame *trap)
{
    uintptr_t bottom, top, offset;
    if (!stack_find(trap->rsp, &bottom, &top) || trap->rsp % 8 != 0 ||
        top - trap->rsp < sizeof(uintptr_t)) {
        return 0;
    }
    const uintptr_t *word = (const uintptr_t *)trap->rsp;
    if (!image_is_text(trap->rip)) {
        return is_indirect_call(word[0]) ? word[0] : 0;
    }
    if (symbol_find(trap->rip, &offset) == NULL ||
        (has_frame(trap->rip - offset) && offset >= FRAME_MADE)) {
        return 0;
    }
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

// The return address in the frame at *rbp, which becomes that of the caller; 0:
// nothing that looks like a frame is there.
static uintptr_t frame_leave(uintptr_t *rbp)
{
    uintptr_t bottom, top;
    if (!stack_find(*rbp, &bottom, &top) || *rbp % 8 != 0 || top - *rbp < 16) {
        return 0;
    }
    const uintptr_t *frame = (const uintptr_t *)*rbp;
    *rbp = frame[0];
    return image_is_text(frame[1]) ? frame[1] : 0;
}

// Whether the function at `address` works for its callers and is none of their
// business: memcpy() and the like. By where the function begins: what the
// compiler makes of several lines has none.
static bool is_helper(uintptr_t address)
{
    static const char *const files[] = {
        "kernel/console.c",
        "lib/format.c",
        "lib/string.c",
        "mm/copy.c",
    };
    const char *file;
    unsigned line;
    uintptr_t offset;
    if (symbol_find(address, &offset) == NULL ||
        !symbol_line(address - offset, &file, &line)) {
        return false;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(files); i++) {
        if (strcmp(file, files[i]) == 0) {
            return true;
        }
    }
    return false;
}

uintptr_t code_culprit(const struct trap_frame *trap, uintptr_t *helper)
{
    uintptr_t rbp = trap->rbp, caller = leaf_caller(trap);
    uintptr_t at = trap->rip;
    *helper = 0;
    if (!image_is_text(at)) {
        return caller;
    }
    for (unsigned i = 0; i < FRAMES_MAX && is_helper(at); i++) {
        *helper = at;
        if (i != 0 || caller == 0) {
            caller = frame_leave(&rbp);
        }
        if (caller == 0) {
            return 0;
        }
        at = caller - 1;
    }
    return at != trap->rip && !is_helper(at) ? caller : 0;
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

// How many lines an address takes.
static unsigned lines_of(uintptr_t address)
{
    struct symbol_frame frames[SYMBOL_FRAMES_MAX];
    return MAX(1u, symbol_frames(address, frames));
}

// The next call of the chain that *rbp is the innermost frame of, which becomes
// its caller's, or 0 behind the last: the return address, and what a trap
// interrupted before that, if it is the call of a trap's handler. 0: none.
static uintptr_t chain_next(uintptr_t *rbp, const struct trap_frame **trap)
{
    uintptr_t bottom, top;
    if (!stack_find(*rbp, &bottom, &top) || *rbp % 8 != 0 || top - *rbp < 16) {
        return 0;
    }
    const uintptr_t *frame = (const uintptr_t *)*rbp;
    if (!image_is_text(frame[1])) {
        return 0;
    }
    *trap = trap_of(*rbp, top);
    // Callers lie higher up, or on another stack.
    *rbp = frame[0] <= *rbp && frame[0] >= bottom ? 0 : frame[0];
    return frame[1];
}

// At most `most` lines, and one that says that there are more.
static void chain_print(uintptr_t rbp, unsigned most)
{
    unsigned lines = 0;
    const struct trap_frame *trap;
    uintptr_t caller;
    while ((caller = chain_next(&rbp, &trap)) != 0) {
        lines += lines_of(caller - 1);
        lines += trap != NULL ? lines_of(trap->rip) : 0;
        if (lines > most) {
            printf("    ...\n");
            return;
        }
        print_caller(caller);
        if (trap != NULL) {
            print_interrupted(trap);
        }
    }
}

unsigned trap_calls(const struct trap_frame *trap, uintptr_t calls[],
                    unsigned most)
{
    uintptr_t rbp = trap->rbp, caller = leaf_caller(trap);
    unsigned count = 0;
    if (caller != 0 && count < most) {
        calls[count++] = caller - 1;
    }
    while (count < most && (caller = chain_next(&rbp, &trap)) != 0) {
        calls[count++] = caller - 1;
        if (trap != NULL && count < most) {
            calls[count++] = trap->rip;
        }
    }
    return count;
}

void print_trap_backtrace(const struct trap_frame *trap)
{
    uintptr_t caller = leaf_caller(trap);
    if (caller != 0) {
        print_caller(caller);
    }
    chain_print(trap->rbp, LINES_IN_REPORT);
}

void print_backtrace(uintptr_t rbp)
{
    chain_print(rbp, FRAMES_MAX);
}
