// SPDX-License-Identifier: MIT
//
// Walking frame pointers, with suspicion: the stack may be what is broken.
#include "kernel/backtrace.h"

#include "arch/trap.h"
#include "kernel/symbols.h"
#include "keyhole.h"
#include "mm/image.h"

#define FRAMES_MAX 32

// `shown` is the address to print, `looked_up` the one whose line it is.
static void print_address(uintptr_t shown, uintptr_t looked_up)
{
    uintptr_t offset;
    const char *file;
    unsigned line;
    const char *name = symbol_find(looked_up, &offset);
    if (name == NULL) {
        printf("0x%lx", shown);
        return;
    }
    printf("%s+0x%lx", name, offset + (shown - looked_up));
    if (symbol_line(looked_up, &file, &line)) {
        printf(" (%s:%u)", file, line);
    }
}

void print_code_address(uintptr_t address)
{
    print_address(address, address);
}

void print_call_site(uintptr_t return_address)
{
    print_address(return_address, return_address - 1);
}

// What trap_handle() was called for, by its frame; NULL: this is another's. The
// entry calls it with the trap frame at the top of its stack.
static const struct trap_frame *trap_of(uintptr_t rbp, uintptr_t top)
{
    const uintptr_t *frame = (const uintptr_t *)rbp;
    const char *caller = symbol_find(frame[1] - 1, NULL);
    bool entry = caller != NULL && (strcmp(caller, "trap_entry_pks") == 0 ||
                                    strcmp(caller, "trap_entry_plain") == 0);
    return entry && top - rbp >= 16 + sizeof(struct trap_frame)
               ? (const struct trap_frame *)&frame[2]
               : NULL;
}

static void print_interrupted(const struct trap_frame *trap)
{
    printf("    ");
    print_code_address(trap->rip);
    printf(", interrupted by vector %llu\n", (unsigned long long)trap->vector);
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
        printf("    ");
        print_call_site(frame[1]);
        printf("\n");
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
