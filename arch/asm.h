// SPDX-License-Identifier: MIT
//
// Numbers that C and assembly share. The build turns each `#define NAME value`
// line into NASM's %define, so values are plain integers without suffixes.
// Offsets into C structures are asserted where the structure is declared.
#pragma once

// Where the kernel image is linked: KERNEL_BASE + its physical address.
#define KERNEL_BASE 0xffffffff80000000

// Model-specific registers (SDM 4, table 2-2).
#define MSR_IA32_APIC_BASE 0x1b
#define MSR_IA32_PKRS 0x6e1
#define MSR_X2APIC 0x800
#define MSR_EFER 0xc0000080
#define MSR_GS_BASE 0xc0000101

// IA32_PKRS with key 0 open and every other key closed (AD and WD set).
#define PKRS_CLOSED 0xfffffffc

#define RFLAGS_TF_BIT 8

// Selectors in the kernel's GDT.
#define SELECTOR_CODE 0x08
#define SELECTOR_DATA 0x10
#define SELECTOR_TSS 0x18

// struct cpu_data
#define PERCPU_BRACKET_TOP 8
#define PERCPU_HANDLER_NEXT 16
#define PERCPU_BRACKET_PKRS_WRITES 32
#define PERCPU_OTHER_PKRS_WRITES 40
#define PERCPU_NMI_LEVEL 48

// struct ap, and two of its states
#define AP_APIC_ID 0
#define AP_STATE 4
#define AP_STACK 8
#define AP_SIZE 16
#define AP_AWAITED 1
#define AP_ALIVE 2

// struct bracket
#define BRACKET_RIGHTS 8
#define BRACKET_INTERRUPTED 32
#define BRACKET_SIZE 40
// The brackets of one handler: a sentinel, 32 slots, an end.
#define BRACKET_LEVEL_SIZE 1360

// struct trap_frame, from its lowest address
#define TRAP_FRAME_RIGHTS 8
#define TRAP_FRAME_REGISTERS 16
#define TRAP_FRAME_VECTOR 136
#define TRAP_FRAME_ERROR_CODE 144
#define TRAP_FRAME_HARDWARE 152
#define TRAP_FRAME_RFLAGS 168
#define TRAP_FRAME_RSP 176

// struct fault
#define FAULT_SIZE 48

// struct catch_frame
#define CATCH_RBX 0
#define CATCH_RBP 8
#define CATCH_R12 16
#define CATCH_R13 24
#define CATCH_R14 32
#define CATCH_R15 40
#define CATCH_RSP 48
#define CATCH_RIP 56
#define CATCH_RFLAGS 64

// Sizes of the boot CPU's stacks, bytes.
#define STACK_SIZE_BOOT 32768
#define STACK_SIZE_IDLE 8192
#define STACK_SIZE_IST 8192
#define STACK_GUARD_SIZE 4096
