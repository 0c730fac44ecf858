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
#define PERCPU_RIGHTS 8
#define PERCPU_BRACKET_TOP 16
#define PERCPU_BRACKET_LIMIT 24
#define PERCPU_PKRS_WRITES 32
#define PERCPU_NMI_LEVEL 40

// struct bracket. The sentinel below a context's first bracket has an address
// that no map call returns: kunmap_local() never gets past it.
#define BRACKET_ADDRESS 0
#define BRACKET_INTERRUPTED 8
#define BRACKET_SIZE 32
// Set in `rights` of a bracket that is more than a change of rights, and in the
// link of a sentinel: bit 0, AD of key 0, which no context ever has.
#define BRACKET_SPECIAL 1
#define BRACKET_SENTINEL 0x6b65796c
// In unmap_site of the slots behind the last that may be filled; a trap's
// sentinel does not write there.
#define BRACKET_END 0x656e6421

// struct trap_frame, from its lowest address
#define TRAP_FRAME_RIGHTS 16
#define TRAP_FRAME_REGISTERS 32
#define TRAP_FRAME_VECTOR 152
#define TRAP_FRAME_ERROR_CODE 160
#define TRAP_FRAME_HARDWARE 168
#define TRAP_FRAME_RFLAGS 184
#define TRAP_FRAME_RSP 192

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
#define STACK_SIZE_IST 8192
#define STACK_GUARD_SIZE 4096
