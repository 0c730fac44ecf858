// SPDX-License-Identifier: MIT
//
// Exceptions and interrupts: what the entry code saves, and the handler that
// the kernel supplies. Every handler starts with all keys closed and with no
// bracket of its own; on the way out the interrupted context's rights are put
// back exactly (docs/TRICKS.md).
#pragma once

#include "arch/asm.h"
#include "lib/types.h"

struct bracket; // mm/bracket.h

// On the stack during a trap. The interrupted code's rights may be changed
// here, and take effect on return. So may RIP and RFLAGS.
struct trap_frame {
    struct bracket *bracket_top; // percpu.bracket_top as it was
    uint64_t rights;             // IA32_PKRS as it was
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
    uint64_t rdi, rsi, rbp, rbx, rdx, rcx, rax;
    uint64_t vector;
    uint64_t error_code; // 0 where the CPU pushes none
    uint64_t rip, cs, rflags, rsp, ss;
};

_Static_assert(offsetof(struct trap_frame, rights) == TRAP_FRAME_RIGHTS,
               "asm.h");
_Static_assert(offsetof(struct trap_frame, r15) == TRAP_FRAME_REGISTERS,
               "asm.h");
_Static_assert(offsetof(struct trap_frame, vector) == TRAP_FRAME_VECTOR,
               "asm.h");
_Static_assert(offsetof(struct trap_frame, error_code) == TRAP_FRAME_ERROR_CODE,
               "asm.h");
_Static_assert(offsetof(struct trap_frame, rip) == TRAP_FRAME_HARDWARE,
               "asm.h");
_Static_assert(offsetof(struct trap_frame, rflags) == TRAP_FRAME_RFLAGS,
               "asm.h");
_Static_assert(offsetof(struct trap_frame, rsp) == TRAP_FRAME_RSP, "asm.h");

// Supplied by the kernel layer. Called for every trap, interrupts off.
void trap_handle(struct trap_frame *frame);

// Where the stacks end that the CPU changes to for some exceptions.
struct trap_stacks {
    void *double_fault, *nmi, *machine_check;
};

// GDT, TSS and IDT of the boot CPU. Early boot, after percpu_init(). And of
// another CPU, which runs this; the IDT is the same.
void trap_init(void);
void trap_init_cpu(unsigned cpu, const struct trap_stacks *tops);

// What the NMI interrupted that this CPU handles: the frame is always at the
// end of the stack that the CPU changes to. For tests and reports, in its
// handler.
const struct trap_frame *trap_of_nmi(void);

// Where the boot CPU's idle thread begins.
extern char stack_idle_top[];

// Where traps begin, until trap_use(): they keep registers and brackets apart,
// and leave rights alone. And with PKS: they save IA32_PKRS and close it.
void trap_entry_plain(void);
void trap_entry_pks(void);

// From now on traps begin there. Boot.
void trap_use(void (*entry)(void));

// Supplied by the memory layer: the two questions below for stacks that are
// made at run time. Any context.
bool stack_made_find(uintptr_t address, uintptr_t *bottom, uintptr_t *top);
const char *stack_made_guard_name(uintptr_t address);

// Which of the stacks with guards an address lies in the guard of, by name, or
// NULL. For reports of a stack overflow. Any context.
const char *stack_guard_name(uintptr_t address);

// The stack that holds `address`: its bounds, or false. Any context.
bool stack_find(uintptr_t address, uintptr_t *bottom, uintptr_t *top);

// Whether `address` lies in a guard page between the stacks of the image.
bool stack_is_guard(uintptr_t address);

// One entry of the exception table: a fault at `instruction` goes on at
// `fixup`, with R8 = struct fault * (or NULL) filled in.
struct extable_entry {
    uintptr_t instruction;
    uintptr_t fixup;
    uint64_t access; // enum fault_access of the instruction, for #GP
};

// The entry for an instruction address, or NULL. Any context.
const struct extable_entry *extable_find(uintptr_t ip);
