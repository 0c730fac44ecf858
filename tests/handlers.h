// SPDX-License-Identifier: MIT
//
// Checks inside handlers, where CHECK cannot return from the test: the first
// one that fails is kept, and the test asks for it afterwards.
#pragma once

#include "arch/trap.h"
#include "keyhole.h"
#include "lib/types.h"

// Remember that `condition` does not hold. Any context.
#define HANDLER_CHECK(condition)                                               \
    do {                                                                       \
        if (!(condition)) {                                                    \
            handler_failed(__FILE__, __LINE__, #condition);                    \
        }                                                                      \
    } while (0)

void handler_failed(const char *file, unsigned line, const char *condition);

// Whether all held since the last call; if not, the first that did not is
// printed. Thread context.
bool handlers_passed(void);

// IA32_PKRS and its soft copy have both this value. Where the engine has none
// of them: what it has instead is closed, if the value is PKRS_CLOSED. Any
// context.
bool rights_are(uint32_t want);

// What a trap found in IA32_PKRS is what the interrupted context may have
// there: what its innermost bracket gave; or, inside a map or unmap call, what
// the bracket below gave, or what the call is about to note in the slot. Keys
// that change inside such calls alone, those of the page tables and of windows,
// are not looked at. The scheduler changes contexts with interrupts off; so a
// frame with interrupts off may be of two of them. Any context.
bool interrupted_rights_are_sound(const struct trap_frame *frame);

// How many accesses were refused so far, on all CPUs. Any context.
uint64_t faults_count(void);

// The body of a handler that uses a frame: it starts with every key closed,
// opens the frame, writes and reads it, closes it again, and can then not reach
// it. Counts itself. `page` is a struct page *. Any context.
void handler_uses_frame(void *page);

// How often that ran since the last call of this.
unsigned handler_uses(void);

// Stubs for gates of an IDT that a test makes (tests/handler_stubs.asm): the
// trap entry without keys, with the vector of a call.
extern const char stub_call_without_keys[];

// Functions of known length: five instructions; and two around an interrupt.
void stub_five(void *unused);
void stub_interrupted(void *unused);

// The same, and a return: an interrupt whose handler finds nothing to do.
void stub_call_interrupt(void *unused);

// Whether an interrupt gives every register and flag back, and whether
// run_protected() gives those back that a call keeps. The first handles what
// was posted to this CPU by remote_call_post() with interrupts off.
bool stub_interrupt_keeps_registers(void);
bool stub_protected_keeps_registers(void);

// Note RFLAGS in *flags, and lose every register that a call may lose.
void stub_clobber(void *flags);

// A gate of tests/breakpoint.c: #DB without the trap entry. Turns breakpoints
// off and calls breakpoint_hit().
extern const char stub_breakpoint[];
